"""A study in; how its models fit this shop's orders and forecast those of its own past, and what follows, out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal, NamedTuple

import polars as pl

from cxsim.clv.diagnose import diagnose
from cxsim.clv.fit import fit, fit_spend
from cxsim.clv.forecast import fewest_draws, predict
from cxsim.clv.posterior import posterior
from cxsim.data.orders import Transactions
from cxsim.data.rfm import holdout, summarise
from cxsim.data.shop import Finding, gravity
from cxsim.errors import EstimationError
from cxsim.finance.economics import Economics
from cxsim.study.result import Study
from cxsim.study.scenario import Model
from cxsim.tables import COUNT, DAY, REAL, TEXT, Contract, table_of
from cxsim.wording import MODELS, NBSP, counted, figure, lowered, percent

Verdict = Literal["fits", "caution", "stop"]

# What a model that knew the orders up to `origin` expected of its customers up to `until`, and what came. window:
# `quarter`, or `whole`, from the first origin to the end. low, high: all intervals of a model together hold with a
# probability of 90 %. error: expected over actual less one, null where nothing came; result: held, missed, or far off.
BACKTEST = Contract(
    "BACKTEST",
    TEXT("model", "window"),
    DAY("origin", "until"),
    COUNT("customers"),
    REAL("expected", "low", "high"),
    COUNT("actual"),
    REAL("error"),
    TEXT("result"),
    REAL("expected_revenue", "actual_revenue", "revenue_error"),
    nullable=("error", "expected_revenue", "revenue_error"),
)
# What was found in the orders and in the fits, the gravest first; severity: stop, caution or note.
MODEL_FINDINGS = Contract("MODEL_FINDINGS", TEXT("about", "severity", "sentence", "advice"), REAL("figure"))

QUARTER_DAYS = 91
_QUARTER = timedelta(days=QUARTER_DAYS)
# A year, so that each season is looked at once.
_MOST_QUARTERS = 4
# Half a year: of less, few customers could have come back, and no model tells a slow customer from one who left.
_FEWEST_DAYS = 182
_LEVEL = 0.9
_QUARTERLY, _WHOLE = "quarter", "whole"
_HELD, _MISSED, _FAR = "held", "missed", "far off"
_ORDERS = "The orders"
# A single miss so many times as large as that of the sum says more than the sum.
_APART = 2.0
# From here on a share is written in whole percent.
_WHOLE_PERCENT = 0.01


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Evidence:
    """How the models of a study stand to the orders of its own shop.

    Attributes
    ----------
    verdict
        `fits`; `caution`: results can be off by more than their intervals say; `stop`: they rest on a model that does
        not describe this shop.
    finding
        The ground of the verdict in a few words, without a full stop.
    sentence
        What the models expected, what came, and what follows.
    inputs
        How many of the numbers that have a range are assumed.
    backtest
        One row per model and time of the past, under BACKTEST; none where no backtest is possible.
    findings
        What the orders cannot say, under MODEL_FINDINGS.
    """

    verdict: Verdict
    finding: str
    sentence: str
    inputs: str
    backtest: pl.DataFrame
    findings: pl.DataFrame

    def __repr__(self) -> str:
        return f"Evidence({self.verdict}: {self.sentence})"


class _Window(NamedTuple):
    origin: date
    until: date
    kind: str


# What a finding is about, and the finding.
_Found = tuple[str, Finding]


def evidence(study: Study) -> Evidence:
    """Return how the models of a study fit this shop's orders and forecast those of its own past.

    Each model is fitted again to the orders up to several days of the past; what it expected of the customers known by
    then is held against what they ordered.
    """
    windows, found = _windows(study), [*_of_orders(study), *_of_fits(study)]
    rows, failed = _backtested(study, windows)
    found = sorted([*found, *failed], key=lambda one: gravity(one[1]))
    table = table_of(rows, BACKTEST)
    verdict = _verdict(study, table, found)
    finding, sentence = _untested(study, windows) if table.is_empty() else _in_words(table, verdict)
    stops = [f"{about}: {_shortened(one.sentence)}" for about, one in found if one.severity == "stop"]
    uncertain = study.assumptions.filter(pl.col("low") < pl.col("high"))
    bare = uncertain.filter(evidence="assumed").height
    return Evidence(
        verdict=verdict,
        inputs=f"{figure(bare)} of {figure(uncertain.height)} assumptions rest on no published or measured value.",
        finding="; ".join([*stops, finding]),
        sentence=sentence,
        backtest=table,
        findings=table_of(
            ((about, one.severity, one.sentence, one.advice, one.figure) for about, one in found), MODEL_FINDINGS
        ),
    )


def _shortened(sentence: str) -> str:
    """Return what a finding says before it says why."""
    return sentence.split(":", maxsplit=1)[0].removesuffix(".")


def with_model_check(decision: pl.DataFrame, checked: Evidence) -> pl.DataFrame:
    """Return decisions, under DECISION, with what the check of the models on the shop's own orders says of them."""
    return decision.with_columns(model_check=pl.lit(checked.verdict), model_check_finding=pl.lit(checked.finding))


