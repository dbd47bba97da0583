"""Fits and scores of models in; which model to use, and what the comparison has to be read with, in sentences, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from cxsim.clv.likelihood import KINDS
from cxsim.clv.purchase_fit import PurchaseFit
from cxsim.wording import INTERVAL, NBSP, counted, figure, joined, number, percent

# Against less than this, a model is not dismissed.
UNSURE = 0.05
_CERTAIN = 0.995
# Mean chances of being alive that differ by more than this are no longer one answer.
_APART = 0.1


class Candidate(NamedTuple):
    """A model, with the chances that it describes customers and forecast what they did better than the best other."""

    name: str
    title: str
    fit: float = 0.5
    forecast: float = 0.5

    @property
    def keeps_one_time_buyers(self) -> bool:
        """Whether nobody leaves before a repeat order, so that all one-time buyers are taken for alive."""
        return not (KINDS[self.name].calendar or KINDS[self.name].leaves_after_first)


def choice(candidates: Sequence[Candidate]) -> Candidate:
    """Return the model to use."""
    # Of those that are not spoken against; of all if all are.
    left = [one for one in candidates if one.forecast >= UNSURE] or candidates
    left = [one for one in left if one.fit >= UNSURE] or left
    return max(left, key=lambda one: (not one.keeps_one_time_buyers, one.forecast, one.fit))


def fit_sentence(candidates: Sequence[Candidate], n_customers: int) -> str:
    """Return what the fit says of the models against each other."""
    best, *others = sorted(candidates, key=lambda one: -one.fit)
    customers = f"{figure(n_customers)} customers"
    if not others:
        return f"Only {best.title} was fitted, to {customers}."
    tied = [one.title for one in others if one.fit >= UNSURE]
    beaten = [one for one in others if one.fit < UNSURE]
    lost = joined([one.title for one in beaten])
    if not tied:
        return f"The data of {customers} favour {best.title} over {lost} (P{_p(best.fit)})."
    against = f"; they reject {lost} (P{_p(max(one.fit for one in beaten))})" if beaten else ""
    better = _better_one(best.title, best.fit)
    return f"The data of {customers} do not separate {best.title} from {joined(tied)} {better}{against}."


def forecast_sentence(candidates: Sequence[Candidate]) -> str:
    """Return which model forecast the orders of customers best, by the log score, and how sure that is."""
    best, *others = sorted(candidates, key=lambda one: -one.forecast)
    tied = [one.title for one in others if one.forecast >= UNSURE]
    sure = f"(P{_p(best.forecast)})"
    if tied:
        sure = f"but without a clear difference from {joined(tied)} {_better_one(best.title, best.forecast)}"
    best_of = f"{best.title} has the best log score"
    return f"{best_of}{',' if tied else ''} {sure}." if others else ""


def _better_one(title: str, chance: float) -> str:
    return f"(P{_p(chance)} that {title} is better)"


def advice(candidates: Sequence[Candidate], one_time_buyers: int) -> str:
    """Return which model to use and why."""
    chosen = choice(candidates)
    certain = [one.title for one in candidates if one.keeps_one_time_buyers]
    losers = [one for one in candidates if not one.keeps_one_time_buyers]
    if not certain or not one_time_buyers:
        return f"Use {chosen.title}."
    takes = (
        f"{joined(certain)} {'treats' if len(certain) == 1 else 'treat'} all {figure(one_time_buyers)} one-time buyers"
    )
    if not chosen.keeps_one_time_buyers:
        return f"Use {chosen.title}; {takes} as alive."
    others = f" and {choice(losers).title}" if losers else ", but not"
    return f"Use {chosen.title} for forecasts{others} for P(alive), because {takes} as alive."


def bias_sentence(models: pl.DataFrame, *, when: str) -> str:
    """Return by how much the models missed the total, not to be hidden."""
    biases = models.select("model", "orders_bias", "orders_bias_low", "orders_bias_high").rows()
    gaps = [gap for _, gap, _, _ in biases]
    opening = f"Customers placed {figure(models['observed_orders'][0])} orders {when}; "
    if len(biases) == 1:
        title, gap, low, high = biases[0]
        return f"{opening}{title} forecast {gap_in_words(gap)} ({INTERVAL}: {_between(low, high, 0)})."
    who = f"all {counted(len(biases))} models" if len(biases) > 2 else "both models"
    details = [f"{title} {gap_in_words(gap)} ({_between(low, high, 0)})" for title, gap, low, high in biases]
    sentence = f"{joined(details)}; {INTERVAL}s in brackets"
    return f"{opening}{who} forecast {_between(min(gaps), max(gaps), 1)}: {sentence}."


def gap_in_words(gap: float, decimals: int = 1, *, below: str = "fewer") -> str:
    """Return a bias as a share of what came, in words."""
    return f"{figure(100 * abs(gap), f'.{decimals}f')}{NBSP}% {below if gap < 0.0 else 'more'}"


def _between(low: float, high: float, decimals: int) -> str:
    """Return a range of gaps, the smaller one first where both have the same sign."""
    if low * high <= 0.0:
        return f"{gap_in_words(low, decimals)} to {gap_in_words(high, decimals)}"
    first, last = (gap_in_words(gap, decimals) for gap in sorted((low, high), key=abs))
    return last if first == last else f"{first.split(NBSP)[0]} to {last}"


def naive_rules(models: pl.DataFrame, rules: pl.DataFrame) -> str:
    """Return by how much naive rules missed the total, and whether any of them did better than the models."""

    def better(score: str, sign: int) -> str:
        best = pl.lit((sign * models[score]).max())
        return joined([f"“{title}”" for title in rules.filter(sign * pl.col(score) > best)["model"]])

    gaps = rules.select("model", "orders_bias").drop_nulls().rows()
    parts = [f"“{title}” forecasts {gap_in_words(gap, 0)}" for title, gap in gaps]
    nearer, orders = better("rmse", -1), better("gini", 1)
    errors = f"{nearer} had smaller errors (RMSE)" if nearer else "all had larger errors (RMSE)"
    ranks = f"; {orders} ranked customers by value better than any model (Gini)" if orders else ""
    return f"Rules of thumb: {joined(parts)}; {errors} than the best model{ranks}."


def spend_of_models(models: pl.DataFrame) -> str | None:
    """Return by how much the models missed what was spent; None if nothing was."""
    rows = models.select("model", "spend_bias").drop_nulls().rows()
    gaps = [f"{title} {gap_in_words(gap, below='less')}" for title, gap in rows]
    return f"Customers spent {number(models['observed_spend'][0])}; forecasts: {joined(gaps)}." if gaps else None


def intervals_of_totals(models: pl.DataFrame) -> str | None:
    """Return whose 95 % interval of the total did not hold; None if all did."""
    missed = models.filter(pl.col("total_coverage_95") < 1.0)["model"].to_list()
    if not missed:
        return None
    return (
        f"The observed total is outside the 95{NBSP}% interval of {joined(missed)}: the error exceeds chance and "
        "parameter uncertainty. Allow for model error beyond the intervals."
    )


def on_fits(fits: Mapping[str, PurchaseFit], rfm: pl.DataFrame) -> list[str]:
    """Return what fitted models have to be read with."""
    weak = [fit.title for fit in fits.values() if fit.basis != "likelihood"]
    found = []
    if weak:
        found.append(
            f"The likelihood of {joined(weak)} has no maximum; weak priors keep the estimates finite, so the "
            "comparison is approximate."
        )
    alive: dict[str, Any] = {fit.title: fit.prob_alive(rfm)["prob_alive"].mean() for fit in fits.values()}
    if max(alive.values()) - min(alive.values()) > _APART:
        sentence = joined([f"{percent(share)} by {title}" for title, share in alive.items()])
        found.append(
            f"The share of customers still active depends on the model: {sentence}. "
            "Do not classify customers as lapsed on the basis of one model."
        )
    return found


def _p(chance: float) -> str:
    if chance > _CERTAIN:
        return f" > {figure(0.99, '.2f')}"
    return f" < {figure(0.01, '.2f')}" if chance < 1.0 - _CERTAIN else f" = {figure(chance, '.2f')}"
