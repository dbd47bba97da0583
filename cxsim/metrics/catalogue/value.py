"""The metrics of what a customer brings in a fixed time after the first order."""

from __future__ import annotations

from cxsim.metrics.life_views import WINDOWS
from cxsim.metrics.metric import Metric


def _spend(days: int) -> Metric:
    return Metric(
        name=f"ltv_{days}",
        title=f"Spent within {days} days",
        family="Value of a customer",
        definition=f"What new customers spend in the {days} days from their first order on, which counts.",
        numerator=f"Amounts of their orders within {days} days",
        denominator=f"Customers whose first order was {days} days ago",
        unit="money",
        direction="higher",
        window=f"Customers whose {days} days ended in the period, so that all had equally long.",
        scale="0 and up",
        pitfalls="Revenue, not profit; the past, not a forecast; before refunds.",
        variant="Revenue of a time over customers, which mixes old and new ones and grows with the age of the shop.",
        kind="mean",
        view=f"after_{days}",
        over="spend",
        per="customers",
        factor=0.01,
        needs=("orders.customer_id",),
    )


def _margin(days: int) -> Metric:
    return Metric(
        name=f"margin_{days}",
        title=f"Contribution within {days} days",
        family="Value of a customer",
        definition=f"What is left of the orders of new customers in their first {days} days, after goods and sending.",
        numerator=f"Amounts less cost of their orders within {days} days",
        denominator=f"Customers whose first order was {days} days ago",
        unit="money",
        direction="higher",
        window=f"Customers whose {days} days ended in the period, so that all had equally long.",
        scale="Any",
        pitfalls="Before returns, support and marketing. An order whose cost is not known counts as costing nothing.",
        variant="Revenue instead of contribution, beside which every cost of acquisition looks small.",
        kind="mean",
        view=f"after_{days}",
        over="margin",
        per="customers",
        factor=0.01,
        needs=("orders.customer_id", "orders.cost"),
    )


VALUE = (*(_spend(days) for days in WINDOWS), *(_margin(days) for days in WINDOWS))
