"""Trials with the forecasts that were made for them in; tables of how these held, over all trials, out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import gammaln, pdtr, pdtrik, xlogy

from cxsim.clv.fit import fit_spend
from cxsim.clv.forecast import Prediction, predict
from cxsim.clv.likelihood import KINDS, Model, kind_of
from cxsim.clv.models.gamma_gamma import GammaGammaParams
from cxsim.clv.models.purchases import PurchaseParams
from cxsim.clv.posterior import Posterior, posterior
from cxsim.clv.purchase_fit import PurchaseFit
from cxsim.clv.spend_fit import GammaGammaFit
from cxsim.clv.terms import LEVELS, RANGE, Forecast, Interval, Trial
from cxsim.clv.terms import FloatArray as TrialFloatArray
from cxsim.clv.validation.scoring import TENTHS, by_frequency, randomised_pit, scored, tenths, value_by_decile
from cxsim.clv.values import chances_of
from cxsim.errors import EstimationError
from cxsim.rng import stream
from cxsim.wording import INTERVAL, NBSP, counted, figure, joined, number, percent

FloatArray = NDArray[np.float64]

# Log probabilities are computed to about 1e-12; models closer than this say the same.
_SAME = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What the same customers say of one model against another.

    Attributes
    ----------
    z
        Difference of the log probabilities in standard errors; above 0 if it speaks for the model.
    prob_better
        Probability that the model is nearer the truth than the other one, 0.5 where customers cannot tell.
    """

    z: float
    prob_better: float


def verdict(first: FloatArray, second: FloatArray, *, more_params: float = 0.0) -> Verdict:
    """Weigh one model against another by the log probabilities they gave to what the same customers did.

    Vuong (1989), "Likelihood Ratio Tests for Model Selection and Non-Nested Hypotheses", Econometrica 57, 307-333.
    """
    difference = first - second
    difference = np.where(np.abs(difference) < _SAME, 0.0, difference)
    total = float(difference.sum()) - more_params
    spread = float(difference.std(ddof=1)) * math.sqrt(difference.size)
    if not difference.any():
        return Verdict(z=0.0, prob_better=0.5)
    if spread == 0.0:
        return Verdict(z=math.copysign(math.inf, total), prob_better=1.0 if total > 0.0 else 0.0)
    return Verdict(z=total / spread, prob_better=NormalDist().cdf(total / spread))


def against_best(log_probs: Sequence[FloatArray], n_params: Sequence[float] | None = None) -> list[Verdict | None]:
    """Weigh each model against the best of the others."""
    sizes = [0.0] * len(log_probs) if n_params is None else list(n_params)
    totals = [float(found.sum()) - size for found, size in zip(log_probs, sizes, strict=True)]
    verdicts: list[Verdict | None] = []
    for place, found in enumerate(log_probs):
        others = [other for other in range(len(log_probs)) if other != place]
        if not others:
            return [None]
        rival = max(others, key=lambda other: totals[other])
        verdicts.append(verdict(found, log_probs[rival], more_params=sizes[place] - sizes[rival]))
    return verdicts


def akaike_weights(aic: Sequence[float]) -> list[float]:
    """Return the weight of evidence for each model, which sum to 1.

    Burnham & Anderson (2002), "Model Selection and Multimodel Inference", section 2.9.
    """
    best = min(aic)
    likely = [math.exp(-0.5 * (one - best)) for one in aic]
    return [one / sum(likely) for one in likely]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Judged:
    """A trial and all forecasts that were made for it, the same ones in the same order in each trial.

    Attributes
    ----------
    trial
        Customers at an origin and what came of them.
    forecasts
        What was expected of them.
    """

    trial: Trial
    forecasts: tuple[Forecast, ...]


def scores_of(judged: Judged) -> pl.DataFrame:
    """Return one row of scores per forecast, under FORECAST_SCORES."""
    return pl.concat([scored(judged.trial, forecast) for forecast in judged.forecasts])


def calibration_of(judged: Sequence[Judged]) -> pl.DataFrame:
    """Return observed and expected orders by class of past frequency; see `calibration.by_frequency`."""
    rows = pl.concat(
        [
            one.trial.rfm.select(
                "customer_id",
                "frequency",
                pl.Series("orders", one.trial.orders),
                *(pl.Series(forecast.name, forecast.orders) for forecast in one.forecasts),
            )
            for one in judged
        ]
    )
    return by_frequency(rows, {forecast.name: forecast.title for forecast in judged[0].forecasts})


