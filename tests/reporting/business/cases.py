"""Made-up tables of a business case, small enough to check by eye; they keep their contracts."""

from __future__ import annotations

from datetime import date
from itertools import product
from typing import Any

import numpy as np
import polars as pl

from cxsim.finance.statement import FAN
from cxsim.study.business.information import INFORMATION, SPLIT
from cxsim.study.business.pathways import PATHWAYS
from cxsim.study.business.portfolio import PORTFOLIO
from cxsim.study.business.sensitivity import HEAT, TORNADO
from cxsim.tables import Contract, empty

STRATEGIES = {
    "free-shipping": "Free shipping from a threshold on",
    "points": "Points programme",
    "coupon": "Win-back coupon",
}
# Assumption, description, unit, central value, 10 % and 90 % quantile; the base case's NPV at both quantiles.
_MOVED = {
    "free-shipping": (
        41_000.0,
        ("rate", "Order rate, against before.", "ratio", 1.05, 1.008, 1.11, 2_300.0, 98_000.0),
        (
            "subsidy",
            "Share of the orders that were above the threshold already.",
            "share",
            0.4,
            0.25,
            0.58,
            66_000.0,
            17_000.0,
        ),
        ("margin", "What is left of a sale after the cost of goods.", "share", 0.42, 0.38, 0.46, 29_000.0, 54_000.0),
        (
            "basket",
            "Value of an order just below the threshold, against before, for things are added to reach it.",
            "ratio",
            1.04,
            1.0,
            1.09,
            24_000.0,
            47_000.0,
        ),
        (
            "delivery",
            "Picking, packing and shipping one order, less what the customer pays for it.",
            "money per order",
            2.5,
            1.95,
            3.15,
            50_500.0,
            33_000.0,
        ),
        ("setup", "Setting up the offer.", "money", 800.0, 480.0, 1_330.0, 41_320.0, 40_470.0),
    ),
    "points": (
        6_100.0,
        (
            "leaving",
            "Members' chance of leaving against what it would be; read from a published rise in lifetime value.",
            "ratio",
            0.85,
            0.74,
            0.97,
            27_500.0,
            -14_000.0,
        ),
        ("redeemed", "Share of points that is ever redeemed.", "share", 0.7, 0.55, 0.83, 10_800.0, 1_300.0),
        ("licence", "Software licence.", "money per month", 250.0, 170.0, 400.0, 8_900.0, 1_200.0),
        (
            "delay",
            "Days until everyone is included, from the first day on which customers can see the programme.",
            "days",
            90.0,
            55.0,
            150.0,
            7_700.0,
            4_100.0,
        ),
    ),
    "coupon": (
        -9_500.0,
        (
            "use",
            "Share of the orders while it is valid that use it, including those that would have come anyway.",
            "share",
            0.4,
            0.24,
            0.57,
            -4_000.0,
            -15_100.0,
        ),
        (
            "lift",
            "Order rate of customers still there while the coupon is valid.",
            "ratio",
            1.11,
            1.0,
            1.23,
            -12_200.0,
            -6_600.0,
        ),
    ),
}
PARTS = ("models", "effects", "economics", "structure", "sampling", "together")


def _under(rows: list[dict[str, Any]], contract: Contract) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=empty(contract).schema)


