"""A shop's downloads, as a newcomer has them: Shopify's orders and Zendesk's tickets, written into a folder.

Customers order as in the BG/NBD model, with lognormal amounts. `python -m tests.first_hour FOLDER` writes them.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

SAMPLES = Path(__file__).parent / "data" / "exports"
ZONE = ZoneInfo("Europe/Berlin")
SINCE, DAYS = datetime.fromisoformat("2024-01-01"), 730
# Purchase rates are Gamma(r, alpha in days), dropout chances Beta(a, b): about 2.4 orders a customer in these days.
R, ALPHA, A, B = 0.4, 55.0, 0.9, 3.0
GOODS = {"Hydrating Serum": 32.0, "Day Cream": 24.0, "Night Cream": 28.0, "Cleanser": 14.5, "Hand Balm": 9.5}
VAT = 0.19


class Order(NamedTuple):
    """An order of a customer, by number, and the moment after the start at which it is made."""

    customer: int
    day: float


def write_exports(folder: Path, orders: int = 6_000, tickets: int = 800, seed: int = 2025) -> Path:
    """Write the two files into a folder, made if it is not there, and return it; at most one ticket an order."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    made = _orders(rng, orders)
    _write(folder, "shopify_orders.csv", _shopify(rng, made))
    _write(folder, "zendesk_tickets.csv", _zendesk(rng, made, tickets))
    return folder


def _orders(rng: np.random.Generator, count: int) -> list[Order]:
    """Return so many orders, the oldest first; of the last customer only as many as are still needed."""
    made: list[Order] = []
    customer = 0
    while len(made) < count:
        rate, dropout = rng.gamma(R, 1.0 / ALPHA), rng.beta(A, B)
        day, first = rng.uniform(0.0, DAYS), True
        while day < DAYS and len(made) < count:
            made.append(Order(customer, day))
            # Nobody leaves right after the first order.
            if not first and rng.random() < dropout:
                break
            day, first = day + rng.exponential(1.0 / rate), False
        customer += 1
    return sorted(made, key=lambda one: one.day)


def _shopify(rng: np.random.Generator, orders: list[Order]) -> Iterator[dict[str, object]]:
    """Yield the lines of the orders; only the first of an order has what holds for all of it."""
    spend = rng.lognormal(0.0, 0.35, len(orders))
    for number, order in enumerate(orders, start=1001):
        moment = _written(order.day, offset=True)
        names = rng.choice(list(GOODS), size=1 + min(2, rng.poisson(0.6)), replace=False)
        prices = [round(GOODS[name] * float(spend[order.customer]), 2) for name in names]
        units = 1 + rng.binomial(1, 0.25, len(names))
        listed = sum(price * int(unit) for price, unit in zip(prices, units, strict=True))
        markdown = round(0.1 * listed, 2) if rng.random() < 0.15 else 0.0
        subtotal = round(listed - markdown, 2)
        shipping = 0.0 if subtotal >= 49.0 else 4.9
        status, share = _status(rng)
        head = {
            "Financial Status": status,
            "Paid at": "" if status == "voided" else moment,
            "Fulfillment Status": "unfulfilled" if status == "voided" else "fulfilled",
            "Fulfilled at": "" if status == "voided" else _written(order.day + rng.uniform(0.5, 2.5), offset=True),
            "Accepts Marketing": "yes" if order.customer % 3 else "no",
            "Currency": "EUR",
            "Subtotal": f"{subtotal:.2f}",
            "Shipping": f"{shipping:.2f}",
            "Taxes": f"{(subtotal + shipping) * VAT / (1.0 + VAT):.2f}",
            "Total": f"{subtotal + shipping:.2f}",
            "Discount Code": "WELCOME10" if markdown else "",
            "Discount Amount": f"{markdown:.2f}",
            "Cancelled at": moment if status == "voided" else "",
            "Payment Method": "Shopify Payments",
            "Refunded Amount": f"{share * subtotal:.2f}",
            "Outstanding Balance": "0.00",
            "Id": 5_000_000_000_000 + number,
            "Source": "web",
        }
        every = {"Name": f"#{number}", "Email": _email(order.customer), "Created at": moment}
        for name, price, unit in zip(names, prices, units, strict=True):
            line = {"Lineitem name": name, "Lineitem price": f"{price:.2f}", "Lineitem quantity": unit}
            shipped = {"Lineitem requires shipping": "true", "Lineitem taxable": "true"}
            yield every | line | shipped | head
            head = {}