def deciles_of(judged: Sequence[Judged]) -> pl.DataFrame:
    """Return predicted and realised spend by tenths of the customers, added up over trials."""
    rows = [
        value_by_decile(forecast.spend, one.trial.amount).with_columns(
            model=pl.lit(forecast.title), name=pl.lit(forecast.name)
        )
        for one in judged
        for forecast in one.forecasts
    ]
    realised = pl.col("realised")
    total = realised.sum().over("name")
    return (
        pl.concat(rows)
        .group_by("name", "decile", maintain_order=True)
        .agg(pl.col("model").first(), pl.col("customers", "predicted", "realised").sum())
        .with_columns(captured=pl.when(total > 0.0).then(realised.cum_sum().over("name") / total))
        .select("model", "name", "decile", "customers", "predicted", "realised", "captured")
    )


def places_of(judged: Sequence[Judged], *, seed: int) -> pl.DataFrame:
    """Return where in their foretold distributions the counts that came lie."""
    tables = []
    for place, forecast in enumerate(judged[0].forecasts):
        found = [
            _places(one.forecasts[place], stream(seed, number, "place in the foretold distribution"))
            for number, one in enumerate(judged)
        ]
        share = tenths(np.concatenate(found))
        tables.append(
            pl.DataFrame(
                {"model": forecast.title, "name": forecast.name, "tenth": range(1, TENTHS + 1), "share": share}
            )
        )
    return pl.concat(tables)


def forecast_verdicts(judged: Sequence[Judged], names: Sequence[str]) -> dict[str, Verdict | None]:
    """Return how well each model foretold the orders of customers against the best of the other models."""
    customers = pl.concat([one.trial.rfm["customer_id"] for one in judged])
    person = customers.rank("dense").cast(pl.Int64).to_numpy() - 1
    said = {
        name: np.concatenate([found.log_probs for one in judged for found in one.forecasts if found.name == name])
        for name in names
    }
    verdicts = against_best([_by_person(person, said[name]) for name in names])
    return dict(zip(names, verdicts, strict=True))


def _by_person(person: NDArray[np.int64], log_probs: TrialFloatArray) -> TrialFloatArray:
    return np.asarray(np.bincount(person, weights=log_probs), dtype=np.float64)


def _places(forecast: Forecast, luck: np.random.Generator) -> TrialFloatArray:
    at = np.exp(forecast.log_probs)
    return randomised_pit(forecast.below, at, luck.random(at.size))


def own_rate(trial: Trial) -> Forecast:
    """Expect that all go on at the rate they had: repeat orders over age; nothing of one-time buyers."""
    return _poisson(trial, "own_rate", "Own rate goes on", trial.days * _own_rates(trial.rfm))


def shop_rate(trial: Trial) -> Forecast:
    """Expect the same of everyone: all repeat orders over all days at risk."""
    frequency, age = (float(trial.rfm[name].sum()) for name in ("frequency", "age_days"))
    rate = frequency / age if age > 0.0 else 0.0
    return _poisson(trial, "shop_rate", "Everyone alike", np.full(trial.orders.size, trial.days * rate))


def recent_past(trial: Trial, before: pl.DataFrame) -> Forecast:
    """Expect that each repeats the repeat orders of the last `days` before the origin."""
    earlier = before.select("customer_id", earlier="frequency")
    since = trial.rfm.join(earlier, on="customer_id", how="left", maintain_order="left").select(
        pl.col("frequency") - pl.col("earlier").fill_null(0)
    )
    orders = since["frequency"].cast(pl.Float64).to_numpy()
    return _poisson(trial, "recent_past", "Recent past repeats", orders)


def mean_spend(rfm: pl.DataFrame) -> FloatArray:
    """Return what an order is naively worth: each customer's own mean, the shop's for those without repeat orders."""
    own = rfm["monetary_value"].fill_null(float("nan")).to_numpy()
    known = ~np.isnan(own)
    frequency = rfm["frequency"].to_numpy()[known]
    orders = int(frequency.sum())
    shop = float((frequency * own[known]).sum()) / orders if orders else 0.0
    return np.where(known, own, shop)


def _own_rates(rfm: pl.DataFrame) -> FloatArray:
    frequency, age = (pl.col(name).cast(pl.Float64) for name in ("frequency", "age_days"))
    return rfm.select(pl.when(frequency > 0.0).then(frequency / age).otherwise(0.0)).to_series().to_numpy()


def _poisson(trial: Trial, name: str, title: str, mean: FloatArray) -> Forecast:
    log_probs = xlogy(trial.orders, mean) - mean - gammaln(trial.orders + 1.0)
    below = np.where(trial.orders > 0.0, pdtr(np.maximum(trial.orders - 1.0, 0.0), mean), 0.0)
    return Forecast(
        name=name,
        title=title,
        orders=mean,
        spend=mean * mean_spend(trial.rfm),
        log_probs=np.asarray(log_probs),
        below=below,
        intervals=tuple(_interval(level, mean) for level in LEVELS),
        orders_range=_total_ends(RANGE, mean),
    )


