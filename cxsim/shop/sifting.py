"""Rows and rules go in; the rows that stay, and a count for each rule, come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from cxsim.shop.receipt import Action, ReceiptLine


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Rule:
    """Rows that a receipt tells of.

    Attributes
    ----------
    reason
        What is noticed, in words.
    action
        `dropped`, or `kept` all the same.
    where
        Whether a row is one of them; null is no.
    """

    reason: str
    action: Action
    where: pl.Expr


def sift(rows: pl.DataFrame, rules: Sequence[Rule]) -> tuple[pl.DataFrame, tuple[ReceiptLine, ...]]:
    """Return the rows that no rule drops, and a line for each rule in turn.

    A row is dropped for the first rule that holds; a rule that keeps its rows counts those that are still there.
    """
    lines = []
    for rule in rules:
        noticed = rule.where.fill_null(value=False)
        count = rows.select(noticed.sum()).item()
        lines.append(ReceiptLine(reason=rule.reason, action=rule.action, rows=count))
        if rule.action == "dropped" and count:
            rows = rows.filter(~noticed)
    return rows, tuple(lines)