def _status(rng: np.random.Generator) -> tuple[str, float]:
    """Return the state of an order's payment, and the share of it that was paid back."""
    chance = rng.random()
    if chance < 0.01:
        return "voided", 0.0
    if chance < 0.05:
        return "refunded", 1.0
    return ("partially_refunded", 0.4) if chance < 0.08 else ("paid", 0.0)


def _zendesk(rng: np.random.Generator, orders: list[Order], count: int) -> Iterator[dict[str, object]]:
    """Yield the tickets, the oldest first: all after an order, a few by another address."""
    places, waits = rng.permutation(len(orders)), rng.exponential(4.0, len(orders))
    after = [(orders[place].day + waits[place], orders[place].customer) for place in places]
    # Orders and tickets end together, whatever zone the ticket's times are read in.
    asked = sorted([one for one in after if one[0] < DAYS - 1.0][:count])
    satisfied = rng.normal(0.9, 0.8, len(orders))
    for number, (day, customer) in enumerate(asked, start=1):
        stranger = rng.random() < 0.04
        first = rng.lognormal(np.log(360.0), 1.0)
        once = rng.random() < 0.7
        full = first * (1.0 if once else rng.uniform(3.0, 8.0))
        answered, solved = (day + minutes / 1_440.0 < DAYS for minutes in (first, full))
        good = satisfied[customer] + 0.6 * rng.normal() - 0.4 * np.log(first / 360.0) > (0.0 if once else 0.6)
        reply = "Good" if good else "Bad"
        offered = rng.choice(["Not Offered", "Offered", reply], p=[0.3, 0.45, 0.25])
        yield {
            "Summation column": 1,
            "Id": number,
            "Requester": f"Person {customer}",
            "Requester id": 10_300_000_000_000 + customer,
            "Requester email": f"visitor{number}@example.org" if stranger else _email(customer),
            "Status": "Solved" if solved else "Pending" if answered else "New",
            "Via": rng.choice(["Mail", "Web form", "Chat"]),
            "Ticket type": rng.choice(["Question", "Problem"]),
            "Created at": _written(day),
            "Updated at": _written(min(day + full / 1_440.0, DAYS - 0.005)),
            "Solved at": _written(day + full / 1_440.0) if solved else "",
            "Satisfaction Score": offered if solved else "Not Offered",
            "Reopens": 0 if once or not solved else rng.poisson(0.4),
            "Replies": (1 if once else 2 + rng.poisson(0.7)) if solved else int(answered),
            "First reply time in minutes": round(first) if answered else "",
            "Full resolution time in minutes": round(full) if solved else "",
        }


def _write(folder: Path, name: str, rows: Iterator[dict[str, object]]) -> None:
    """Write rows under the platform's own header, which stands in its sample."""
    with (SAMPLES / name).open(encoding="utf-8", newline="") as sample:
        header = next(csv.reader(sample))
    with (folder / name).open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, header, restval="")
        table.writeheader()
        table.writerows(rows)


def _email(customer: int) -> str:
    return f"customer{customer}@example.com"


def _written(day: float, *, offset: bool = False) -> str:
    """Return a moment as the platform writes it: Shopify with the zone's offset of that day, Zendesk without."""
    moment = (SINCE + timedelta(days=float(day))).replace(tzinfo=ZONE)
    return f"{moment:%Y-%m-%d %H:%M:%S %z}" if offset else f"{moment:%Y-%m-%d %H:%M}"


if __name__ == "__main__":
    write_exports(Path(sys.argv[1]))
