"""The short loop: orders, leaving and spend, without any programme or behaviour; a third of the time of the long one.

Held bit for bit to the long one by a test. Two loops and not one: with the code of all mechanisms inside, the compiler
keeps the books in memory instead of in registers.
"""

from __future__ import annotations

import numpy as np

from cxsim import rng
from cxsim.compiled import inlined, lean
from cxsim.simulation.blocks import Block, Latents
from cxsim.simulation.journal import ARRIVED, LEFT, LOG_COLUMNS, ORDER, Books, count
from cxsim.tallies import Tally

_ORDER, _DROPOUT, _LIFETIME = int(rng.Purpose.ORDER), int(rng.Purpose.DROPOUT), int(rng.Purpose.LIFETIME)
_SPEND, _ORDERS, _LIST, _ARRIVALS = int(rng.Purpose.SPEND), int(Tally.ORDERS), int(Tally.LIST), int(Tally.ARRIVALS)
_SECONDS_PER_DAY = 86_400.0
_NUMBERS = len(LOG_COLUMNS)


@lean
def play_alone(latents: Latents, block: Block, present: np.ndarray, books: Books) -> None:
    """Play one block of customers, of whom `present` says who is there, and write what happens into the books."""
    for i in range(len(block)):
        if not present[i]:
            continue
        k, alive = 0, block[i].alive
        if not alive:
            _log(books, block, i, LEFT, 0, 0.0, 0, 0)
        if block[i].is_new:
            count(books, i, block[i].cohort, books.month_of_day[int(block[i].entry)], _ARRIVALS, 1)
            _log(books, block, i, ARRIVED, 0, block[i].entry, -1, -1)
            _order(books, block, i, 0, block[i].entry, latents.p)
            k = 1
            if latents.drop_after_first == 1:
                luck = rng.purpose_key(block[i].key, _DROPOUT)
                alive = rng.uniform(luck, 0) >= block[i].dropout_prob
                if not alive:
                    _log(books, block, i, LEFT, 1, block[i].entry, 1, 0)
        if alive:
            _live(latents, block, i, books, k)


@inlined
def _live(latents: Latents, block: Block, i: int, books: Books, k: int) -> None:
    horizon = float(len(books.month_of_day))
    order_luck, dropout_luck = rng.purpose_key(block[i].key, _ORDER), rng.purpose_key(block[i].key, _DROPOUT)
    rate, chance, hazard = block[i].rate, block[i].dropout_prob, block[i].dropout_rate
    now, end_at = block[i].entry, np.inf
    if hazard > 0.0:
        end_at = now + rng.exponential(rng.purpose_key(block[i].key, _LIFETIME), 0) / hazard
    alive = rate > 0.0
    while alive:
        now += rng.exponential(order_luck, k) / rate
        if now >= horizon or end_at <= now:
            break
        _order(books, block, i, k, now, latents.p)
        alive = rng.uniform(dropout_luck, k) >= chance
        k += 1
        if not alive:
            _log(books, block, i, LEFT, k, now, 1, 0)
    if end_at < horizon and (alive or rate <= 0.0):
        _log(books, block, i, LEFT, k, end_at, 0, 0)


@inlined
def _order(books: Books, block: Block, i: int, k: int, now: float, spend_shape: float) -> None:
    cohort, month = block[i].cohort, books.month_of_day[int(now)]
    spend = 100.0 * rng.gamma(rng.purpose_key(block[i].key, _SPEND), k, spend_shape) / block[i].spend_rate
    paid = int(np.rint(spend))
    count(books, i, cohort, month, _LIST, paid)
    count(books, i, cohort, month, _ORDERS, 1)
    _log(books, block, i, ORDER, k, now, paid, 0)


@inlined
def _log(books: Books, block: Block, i: int, kind: int, k: int, when: float, a: int, b: int) -> None:
    place = books.cursor[0]
    books.cursor[0] = place + 1
    if place < len(books.log):
        log = books.log
        log[place, 0], log[place, 1], log[place, 2] = kind, block[i].number, k
        log[place, 3], log[place, 4], log[place, 5] = int(when * _SECONDS_PER_DAY), a, b
        for column in range(6, _NUMBERS):
            log[place, column] = 0