def _interval(level: float, mean: FloatArray) -> Interval:
    total_low, total_high = _total_ends(level, mean)
    low, high = _ends(level, mean)
    return Interval(level=level, low=low, high=high, total_low=total_low, total_high=total_high)


def _total_ends(level: float, mean: FloatArray) -> tuple[float, float]:
    low, high = _ends(level, np.array([mean.sum()]))
    return float(low[0]), float(high[0])


def _ends(level: float, mean: FloatArray) -> tuple[FloatArray, FloatArray]:
    return _quantile(0.5 - 0.5 * level, mean), _quantile(0.5 + 0.5 * level, mean)


def _quantile(chance: float, mean: FloatArray) -> FloatArray:
    """Return the smallest count that a Poisson variable does not exceed with a chance of at least `chance`."""
    means, place = np.unique(mean, return_inverse=True)
    found = np.ceil(pdtrik(chance, means))
    one_less = np.maximum(found - 1.0, 0.0)
    return np.asarray(np.where(pdtr(one_less, means) >= chance, one_less, found)[place])


MODELS: tuple[Model, ...] = ("bgnbd", "mbgnbd", "paretonbd")


def require_models(models: Sequence[Model]) -> None:
    """Refuse names of models that cannot all be fitted and told apart."""
    if isinstance(models, str) or not models:
        raise EstimationError(f'models must be a tuple of at least one name, as ("bgnbd", "mbgnbd"); found {models!r}.')
    for model in models:
        kind_of(model)
    if len(set(models)) < len(models):
        raise EstimationError(f"models names a model twice; found {', '.join(models)}.")


def with_verdicts(table: pl.DataFrame, verdicts: Mapping[str, Verdict | None], suffix: str = "") -> pl.DataFrame:
    """Return `table`, which has a column name, with columns z and prob_better; null where there is no verdict."""
    found = [verdicts.get(name) for name in table["name"]]
    z = [None if one is None else one.z for one in found]
    chance = [None if one is None else one.prob_better for one in found]
    return table.with_columns(
        pl.Series(f"z{suffix}", z, dtype=pl.Float64), pl.Series(f"prob_better{suffix}", chance, dtype=pl.Float64)
    )


Params = TypeVar("Params", PurchaseParams, GammaGammaParams)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SpendOutlook:
    """What the orders of the customers of a trial are expected to be worth.

    Attributes
    ----------
    per_order
        Expected spend per order of each customer; shape (n,).
    draws
        Drawn parameters of Gamma-Gamma for intervals of spend; None where they cannot be had.
    finding
        Why Gamma-Gamma was not used and each customer's own mean was; None if it was.
    """

    per_order: TrialFloatArray
    draws: list[GammaGammaParams] | None
    finding: str | None = None


def spend_outlook(rfm: pl.DataFrame, spend: GammaGammaFit | None, *, draws: int, seed: int) -> SpendOutlook:
    """Return what orders are expected to be worth, by Gamma-Gamma where customers allow it."""
    try:
        found = fit_spend(rfm) if spend is None else spend
    except EstimationError as error:
        return SpendOutlook(per_order=mean_spend(rfm), draws=None, finding=str(error))
    if found.params.q <= 1.0:
        why = f"Gamma-Gamma: mean spend is infinite at the fitted q of {figure(found.params.q, '.3g')}; it needs q > 1."
        return SpendOutlook(per_order=mean_spend(rfm), draws=None, finding=why)
    params = _drawn(posterior(found, rfm, draws=draws, seed=seed))
    return SpendOutlook(
        per_order=found.expected_spend(rfm)["expected_spend"].to_numpy(),
        draws=params if min(one.q for one in params) > 1.0 else None,
    )


def model_forecast(fit: PurchaseFit, trial: Trial, outlook: SpendOutlook, *, draws: int, seed: int) -> Forecast:
    """Return what a fitted model expects of the customers of a trial."""
    orders = fit.expected_purchases(trial.rfm, trial.days)["expected_purchases"].to_numpy()
    at, below = chances_of(fit.params, trial)
    params = _drawn(posterior(fit, trial.rfm, draws=draws, seed=seed))
    found = [predict(trial.rfm, params, outlook.draws, days=trial.days, level=level, seed=seed) for level in LEVELS]
    by_draw = found[0].totals_by_draw
    return Forecast(
        name=fit.model,
        title=fit.title,
        orders=orders,
        spend=orders * outlook.per_order,
        log_probs=np.log(at),
        below=below,
        intervals=tuple(_model_forecast_interval(one) for one in found),
        orders_range=_range(by_draw["orders"]),
        spend_range=_range(by_draw["value"]) if outlook.draws else None,
    )


