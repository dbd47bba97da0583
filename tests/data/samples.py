"""Rows of exports, written as Shopify writes them, and rows read as one format, whatever their header says."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl

from cxsim.data.exports.formats import Export, Format, Readout, formats
from cxsim.data.exports.hooks import reader_of
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
        "Id": number,
        "Requester id": "10300000000001",
        "Requester email": "Ana@Example.com",
        "Tags": "",
        "Status": "Solved",
        "Via": "Mail",
        "Created at": "2024-03-01 09:00",
        "Updated at": "2024-03-02 09:00",
        "Satisfaction Score": "Not Offered",
        "Reopens": "0",
        "Replies": "1",
        "First reply time in minutes": "60",
        "Full resolution time in minutes": "600",
    }
    return row | {name.replace("_", " "): cell for name, cell in cells.items()}


def freshdesk(number: str = "1", **cells: str) -> dict[str, str]:
    """Row of a Freshdesk export: a ticket that was resolved."""
    row = {
        "Ticket ID": number,
        "Status": "Resolved",
        "Source": "Email",
        "Created time": "2024-03-01 09:00:00",
        "Resolved time": "2024-03-01 19:00:00",
        "Closed time": "",
        "Last update time": "2024-03-02 09:00:00",
        "Initial response time": "2024-03-01 10:00:00",
        "First response time (in hrs)": "00:15:00",
        "Resolution time (in hrs)": "",
        "Agent interactions": "1",
        "Survey results": "",
        "Email": "Ana@Example.com",
    }
    return row | {name.replace("_", " "): cell for name, cell in cells.items()}


def write(path: Path, rows: list[dict[str, str]], columns: tuple[str, ...] = COLUMNS) -> Path:
    """Write rows under a header."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def read_as(title: str, rows: pl.LazyFrame, file: str = "file.csv") -> Readout:
    """Read rows by the format of a name."""
    form = format_of(title)
    return reader_of(form)(Export(file=file, rows=rows), form, Policy())