def _of_orders(study: Study) -> Iterator[_Found]:
    """Yield what was found in the orders that forbids their use; all else stands among the cautions."""
    findings = () if study.orders is None else study.orders.findings
    yield from ((_ORDERS, one) for one in findings if one.severity == "stop")


def _of_fits(study: Study) -> Iterator[_Found]:
    """Yield what the orders cannot say of each model, and what they cannot say of spend."""
    rfm, own = study.worlds.rfm, tuple[Finding, ...]()
    for purchases in study.purchases.values():
        own = diagnose(rfm, purchases).findings
        yield from ((purchases.title, one) for one in own)
    both = diagnose(rfm, purchases, study.spend).findings
    yield from ((study.spend.title, one) for one in both if one not in own)


def _windows(study: Study) -> list[_Window]:
    """Return the times that are forecast, the quarters first; none where orders span too few days."""
    end = study.scenario.observed_until
    origins = [end - _QUARTER * back for back in range(_MOST_QUARTERS, 0, -1)]
    known = [origin for origin in origins if (origin - _first_day(study)).days + 1 >= _FEWEST_DAYS]
    windows = [_Window(origin, origin + _QUARTER, _QUARTERLY) for origin in known]
    return [*windows, _Window(known[0], end, _WHOLE)] if len(known) > 1 else windows


def _first_day(study: Study) -> date:
    return study.scenario.observed_until - timedelta(days=int(study.worlds.rfm["age_days"].to_numpy().max()))


class _Known(NamedTuple):
    """The customers of one origin, what each of their orders is expected to bring, and what they did in each window."""

    rfm: pl.DataFrame
    per_order: pl.Series | None
    later: Mapping[_Window, pl.DataFrame]


def _backtested(study: Study, windows: Sequence[_Window]) -> tuple[list[dict[str, Any]], list[_Found]]:
    """Return what each model expected in each window beside what came, and of which origins it could not be asked."""
    orders, rows, failed = study.orders, list[dict[str, Any]](), list[_Found]()
    if orders is None:
        return rows, failed
    origins = list(dict.fromkeys(window.origin for window in windows))
    with ThreadPoolExecutor() as pool:
        asked = [
            (model, origin, pool.submit(_forecast, model, known, study.scenario.seed, len(windows)))
            for origin in origins
            for known in [_known(orders, [one for one in windows if one.origin == origin])]
            for model in study.purchases
        ]
        for model, origin, answer in asked:
            try:
                rows += [_with_result(row, study.scenario.economics) for row in answer.result()]
            except EstimationError as cause:
                failed.append((MODELS[model], _not_fitted(model, origin, cause)))
    place = {kind: number for number, kind in enumerate((_QUARTERLY, _WHOLE))}
    # The sort is stable: models stay in their order.
    rows.sort(key=lambda row: (place[row["window"]], row["origin"]))
    return rows, failed


def _known(orders: Transactions, windows: Sequence[_Window]) -> _Known:
    origin = windows[0].origin
    rfm = summarise(orders, until=origin)
    try:
        spend = fit_spend(rfm)
        per_order = spend.expected_spend(rfm)["expected_spend"] if spend.params.has_mean else None
    except EstimationError:
        per_order = None
    return _Known(rfm, per_order, {one: holdout(orders, after=origin, until=one.until) for one in windows})