def _model_forecast_interval(found: Prediction) -> Interval:
    totals = {row["quantity"]: row for row in found.totals.iter_rows(named=True)}
    return Interval(
        level=found.level,
        low=found.customers["orders_low"].cast(pl.Float64).to_numpy(),
        high=found.customers["orders_high"].cast(pl.Float64).to_numpy(),
        total_low=float(totals["orders"]["low"]),
        total_high=float(totals["orders"]["high"]),
    )


def _range(totals: pl.Series) -> tuple[float, float]:
    """Return the ends of the interval that holds with probability RANGE, whatever the number of draws."""
    # A share of 0.05 is a hair below in floating point, and a whole number of draws must not fall with it.
    rank = math.floor((totals.len() + 1) * 0.5 * (1.0 - RANGE) + 1e-9) - 1
    ordered = totals.cast(pl.Float64).sort().to_list()
    return ordered[max(rank, 0)], ordered[min(-1 - rank, -1)]


def _drawn(found: Posterior[Params]) -> list[Params]:
    return [found.params(number) for number in range(len(found))]


# Against less than this, a model is not dismissed.
UNSURE = 0.05
_CERTAIN = 0.995


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A model and what speaks for it.

    Attributes
    ----------
    name, title
        As in `fit(model=...)`, and for readers.
    fit
        How well it describes the customers it was fitted to, against the best of the others; None if not asked.
    forecast
        How well it foretold what they did later.
    """

    name: str
    title: str
    fit: Verdict | None = None
    forecast: Verdict | None = None

    @property
    def keeps_one_time_buyers(self) -> bool:
        """Whether nobody leaves before a repeat order, so that all one-time buyers are taken for alive."""
        kind = KINDS[self.name]
        return "a" in kind.names and not kind.leaves_after_first


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
    said = (
        f"{figure(n_customers)} customers cannot tell {best.title} from {joined(tied)} (P{_p(_chance(best.fit))} that "
        f"{best.title} is the better one)"
    )
    if beaten:
        most = max(_chance(one.fit) for one in beaten)
        said += f"; they speak against {joined([one.title for one in beaten])} (P{_p(most)})"
    return f"{said}."


def forecast_sentence(candidates: Sequence[Candidate]) -> str:
    """Return which model foretold the orders of customers best, by the log score, and how sure that is."""
    best, *others = sorted(candidates, key=lambda one: -_chance(one.forecast))
    if not others:
        return ""
    tied = [one.title for one in others if _chance(one.forecast) >= UNSURE]
    if tied:
        return (
            f"By the log score {best.title} foretold customers' orders best, but that may be chance against "
            f"{joined(tied)} (P{_p(_chance(best.forecast))} that {best.title} is the better one)."
        )
    return f"By the log score {best.title} foretold customers' orders best (P{_p(_chance(best.forecast))})."


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


def bias_sentence(biases: Sequence[tuple[str, float, float, float]], *, came: float, when: str) -> str:
    """Return by how much models missed the total, not to be hidden."""
    gaps = [gap for _, gap, _, _ in biases]
    opening = f"{figure(came)} orders came {when}; "
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


def _kept(rated: Sequence[tuple[Candidate, Verdict | None]]) -> list[Candidate]:
    """Return those that are not spoken against; all if all are."""
    kept = [one for one, verdict in rated if verdict is None or verdict.prob_better >= UNSURE]
    return kept or [one for one, _ in rated]


def _chance(verdict: Verdict | None) -> float:
    return 0.5 if verdict is None else verdict.prob_better


def _p(chance: float) -> str:
    if chance > _CERTAIN:
        return f" > {figure(0.99, '.2f')}"
    if chance < 1.0 - _CERTAIN:
        return f" < {figure(0.01, '.2f')}"
    return f" = {figure(chance, '.2f')}"


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
    sentence = [f"{_spent(gap)} by {title}" for title, gap in zip(rows["model"], gaps, strict=True)]
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
            f"The likelihood of {joined(weak)} has no top; weak priors hold the estimates, so the comparison is rough."
        )
    alive = {fit.title: float(fit.prob_alive(rfm)["prob_alive"].mean()) for fit in fits.values()}  # type: ignore[arg-type]
    if max(alive.values()) - min(alive.values()) > _APART:
        sentence = joined([f"{percent(share)} by {title}" for title, share in alive.items()])
        found.append(
            f"How many customers are still alive hangs on the model: {sentence}. "
            "Call nobody lost on the word of one model."
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
    return f"{figure(100 * abs(gap), '.1f')}{NBSP}% {'less' if gap < 0.0 else 'more'}"


def _gaps(rows: pl.DataFrame) -> list[tuple[str, float]]:
    return [(title, gap) for title, gap in rows.select("model", "orders_bias").iter_rows() if gap is not None]
