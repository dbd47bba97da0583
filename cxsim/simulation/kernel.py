"""A plan and a block of customers in; their orders, counted per cohort, month and tally, out.

One customer at a time, in continuous time, from event to event. The next order comes when the accumulated purchase
intensity reaches a unit exponential threshold (random time change; Gibson & Bruck 2000), the end when the accumulated
dropout hazard does, or when the uniform of an order falls below its dropout probability. More hazard therefore means an
earlier end for every single customer, never a later one.

An intensity is accumulated from an anchor, and the anchor moves only when the intensity changes. So a programme that
changes no intensity leaves every order time as it is, to the last bit.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cxsim import rng
from cxsim.compiled import counted, inlined, lean
from cxsim.simulation import reaches
from cxsim.simulation.blocks import Block, Latents
from cxsim.simulation.booking import Books, Card, book_arrival, book_end, book_order
from cxsim.simulation.plan import Plan

_ORDER, _DROPOUT, _LIFETIME = int(rng.Purpose.ORDER), int(rng.Purpose.DROPOUT), int(rng.Purpose.LIFETIME)


@counted
def play(plan: Plan, latents: Latents, block: Block, reached: npt.NDArray[np.bool_], books: Books) -> int:
    """Play one block under one plan, and write what happens into the books.

    Parameters
    ----------
    plan, latents, block, books
        A `Plan`, `Latents`, `Block` and `Books`; the books are added to in place.
    reached
        Shape (customers, reaches): who meets the condition of which reach.

    Returns
    -------
    int
        Number of orders; orders beyond the length of the log are counted but not logged.
    """
    card = Card(np.full(len(plan), np.inf), np.zeros(len(plan), np.int64), np.zeros(len(plan), np.bool_))
    if len(plan) == 0:
        return _play_alone(plan, latents, block, card, books)
    return _play_reached(plan, latents, block, reached, card, books)


# Two loops and not one: with the code for reaches inside, the compiler keeps the books in memory instead of in
# registers, and the baseline takes three times as long.
@lean
def _play_alone(plan: Plan, latents: Latents, block: Block, card: Card, books: Books) -> int:
    logged = 0
    for i in range(len(block)):
        last, k, alive = block[i].last, 0, block[i].alive
        if block[i].is_new:
            last, k, alive, logged = _first_order(plan, latents, block, i, card, books, logged)
        if alive:
            last, logged = _live(plan, latents, block, i, card, books, last, k, logged)
    return logged


@lean
def _play_reached(
    plan: Plan, latents: Latents, block: Block, reached: npt.NDArray[np.bool_], card: Card, books: Books
) -> int:
    logged = 0
    for i in range(len(block)):
        reaches.adopt(plan, block[i].key, block[i].entry, reached, i, card.adopts)
        card.balance[:] = 0
        last, k, alive = block[i].last, 0, block[i].alive
        if block[i].is_new:
            last, k, alive, logged = _first_order(plan, latents, block, i, card, books, logged)
        if alive:
            last, logged = _live(plan, latents, block, i, card, books, last, k, logged)
        book_end(plan, card, books, block, i, last)
    return logged


@inlined
def _first_order(
    plan: Plan, latents: Latents, block: Block, i: int, card: Card, books: Books, logged: int
) -> tuple[float, int, bool, int]:
    entry = block[i].entry
    book_arrival(books, block, i)
    logged = book_order(plan, card, books, block, i, 0, entry, entry, latents.p, logged)
    alive = True
    if latents.drop_after_first == 1:
        _, dropping, _ = reaches.intensities(plan, card.adopts, entry, entry)
        luck = rng.purpose_key(block[i].key, _DROPOUT)
        alive = rng.uniform(luck, 0) >= block[i].dropout_prob * dropping
    return entry, 1, alive, logged


@inlined
def _live(
    plan: Plan, latents: Latents, block: Block, i: int, card: Card, books: Books, last: float, k: int, logged: int
) -> tuple[float, int]:
    """Play a living customer from the entry to the horizon; return the day of the last order and the orders so far."""
    horizon = float(len(books.month_of_day))
    order_luck, dropout_luck = rng.purpose_key(block[i].key, _ORDER), rng.purpose_key(block[i].key, _DROPOUT)
    rate, chance, hazard = block[i].rate, block[i].dropout_prob, block[i].dropout_rate
    now = block[i].entry
    buying, dropping, switch = reaches.intensities(plan, card.adopts, last, now)
    order_left, order_anchor = rng.exponential(order_luck, k), now
    end_left, end_anchor = np.inf, now
    if hazard > 0.0:
        end_left = rng.exponential(rng.purpose_key(block[i].key, _LIFETIME), 0)
    alive = True
    while alive:
        order_at = order_anchor + order_left / (rate * buying) if rate > 0.0 else np.inf
        end_at = end_anchor + end_left / (hazard * dropping) if hazard > 0.0 else np.inf
        now = min(order_at, end_at, switch)
        if now >= horizon or end_at <= now:
            break
        ordered = order_at <= now
        if ordered:
            logged = book_order(plan, card, books, block, i, k, now, last, latents.p, logged)
            alive = rng.uniform(dropout_luck, k) >= chance * dropping
            last = now
            k += 1
            order_left, order_anchor = rng.exponential(order_luck, k), now
        buying_now, dropping_now, switch = reaches.intensities(plan, card.adopts, last, now)
        if buying_now != buying:
            if not ordered:
                order_left = max(order_left - rate * buying * (now - order_anchor), 0.0)
                order_anchor = now
            buying = buying_now
        if dropping_now != dropping:
            if hazard > 0.0:
                end_left = max(end_left - hazard * dropping * (now - end_anchor), 0.0)
                end_anchor = now
            dropping = dropping_now
    return last, logged