def fan() -> pl.DataFrame:
    """Three years: ahead for sure and back in month 14; open and back in month 29; behind for sure, never back."""
    spread = {"q05": -1.64, "q10": -1.28, "q25": -0.67, "q50": -0.1, "q75": 0.67, "q90": 1.28, "q95": 1.64}
    rows = []
    for (name, title), (start, step, sd) in zip(
        STRATEGIES.items(),
        ((-20_000.0, 1_540.0, 350.0), (-15_000.0, 540.0, 420.0), (-3_000.0, -200.0, 90.0)),
        strict=True,
    ):
        for month in range(36):
            mean = start + step * month
            quantiles = {key: mean + score * sd * (month + 2) for key, score in spread.items()}
            ends_on = date(2025 + month // 12, month % 12 + 1, 28)
            rows.append(
                {"strategy": name, "title": title, "month": month, "ends_on": ends_on, "mean": mean, **quantiles}
            )
    return _under(rows, FAN)


def tornado() -> pl.DataFrame:
    """One assumption alone can turn the sign of the second strategy, and none that of the others."""
    rows = []
    for name, (base, *moved) in _MOVED.items():
        for rank, (key, description, unit, value, low, high, at_low, at_high) in enumerate(moved, start=1):
            rows.append(
                {
                    "strategy": name,
                    "title": STRATEGIES[name],
                    "id": f"strategies/{name}/{key}",
                    "belongs_to": STRATEGIES[name],
                    "description": description,
                    "unit": unit,
                    "value": value,
                    "at_low": low,
                    "at_high": high,
                    "npv_base": base,
                    "npv_at_low": at_low,
                    "npv_at_high": at_high,
                    "swing": abs(at_high - at_low),
                    "mc_error": 250.0,
                    "method": "simulated",
                    "rank": rank,
                }
            )
    return _under(rows, TORNADO)


def heat() -> pl.DataFrame:
    """Five by five nodes for two strategies, five by one for the third; NPV is a plane over each grid."""
    axes = {
        "free-shipping": (
            ("Order rate, against before", "ratio", (0.98, 1.02, 1.05, 1.1, 1.16)),
            ("Share of the orders that were above the threshold already", "share", (0.2, 0.3, 0.4, 0.5, 0.65)),
            (-0.35, 28.0, -13.0),
        ),
        "points": (
            ("Members' chance of leaving against what it would be", "ratio", (0.7, 0.78, 0.85, 0.93, 1.0)),
            ("Software licence", "money per month", (150.0, 200.0, 250.0, 350.0, 500.0)),
            (3.1, -11.2, -2.9),
        ),
        "coupon": (
            ("Share of the orders that use it", "share", (0.2, 0.3, 0.4, 0.5, 0.65)),
            ("", "", (0.0,)),
            (-9.5, -3.1, 0.0),
        ),
    }
    rows = []
    for name, ((x_words, x_unit, xs), (y_words, y_unit, ys), (centre, by_x, by_y)) in axes.items():
        for (i, x), (j, y) in product(enumerate(xs), enumerate(ys)):
            npv = 1_000.0 * (centre + by_x * (i - 2) + by_y * (j - len(ys) // 2))
            rows.append(
                {
                    "strategy": name,
                    "title": STRATEGIES[name],
                    "x_id": "x",
                    "x_description": x_words,
                    "x_unit": x_unit,
                    "y_id": "y" if y_words else "",
                    "y_description": y_words,
                    "y_unit": y_unit,
                    "x": x,
                    "y": y,
                    "npv": npv,
                }
            )
    return _under(rows, HEAT)


def pathways() -> pl.DataFrame:
    """Of each strategy, parts that add up to the base case, and what uncertainty adds to it."""
    parts = {
        "free-shipping": (
            (
                ("Customers order more often", 52_400.0),
                ("Larger baskets", 18_300.0),
                ("Fewer customers leave", 6_100.0),
                ("Fewer questions to support", 900.0),
                ("Delivery given to those who would have bought anyway", -24_700.0),
                ("More is sent back", -5_200.0),
                ("Setting up and running it", -6_800.0),
            ),
            -1_900.0,
        ),
        "points": (
            (
                ("Fewer customers leave", 31_000.0),
                ("Customers order more often", 4_200.0),
                ("Points that are redeemed", -14_100.0),
                ("Setting up and running it", -15_000.0),
            ),
            1_400.0,
        ),
        "coupon": (
            (
                ("Customers come back", 7_600.0),
                ("Money off for those who would have bought anyway", -11_900.0),
                ("Orders brought forward", -2_800.0),
                ("Setting up and running it", -2_400.0),
            ),
            0.0,
        ),
    }
    rows = []
    for name, (own, uncertainty) in parts.items():
        base = sum(amount for _, amount in own)
        steps = [
            *((label, "gives" if amount > 0.0 else "takes", amount) for label, amount in own),
            ("Base case", "base", base),
            ("What uncertainty adds", "uncertainty", uncertainty),
            ("Mean over all draws", "mean", base + uncertainty),
        ]
        for step, (label, kind, amount) in enumerate(steps, start=1):
            rows.append(
                {
                    "strategy": name,
                    "title": STRATEGIES[name],
                    "step": step,
                    "pathway": label.lower().replace(" ", "_"),
                    "label": label,
                    "kind": kind,
                    "amount": amount,
                    "mc_error": 120.0,
                }
            )
    return _under(rows, PATHWAYS)


def portfolio() -> pl.DataFrame:
    """All eight sets of three strategies, the best first: three efficient, and one that the budget does not allow."""
    sets = [
        # members, investment, npv, cvar, efficient, affordable, chosen
        ((), 0.0, 0.0, 0.0, True, True, False),
        (("free-shipping",), 121_000.0, 41_200.0, -1_900.0, True, True, False),
        (("points",), 64_200.0, 6_100.0, -24_000.0, False, True, False),
        (("coupon",), 18_700.0, -9_500.0, -15_800.0, False, True, False),
        (("free-shipping", "points"), 184_000.0, 44_900.0, -17_500.0, True, True, True),
        (("free-shipping", "coupon"), 139_000.0, 32_300.0, -12_100.0, False, True, False),
        (("points", "coupon"), 82_600.0, -3_800.0, -31_000.0, False, True, False),
        (("free-shipping", "points", "coupon"), 202_000.0, 36_200.0, -27_700.0, False, False, False),
    ]
    rows = []
    for members, investment, npv, cvar, efficient, affordable, chosen in sorted(sets, key=lambda one: -one[2]):
        sd = 0.6 * (npv - cvar)
        rows.append(
            {
                "name": "+".join(members) or "nothing",
                "title": " + ".join(STRATEGIES[name] for name in members) or "No programme",
                "members": ", ".join(members),
                "investment": investment,
                "npv": npv,
                "npv_mc_error": sd / 14.0,
                "low": npv - 1.64 * sd,
                "high": npv + 1.64 * sd,
                "prob_npv_positive": 0.5,
                "prob_mc_error": 0.03,
                "cvar": cvar,
                "roi": npv / investment if investment else None,
                "payback_months": None,
                "payback_months_late": None,
                "interaction": 0.0,
                "gap": 44_900.0 - npv,
                "gap_mc_error": 0.0 if chosen else 900.0,
                "efficient": efficient,
                "affordable": affordable,
                "chosen": chosen,
                "draws": 200,
                "place": list(STRATEGIES).index(members[0]) if len(members) == 1 else None,
            }
        )
    return _under(rows, PORTFOLIO)


def information() -> pl.DataFrame:
    """For the portfolio: two numbers worth learning, four hardly, two groups; for single strategies: one or none."""
    worth = (
        ("everything", "Everything, chance included", 8_420.0),
        ("costs of points", "Points programme: What it costs", 420.0),
        ("responses to points", "Points programme: How many take part, and how they respond", 5_720.0),
        (
            "strategies/points/leaving",
            "Members' chance of leaving against what it would be without the programme.",
            5_310.0,
        ),
        ("strategies/free-shipping/rate", "Order rate, against before.", 1_240.0),
        ("economics/margin", "What is left of a sale after the cost of goods.", 310.0),
        ("strategies/points/redeemed", "Share of points that is ever redeemed.", 60.0),
        (
            "strategies/coupon/use",
            "Share of the orders while it is valid that use it, including those that would have come anyway.",
            0.0,
        ),
        ("strategies/coupon/rate", "Order rate, against before.", 0.0),
    )
    decisions = {
        "portfolio": ("Choosing among all sets", worth),
        "free-shipping": (
            STRATEGIES["free-shipping"],
            (
                ("everything", "Everything, chance included", 0.0),
                ("strategies/free-shipping/rate", "Order rate, against before.", 0.0),
            ),
        ),
        "points": (STRATEGIES["points"], (worth[0], worth[3])),
    }
    rows = []
    for decision, (title, learnt) in decisions.items():
        whole = learnt[0][2]
        numbers = [key for key, *_ in learnt if "/" in key]
        for key, description, value in learnt:
            rows.append(
                {
                    "decision": decision,
                    "title": title,
                    "id": key,
                    "description": description,
                    "worth": value,
                    "mc_error": 20.0 + 0.05 * value,
                    "share_of_everything": value / whole if whole else None,
                    "rank": numbers.index(key) + 1 if key in numbers else 0,
                }
            )
    return _under(rows, INFORMATION)


def split() -> pl.DataFrame:
    """Effects lead for two strategies and prices for one; a part may be nothing."""
    shares = {
        "free-shipping": (0.06, 0.58, 0.2, 0.05, 0.02, 0.09),
        "points": (0.12, 0.64, 0.08, 0.11, 0.01, 0.04),
        "coupon": (0.03, 0.33, 0.52, 0.0, 0.09, 0.03),
    }
    rows = [
        {
            "strategy": name,
            "title": STRATEGIES[name],
            "part": part,
            "share": share,
            "mc_error": 0.01,
            "sd": 20_000.0 * float(np.sqrt(share)),
        }
        for name, own in shares.items()
        for part, share in zip(PARTS, own, strict=True)
    ]
    return _under(rows, SPLIT)
