"""Scores of models and naive rules, or fits and their customers, in; findings out, one sentence each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from cxsim.appraisal.evidence import bias_sentence, gap_in_words
from cxsim.estimation import PurchaseFit
from cxsim.wording import NBSP, joined, number, percent

# Mean chances of being alive that differ by more than this are no longer one answer.
_APART = 0.1


def bias_of_models(table: pl.DataFrame, models: Sequence[str], *, when: str) -> str:
    """Return by how much the models missed the total."""
    rows = table.filter(pl.col("name").is_in(models))
    biases = rows.select("model", "orders_bias", "orders_bias_low", "orders_bias_high").rows()
    return bias_sentence(biases, came=float(rows["observed_orders"][0]), when=when)


def naive_rules(table: pl.DataFrame, models: Sequence[str]) -> str:
    """Return by how much naive rules missed the total, and whether any of them did better than the models."""
    rules = table.filter(~pl.col("name").is_in(models))
    parts = [f"“{title}” expected {gap_in_words(gap, 0)}" for title, gap in _gaps(rules)]
    better = _better(table, models, "rmse", -1)
    orders = _better(table, models, "gini", 1)
    errors = f"{_quoted(better)} had smaller errors (RMSE)" if better else "all had larger errors (RMSE)"
    ranks = f"; {_quoted(orders)} ordered customers by value better than any model (Gini)" if orders else ""
    return f"Naive rules: {joined(parts)}; {errors} than the best model{ranks}."


def spend_of_models(table: pl.DataFrame, models: Sequence[str]) -> str | None:
    """Return by how much the models missed what was spent; None if nothing was."""
    rows = table.filter(pl.col("name").is_in(models))
    gaps = rows["spend_bias"].drop_nulls().to_list()
    if not gaps:
        return None
    told = [f"{_spent(gap)} by {title}" for title, gap in zip(rows["model"], gaps, strict=True)]
    return f"Customers spent {number(rows['observed_spend'][0])}; expected was {joined(told)}."


def intervals_of_totals(table: pl.DataFrame, models: Sequence[str]) -> str | None:
    """Return whose 95 % interval of the total did not hold; None if all did."""
    missed = table.filter(pl.col("name").is_in(models) & (pl.col("total_coverage_95") < 1.0))["model"].to_list()
    if not missed:
        return None
    return (
        f"The 95{NBSP}% interval of {joined(missed)} did not hold the total that came: it missed by more than chance "
        "and what is unknown of the parameters. Leave room for that beyond the intervals."
    )


def on_fits(fits: Mapping[str, PurchaseFit], rfm: pl.DataFrame) -> list[str]:
    """Return what fitted models have to be read with."""
    weak = [fit.title for fit in fits.values() if fit.basis != "likelihood"]
    found = []
    if weak:
        found.append(
            f"The likelihood of {joined(weak)} has no top; weak priors hold the estimates, so the comparison is rough."
        )
    alive = {fit.title: float(fit.prob_alive(rfm)["prob_alive"].mean()) for fit in fits.values()}  # type: ignore[arg-type]
    if max(alive.values()) - min(alive.values()) > _APART:
        told = joined([f"{percent(share)} by {title}" for title, share in alive.items()])
        found.append(
            f"How many customers are still alive hangs on the model: {told}. Call nobody lost on the word of one model."
        )
    return found


def _better(table: pl.DataFrame, models: Sequence[str], score: str, sign: int) -> list[str]:
    """Return the naive rules whose score beats that of all models; `sign` is 1 where larger is better."""
    is_model, scaled = pl.col("name").is_in(models), sign * pl.col(score)
    best = table.filter(is_model).select(scaled.max()).item()
    return [] if best is None else table.filter(~is_model & (scaled > best))["model"].to_list()


def _quoted(titles: Sequence[str]) -> str:
    return joined([f"“{title}”" for title in titles])


def _spent(gap: float) -> str:
    return f"{100 * abs(gap):.1f}{NBSP}% {'less' if gap < 0.0 else 'more'}"


def _gaps(rows: pl.DataFrame) -> list[tuple[str, float]]:
    return [(title, gap) for title, gap in rows.select("model", "orders_bias").iter_rows() if gap is not None]
