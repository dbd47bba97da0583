"""Rows of a Shopify orders export, written as Shopify writes them."""

from __future__ import annotations

import csv
from pathlib import Path

from cxsim.data.exports.shopify import COLUMNS

EXPORTS = Path(__file__).parent / "exports"


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


def write(path: Path, rows: list[dict[str, str]], columns: tuple[str, ...] = COLUMNS) -> Path:
    """Write rows under a header."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path