def _forecast(model: Model, known: _Known, seed: int, forecasts: int) -> list[dict[str, Any]]:
    """Return what a model fitted at an origin expected in each window, with what came."""
    rfm = known.rfm
    # Bonferroni: each may miss a part of what all of them together may; as many draws as such an interval takes.
    level = 1.0 - (1.0 - _LEVEL) / forecasts
    params = posterior(fit(rfm, model=model), rfm, draws=fewest_draws(level), seed=seed)
    rows = []
    for window, later in known.later.items():
        days = (window.until - window.origin).days
        found = predict(rfm, params, days=days, level=level, seed=seed)
        expected, low, high = found.totals.filter(quantity="orders").select("mean", "low", "high").row(0)
        revenue = None if known.per_order is None else (found.customers["orders_mean"] * known.per_order).sum()
        rows.append(
            {
                "model": MODELS[model],
                "window": window.kind,
                "origin": window.origin,
                "until": window.until,
                "customers": rfm.height,
                "expected": expected,
                "low": low,
                "high": high,
                "actual": int(later["holdout_orders"].sum()),
                "expected_revenue": revenue,
                "actual_revenue": float(later["holdout_amount"].sum()),
            }
        )
    return rows


def _with_result(row: dict[str, Any], economics: Economics) -> dict[str, Any]:
    """Return a forecast with by how much it missed, and whether that is more than the shop allows."""
    error = _error(row["expected"], row["actual"])
    miss = _miss(row["expected"], row["actual"])
    allowed = economics.forecast_caution, economics.forecast_stop
    caution, stop = (0.0 if one is None else one.value for one in allowed)
    result = _FAR if miss > stop and None not in allowed else _MISSED
    if row["low"] <= row["actual"] <= row["high"] or miss <= caution:
        result = _HELD
    revenue = row["expected_revenue"]
    of_revenue = None if revenue is None else _error(revenue, row["actual_revenue"])
    return row | {"error": error, "result": result, "revenue_error": of_revenue}


def _error(expected: float, actual: float) -> float | None:
    return expected / actual - 1.0 if actual > 0.0 else None


def _not_fitted(model: Model, origin: date, cause: EstimationError) -> Finding:
    return Finding(
        "backtest",
        "caution",
        0.0,
        f"{MODELS[model]} could not be fitted to the orders up to {origin.isoformat()}: {cause}",
        "Its forecast from there is not tested.",
    )


def _verdict(study: Study, table: pl.DataFrame, found: Sequence[_Found]) -> Verdict:
    """Return the gravest of what all results rest on; of the models, which count equally, that of at least half."""
    stops = {about for about, one in found if one.severity == "stop"}
    if stops & {_ORDERS, study.spend.title}:
        return "stop"
    each = [
        "stop" if fitted.title in stops else _of_model(table.filter(model=MODELS[model]))
        for model, fitted in study.purchases.items()
    ]
    if 2 * each.count("stop") >= len(each):
        return "stop"
    return "fits" if each.count("fits") == len(each) else "caution"


def _of_model(rows: pl.DataFrame) -> Verdict:
    """Return what the forecasts of one model say of it."""
    quarters, whole = rows.filter(window=_QUARTERLY), rows.filter(window=_WHOLE)
    far = quarters.filter(result=_FAR).height
    if _FAR in whole["result"] or (far and 2 * far >= quarters.height):
        return "stop"
    return "fits" if rows.height and rows["result"].eq(_HELD).all() else "caution"


def _untested(study: Study, windows: Sequence[_Window]) -> tuple[str, str]:
    """Return why the models could not be tested on this shop's past: in a few words, and in full."""
    first, end = _first_day(study), study.scenario.observed_until
    why = (
        f"its orders span {figure((end - first).days + 1)} days, {first.isoformat()} to {end.isoformat()}, and a test "
        f"needs {_FEWEST_DAYS + QUARTER_DAYS}: {_FEWEST_DAYS} to fit a model and {QUARTER_DAYS} to compare its forecast"
    )
    if windows:
        why = "no model can be fitted to the first part of its orders"
    if study.orders is None:
        why = "its customers are known only by their totals, without the dates of their orders"
    sentence = f"The models cannot be tested on this shop's own past: {why}. Test before you fund."
    return "not tested on this shop's own past", sentence


