"""Fits and scores of models in; which model to use, and what the comparison has to be read with, in sentences, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from cxsim.clv.likelihood import KINDS
from cxsim.clv.purchase_fit import PurchaseFit
from cxsim.clv.validation.scoring import Verdict
from cxsim.wording import INTERVAL, NBSP, counted, figure, joined, number, percent

# Against less than this, a model is not dismissed.
UNSURE = 0.05
_CERTAIN = 0.995
# Mean chances of being alive that differ by more than this are no longer one answer.
_APART = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A model, and how well it describes customers and forecast what they did later, against the best of the others."""

    name: str
    title: str
    fit: Verdict | None = None
    forecast: Verdict | None = None

    @property
    def keeps_one_time_buyers(self) -> bool:
        """Whether nobody leaves before a repeat order, so that all one-time buyers are taken for alive."""
        return not (KINDS[self.name].calendar or KINDS[self.name].leaves_after_first)


def choice(candidates: Sequence[Candidate]) -> Candidate:
    """Return the model to use."""
    left = _kept([(one, one.forecast) for one in candidates])
    left = _kept([(one, one.fit) for one in left])
    return max(left, key=lambda one: (not one.keeps_one_time_buyers, _chance(one.forecast), _chance(one.fit)))


def fit_sentence(candidates: Sequence[Candidate], n_customers: int) -> str:
    """Return what the fit says of the models against each other."""
    best, *others = sorted(candidates, key=lambda one: -_chance(one.fit))
    if not others:
        return f"{best.title} alone was fitted to {figure(n_customers)} customers."
    tied = [one.title for one in others if _chance(one.fit) >= UNSURE]
    beaten = [one for one in others if _chance(one.fit) < UNSURE]
    if not tied:
        against = joined([one.title for one in others])
        return f"{figure(n_customers)} customers speak for {best.title} against {against} (P{_p(_chance(best.fit))})."
    text = (
        f"{figure(n_customers)} customers cannot tell {best.title} from {joined(tied)} (P{_p(_chance(best.fit))} that "
        f"{best.title} is the better one)"
    )
    if beaten:
        most = max(_chance(one.fit) for one in beaten)
        text += f"; they speak against {joined([one.title for one in beaten])} (P{_p(most)})"
    return f"{text}."


def forecast_sentence(candidates: Sequence[Candidate]) -> str:
    """Return which model forecast the orders of customers best, by the log score, and how sure that is."""
    best, *others = sorted(candidates, key=lambda one: -_chance(one.forecast))
    if not others:
        return ""
    tied = [one.title for one in others if _chance(one.forecast) >= UNSURE]
    if tied:
        return (
            f"By the log score {best.title} forecast customers' orders best, but that may be chance against "
            f"{joined(tied)} (P{_p(_chance(best.forecast))} that {best.title} is the better one)."
        )
    return f"By the log score {best.title} forecast customers' orders best (P{_p(_chance(best.forecast))})."


def advice(candidates: Sequence[Candidate], one_time_buyers: int) -> str:
    """Return which model to use and why."""
    chosen = choice(candidates)
    certain = [one.title for one in candidates if one.keeps_one_time_buyers]
    losers = [one for one in candidates if not one.keeps_one_time_buyers]
    verb = "takes" if len(certain) == 1 else "take"
    takes = f"{joined(certain)} {verb} all {figure(one_time_buyers)} one-time buyers for alive"
    if not certain or not one_time_buyers:
        return f"Use {chosen.title}."
    if not chosen.keeps_one_time_buyers:
        return f"Use {chosen.title}; {takes}."
    if losers:
        return f"Use {chosen.title} for forecasts, but ask {choice(losers).title} who is still alive, for {takes}."
    return f"Use {chosen.title} for forecasts, but do not ask it who is still alive, for {takes}."


def bias_sentence(table: pl.DataFrame, models: Sequence[str], *, when: str) -> str:
    """Return by how much the models missed the total, not to be hidden."""
    rows = table.filter(pl.col("name").is_in(models))
    biases = rows.select("model", "orders_bias", "orders_bias_low", "orders_bias_high").rows()
    gaps = [gap for _, gap, _, _ in biases]
    opening = f"{figure(rows['observed_orders'][0])} orders came {when}; "
    if len(biases) == 1:
        title, gap, low, high = biases[0]
        return f"{opening}{title} expected {gap_in_words(gap)} ({INTERVAL}: {_between(low, high, 0)})."
    who = f"all {counted(len(biases))} models" if len(biases) > 2 else "both models"
    details = [f"{title} {gap_in_words(gap)} ({_between(low, high, 0)})" for title, gap, low, high in biases]
    sentence = f"{joined(details)}; in brackets, the {INTERVAL}s that they gave"
    return f"{opening}{who} expected {_between(min(gaps), max(gaps), 1)}: {sentence}."


