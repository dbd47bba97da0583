"""The exports of a shop of three customers, and the scenario of a small one, written into a folder."""

from __future__ import annotations

from pathlib import Path

ORDERS = """\
order_id,customer_id,ordered_at,amount
1,ana,2024-01-02 10:00,20.00
2,bo,2024-01-03 11:00,40.00
3,ana,2024-01-09 09:00,30.00
4,cy,2024-01-10 09:00,60.00
5,bo,2024-01-22 09:00,80.00
"""
TICKETS = """\
ticket_id,customer_id,created_at,first_response_at,resolved_at
t1,ana,2024-01-03 10:00,2024-01-03 12:00,2024-01-20 12:00
t2,bo,2024-01-10 10:00,,
"""
SCENARIO = """\
title: A small shop
description: Forty new customers of a record shop over three months.
orders: cdnow-sample
observed_until: 1998-06-30
economics: cdnow-service
behaviour: online-shop
strategies: [self-service]
existing_customers: none
new_customers:
  per_month: 20
  months: 2
horizon_months: 3
draws: 2
seed: 7
"""


def exports_of_three(beside: Path) -> Path:
    """Write a folder with orders and tickets of three customers."""
    made = beside / "my-shop"
    made.mkdir()
    (made / "orders.csv").write_text(ORDERS, encoding="utf-8")
    (made / "tickets.csv").write_text(TICKETS, encoding="utf-8")
    return made


def small_scenario(beside: Path, **changed: str) -> Path:
    """Write the file of a scenario with service and surveys, some of whose texts are others."""
    text = SCENARIO
    for key, value in changed.items():
        (line,) = (one for one in SCENARIO.splitlines() if one.startswith(f"{key}:"))
        text = text.replace(line, f"{key}: {value}")
    path = beside / "small.yaml"
    path.write_text(text, encoding="utf-8")
    return path