def _in_words(table: pl.DataFrame, verdict: Verdict) -> tuple[str, str]:
    """Return what was expected and what came: in a few words, and in full with what follows."""
    models, quarters, whole = table["model"].n_unique(), table.filter(window=_QUARTERLY), table.filter(window=_WHOLE)
    count = quarters["origin"].n_unique()
    times = f"last {counted(count)} quarters" if count > 1 else "last quarter"
    who = f"the {counted(models)} models on average" if models > 1 else "the model"
    (expected, actual), at_once = _totals(quarters), _totals(whole)
    opening = (
        f"In this shop's {times}, {who} forecast {figure(expected)} repeat orders of the customers known at the start "
        f"of each; {figure(actual)} were observed ({_gap(expected, actual)})."
    )
    finding, miss = f"repeat orders in the {times} were forecast {_gap(expected, actual)}", _miss(expected, actual)
    parts = [opening]
    off = [_miss(*row) for row in table.filter(pl.col("result") != _HELD).select("expected", "actual").iter_rows()]
    one, mean = ("Forecasts", " on average") if models > 1 else ("A forecast", "")
    whole_of, were = f"{one} of all {counted(count)} quarters at once", "were" if mean else "was"
    if whole.height and whole["result"].ne(_HELD).any():
        parts.append(f"{whole_of}, made before them, {were} {_gap(*at_once)}{mean}.")
        if _miss(*at_once) > miss:
            finding, miss = f"{lowered(whole_of)} {were} {_gap(*at_once)}{mean}", _miss(*at_once)
    if count > 1 and off:
        # Rounded up, so that none was off by more.
        size = f"up to {math.ceil(100.0 * max(off))}{NBSP}%" if math.isfinite(max(off)) else "all orders forecast"
        parts.append(f"Individual forecasts of orders were off by {size}.")
        finding = finding if max(off) <= _APART * miss else f"individual forecasts of the {times} were off by {size}"
    earned = whole if whole.height else quarters
    money = earned.drop_nulls("expected_revenue").select(pl.col("expected_revenue", "actual_revenue").sum()).row(0)
    if any(money):
        which = f"{lowered(whole_of)} {were}" if whole.height else "these forecasts were"
        parts.append(f"For revenue, {which} {_gap(*money)}{mean}.")
    return finding, " ".join([*parts, _advice(table, verdict)])


def _totals(rows: pl.DataFrame) -> tuple[float, float]:
    """Return what the models expected on average in all windows together, and what came."""
    each = rows.group_by("origin", maintain_order=True).agg(pl.col("expected").mean(), pl.col("actual").first())
    return float(each["expected"].sum()), float(each["actual"].sum())


def _miss(expected: float, actual: float) -> float:
    """Return by which share of what came a forecast missed it; infinite where nothing came."""
    if actual > 0.0:
        return abs(expected / actual - 1.0)
    return math.inf if expected > 0.0 else 0.0


def _gap(expected: float, actual: float) -> str:
    """Return by how much a forecast was too low or too high."""
    miss = _miss(expected, actual)
    if not math.isfinite(miss):
        return "too high, as none was observed"
    if round(100.0 * miss) == 0:
        return "on target"
    return f"{_share(miss)} too {'low' if expected < actual else 'high'}"


def _share(miss: float) -> str:
    return percent(miss) if miss < _WHOLE_PERCENT else f"{figure(100.0 * miss)}{NBSP}%"


def _advice(table: pl.DataFrame, verdict: Verdict) -> str:
    """Return what follows for who decides."""
    if verdict == "fits":
        passes = "models pass" if table["model"].n_unique() > 1 else "model passes"
        return f"The {passes} the check on this shop's own orders."
    if verdict == "caution":
        return "Intervals of the results do not include forecast errors of this size."
    far = table.filter(result=_FAR)
    signs = set(far.select(pl.col("expected") < pl.col("actual")).to_series())
    bound = {(True,): "a lower bound", (False,): "an upper bound"}.get(tuple(signs), "an order of magnitude")
    treat = f"treat the forecast orders as {bound} and test" if far.height else "test"
    return f"The models fail on this shop's own orders: {treat} before you fund."