def gap_in_words(gap: float, decimals: int = 1) -> str:
    r"""Return a bias as a share of what came, in words."""
    return f"{figure(100 * abs(gap), f'.{decimals}f')}{NBSP}% {'fewer' if gap < 0.0 else 'more'}"


def _between(low: float, high: float, decimals: int) -> str:
    """Return a range of gaps, the smaller one first where both have the same sign."""
    if low * high <= 0.0:
        return f"{gap_in_words(low, decimals)} to {gap_in_words(high, decimals)}"
    less, more = sorted((low, high), key=abs)
    first, last = (gap_in_words(gap, decimals) for gap in (less, more))
    return last if first == last else f"{first.split(NBSP)[0]} to {last}"


def naive_rules(table: pl.DataFrame, models: Sequence[str]) -> str:
    """Return by how much naive rules missed the total, and whether any of them did better than the models."""
    rules = table.filter(~pl.col("name").is_in(models))
    gaps = rules.select("model", "orders_bias").drop_nulls().rows()
    parts = [f"“{title}” expected {gap_in_words(gap, 0)}" for title, gap in gaps]
    better = _better(table, models, "rmse", -1)
    orders = _better(table, models, "gini", 1)
    errors = f"{better} had smaller errors (RMSE)" if better else "all had larger errors (RMSE)"
    ranks = f"; {orders} ordered customers by value better than any model (Gini)" if orders else ""
    return f"Naive rules: {joined(parts)}; {errors} than the best model{ranks}."


def spend_of_models(table: pl.DataFrame, models: Sequence[str]) -> str | None:
    """Return by how much the models missed what was spent; None if nothing was."""
    rows = table.filter(pl.col("name").is_in(models))
    gaps = rows["spend_bias"].drop_nulls().to_list()
    if not gaps:
        return None
    sentence = [
        f"{figure(100 * abs(gap), '.1f')}{NBSP}% {'less' if gap < 0.0 else 'more'} by {title}"
        for title, gap in zip(rows["model"], gaps, strict=True)
    ]
    return f"Customers spent {number(rows['observed_spend'][0])}; expected was {joined(sentence)}."


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
            f"The likelihood of {joined(weak)} has no maximum; weak priors hold the estimates, so the comparison is "
            "rough."
        )
    alive = {fit.title: float(fit.prob_alive(rfm)["prob_alive"].mean()) for fit in fits.values()}  # type: ignore[arg-type]
    if max(alive.values()) - min(alive.values()) > _APART:
        sentence = joined([f"{percent(share)} by {title}" for title, share in alive.items()])
        found.append(
            f"How many customers are still alive hangs on the model: {sentence}. "
            "Call nobody lost on the word of one model."
        )
    return found


def _better(table: pl.DataFrame, models: Sequence[str], score: str, sign: int) -> str:
    """Return the naive rules whose score beats that of all models; `sign` is 1 where larger is better."""
    is_model, scaled = pl.col("name").is_in(models), sign * pl.col(score)
    best = table.filter(is_model).select(scaled.max()).item()
    better = [] if best is None else table.filter(~is_model & (scaled > best))["model"].to_list()
    return joined([f"“{title}”" for title in better])


def _kept(rated: Sequence[tuple[Candidate, Verdict | None]]) -> list[Candidate]:
    """Return those that are not spoken against; all if all are."""
    kept = [one for one, verdict in rated if verdict is None or verdict.prob_better >= UNSURE]
    return kept or [one for one, _ in rated]


def _chance(verdict: Verdict | None) -> float:
    return 0.5 if verdict is None else verdict.prob_better


def _p(chance: float) -> str:
    if chance > _CERTAIN:
        return f" > {figure(0.99, '.2f')}"
    return f" < {figure(0.01, '.2f')}" if chance < 1.0 - _CERTAIN else f" = {figure(chance, '.2f')}"
