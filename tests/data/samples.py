"""Rows of exports, written as Shopify writes them; orders of a shop that never was; rows read as one format."""

# ruff: noqa: DTZ001 - the clocks of shops have no zone

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from cxsim.data.exports.formats import Export, Format, Readout, formats
from cxsim.data.exports.read_shop import reader_of
from cxsim.data.shop import Policy

EXPORTS = Path(__file__).parent / "exports"


def format_of(title: str) -> Format:
    """The format of a name."""
    (found,) = (form for form in formats() if form.title == title)
    return found


COLUMNS = format_of("Shopify orders").header


def order(name: str = "#1002", **cells: str) -> dict[str, str]:
    """First row of an order of one mug of 20.00; `Created_at` stands for `Created at`."""
    row = {
        "Name": name,
        "Email": "ana@example.com",
        "Financial Status": "paid",
        "Paid at": "2024-02-01 10:00:00 -0500",
        "Currency": "USD",
        "Subtotal": "20.00",
        "Shipping": "0.00",
        "Taxes": "0.00",
        "Total": "20.00",
        "Discount Amount": "0.00",
        "Created at": "2024-02-01 10:00:00 -0500",
        "Lineitem quantity": "1",
        "Lineitem name": "Mug",
        "Lineitem price": "20.00",
        "Lineitem requires shipping": "true",
        "Payment Method": "Shopify Payments",
        "Refunded Amount": "0.00",
        "Outstanding Balance": "0.00",
        "Id": "50000000" + name.strip("#"),
        "Source": "web",
    }
    return row | {key.replace("_", " "): value for key, value in cells.items()}


def line(name: str, quantity: str, price: str, **cells: str) -> dict[str, str]:
    """Further row of an order."""
    row = {"Name": name, "Lineitem quantity": quantity, "Lineitem name": "Further", "Lineitem price": price}
    return row | {key.replace("_", " "): value for key, value in cells.items()}


def zendesk(number: str = "1", **cells: str) -> dict[str, str]:
    """Row of a Zendesk view: a ticket that was solved."""
    row = {
        "Id": number, "Requester id": "10300000000001", "Requester email": "Ana@Example.com", "Tags": "",
        "Status": "Solved", "Via": "Mail", "Created at": "2024-03-01 09:00", "Updated at": "2024-03-02 09:00",
        "Satisfaction Score": "Not Offered", "Reopens": "0", "Replies": "1", "First reply time in minutes": "60",
        "Full resolution time in minutes": "600",
    }  # fmt: skip
    return row | {name.replace("_", " "): cell for name, cell in cells.items()}


def freshdesk(number: str = "1", **cells: str) -> dict[str, str]:
    """Row of a Freshdesk export: a ticket that was resolved."""
    row = {
        "Ticket ID": number, "Status": "Resolved", "Source": "Email", "Created time": "2024-03-01 09:00:00",
        "Resolved time": "2024-03-01 19:00:00", "Closed time": "", "Last update time": "2024-03-02 09:00:00",
        "Initial response time": "2024-03-01 10:00:00", "First response time (in hrs)": "00:15:00",
        "Resolution time (in hrs)": "", "Agent interactions": "1", "Survey results": "", "Email": "Ana@Example.com",
    }  # fmt: skip
    return row | {name.replace("_", " "): cell for name, cell in cells.items()}


def write(path: Path, rows: list[dict[str, str]], columns: tuple[str, ...] = COLUMNS) -> Path:
    """Write rows under a header."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def read_as(title: str, rows: pl.LazyFrame, file: str = "file.csv", policy: Policy | None = None) -> Readout:
    """Read rows by the format of a name."""
    form = format_of(title)
    return reader_of(form)(Export(file=file, rows=rows), form, policy or Policy())


def order_log(seed: int, *, people: int, orders: int) -> list[dict]:
    """Orders over 2022 and 2023, by time: a first one of each customer, and later ones some weeks apart."""
    draw = np.random.default_rng(seed)
    last = dict(enumerate(draw.uniform(0, 690, people)[:orders]))
    days = list(last.items())
    while len(days) < orders:
        buyer = int(draw.integers(people))
        later = last[buyer] + draw.exponential(45)
        if later < 729.5:
            last[buyer] = later
            days.append((buyer, later))
    begin = datetime(2022, 1, 1)
    return [
        {
            "order_id": f"{4001 + place}",
            "customer_id": f"c{buyer:03d}",
            "ordered_at": begin + timedelta(minutes=round(day * 1440)),
            "cents": int(draw.integers(500, 9_500)),
        }
        for place, (day, buyer) in enumerate(sorted((day, buyer) for buyer, day in days))
    ]
