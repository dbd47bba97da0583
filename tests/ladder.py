"""A month of a made-up profit and loss statement: what one strategy changes in each line of the ladder."""

from __future__ import annotations

# Support and acquisition have no entry. Each subtotal is the sum of all accounts above it.
CHANGES = {
    "gross sales": 5_000.0,
    "markdown": -400.0,
    "net revenue": 4_600.0,
    "cost of goods": -2_500.0,
    "contribution margin 1": 2_100.0,
    "payment fees": -100.0,
    "pick, pack and ship": -350.0,
    "support": 0.0,
    "contribution margin 2": 1_650.0,
    "rewards": -250.0,
    "points still outstanding": -50.0,
    "acquisition": 0.0,
    "contribution margin 3": 1_350.0,
    "programme cost": -600.0,
    "cash contribution": 750.0,
}
