"""A study in; what it would be worth to know each number before deciding, ranked, out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.errors import ParamError, choices
from cxsim.finance.information import (
    STANDARD,
    Groups,
    Share,
    Surface,
    Worth,
    evpi,
    evppi_of_case,
    explained,
    groups,
    known,
    smallest_difference,
    surface,
)
from cxsim.finance.uncertainty import steady
from cxsim.strategies.strategy import Strategy
from cxsim.study.business.contracts import INFORMATION, SPLIT, TEST_PLAN
from cxsim.study.business.priors import FollowUp, Kind, PriorDraws, follow_up, luck, prior_draws
from cxsim.study.result import Study
from cxsim.tables import check, empty
from cxsim.wording import figure, money, percent

PORTFOLIO = "portfolio"
EVERYTHING, STRUCTURE = "everything", "structure"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Decision:
    """A choice among doing nothing and some arms."""

    name: str
    title: str
    arms: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Question:
    """What might be found out: the places of its numbers."""

    id: str
    description: str
    places: tuple[int, ...]


def information(study: Study, arms: Sequence[str] | None = None) -> pl.DataFrame:
    """Return what it would be worth to know each number, each group of them, or everything, before deciding."""
    among = study.scenario.arms[1:] if arms is None else tuple(arms)
    for name in among:
        if name not in study.scenario.arms[1:]:
            raise ParamError(f"no strategy or combination '{name}'; {choices(name, study.scenario.arms[1:])}")
    found = prior_draws(study)
    fitted = surface(found.npvs.mean(axis=0), found.drawn, found.relevant)
    rows: list[dict[str, object]] = []
    for decision in _decisions(found, study, among):
        rows += _rows(decision, found, fitted, study)
    return check(pl.DataFrame(rows, schema=empty(INFORMATION).schema), INFORMATION)


def responses_to(strategy: str) -> str:
    """Return the id of the group of numbers that say how customers respond to a strategy.

    >>> responses_to("points-programme")
    'effects of points-programme'
    """
    return f"effects of {strategy}"


def _decisions(found: PriorDraws, study: Study, among: Sequence[str]) -> Iterator[_Decision]:
    places = tuple(found.arms.index(name) for name in among)
    yield _Decision(name=PORTFOLIO, title="The choice among all", arms=places)
    for place in places:
        name = found.arms[place]
        yield _Decision(name=name, title=study.scenario.titles[name], arms=(place,))


def _rows(decision: _Decision, found: PriorDraws, fitted: Surface, study: Study) -> Iterator[dict[str, object]]:
    """Yield everything, the groups, and the numbers by what they are worth."""
    arms = list(decision.arms)
    npvs = np.concatenate([np.zeros_like(found.npvs[:, :, :1]), found.npvs[:, :, arms]], axis=2)
    everything = evpi(npvs.reshape(-1, npvs.shape[2]), worlds_per_draw=len(npvs))
    seed = study.scenario.seed
    mine = Surface(
        outputs=fitted.outputs[:, arms],
        columns=tuple(fitted.columns[arm] for arm in arms),
        fits=tuple(fitted.fits[arm] for arm in arms),
    )
    relevant = np.logical_or.reduce(found.relevant[arms], axis=0)
    groups = [(one, known(mine, one.places, seed=seed)) for one in _groups(found, relevant, study)]
    if len(npvs) > 1:
        question = _Question(id=STRUCTURE, description="Which model of orders and leaving holds", places=())
        groups.append((question, evppi_of_case(npvs, seed=seed)))
    single = [(one, known(mine, one.places, seed=seed)) for one in _numbers(found, relevant)]
    single.sort(key=lambda pair: (-pair[1].worth, -pair[1].mc_error, pair[0].id))
    whole = _Question(id=EVERYTHING, description="Everything, luck included", places=())
    ranked = [(whole, everything, 0), *((one, worth, 0) for one, worth in groups)]
    ranked += [(one, worth, rank) for rank, (one, worth) in enumerate(single, start=1)]
    for one, worth, rank in ranked:
        yield _row(decision, one, worth, rank) | {
            "share_of_everything": worth.worth / everything.worth if everything.worth > 0.0 else None
        }


def _row(decision: _Decision, question: _Question, worth: Worth, rank: int) -> dict[str, object]:
    return {
        "decision": decision.name,
        "title": decision.title,
        "id": question.id,
        "description": question.description,
        "worth": worth.worth,
        "mc_error": worth.mc_error,
        "rank": rank,
    }


def _groups(found: PriorDraws, relevant: npt.NDArray[np.bool_], study: Study) -> Iterator[_Question]:
    """Yield the groups of numbers that a decision depends on."""
    every = [(place, one) for place, one in enumerate(found.unknowns) if relevant[place]]
    wanted = []
    for strategy in study.scenario.strategies:
        mine = [(place, one.kind) for place, one in every if one.strategy == strategy.name]
        for kind, name, what in (
            ("responses", responses_to(strategy.name), "how many take part, and how they respond"),
            ("costs", f"costs of {strategy.name}", "what it costs"),
        ):
            wanted.append((name, f"{strategy.title}: {what}", [place for place, of in mine if of == kind]))
    for kind, name, what in (
        ("economics", "economics", "What an order earns and costs the shop"),
        ("behaviour", "behaviour", "How customers behave with and without any strategy"),
        ("models", "fitted models", "How often customers order, how long they stay and what they spend"),
    ):
        wanted.append((name, what, [place for place, one in every if one.kind == kind]))
    return (_Question(id=name, description=what, places=tuple(places)) for name, what, places in wanted if places)


def _numbers(found: PriorDraws, relevant: npt.NDArray[np.bool_]) -> Iterator[_Question]:
    """Yield the single numbers; a direction among the fitted models' parameters has no name of its own."""
    for place, one in enumerate(found.unknowns):
        if relevant[place] and one.kind != "models":
            yield _Question(id=one.id, description=one.description, places=(place,))


# A quarter, half a year and a year, in whole weeks.
DAYS = (91, 182, 364)
_FIRST_YEAR = 365.25


@dataclass(frozen=True, kw_only=True, slots=True)
class _Plan:
    """A test of one strategy that watches customers for so many days."""

    days: int
    mean: float
    sd: float
    difference: float
    per_group: int
    available: int
    weeks: float | None


def planned_tests(study: Study, information: pl.DataFrame) -> pl.DataFrame:
    """Return for each strategy the randomised test that would tell whether it pays.

    All customers who meet the strategy's condition take part, half of them without it, drawn by lot; those who are
    there at once, others as they come. What must be seen is the gain with which the strategy just pays: the share by
    which all that these customers bring within the horizon would have to rise for the present value of the rise to
    equal that of the outlay, of what one of them brings while watched. Since the outlay is spread over all of them
    and not over those who join, it is diluted as the gain is. For a strategy that spends nothing, the gain that is
    expected takes the outlay's place. Contributions vary as they do without the strategy, in one world with every
    number at its central value.
    """
    check(information, INFORMATION)
    seen = follow_up(study, DAYS)
    rows: list[dict[str, object]] = []
    with_prior = [one for one in study.scenario.strategies if one.mode == "prior"]
    for place, strategy in enumerate(with_prior):
        plans = list(_plans(seen, place, _to_pay(study, strategy)))
        best = min(plans, key=_order, default=None)
        rows += [
            _planned_tests_row(strategy, plan, information, study.currency) | {"chosen": plan is best} for plan in plans
        ]
    return check(pl.DataFrame(rows, schema=empty(TEST_PLAN).schema), TEST_PLAN)


def _order(plan: _Plan) -> tuple[bool, int]:
    """Sort the shortest that is feasible first, then what needs the fewest customers."""
    return (True, plan.per_group) if plan.weeks is None else (False, plan.days)


def _to_pay(study: Study, strategy: Strategy) -> float:
    """Return the present value that the strategy must bring."""
    returns = study.returns.filter(pl.col("strategy") == strategy.name).row(0, named=True)
    outlay = float(returns["outlay"])
    return outlay if outlay > 0.0 else abs(float(returns["incremental_npv"]))


def _plans(seen: FollowUp, place: int, to_pay: float) -> Iterator[_Plan]:
    reached = seen.reached[:, place]
    if to_pay == 0.0 or not reached.any():
        return
    worth = float(seen.worth[reached].sum())
    entered = np.sort(seen.entered[reached])
    available = int((entered < _FIRST_YEAR).sum())
    for days, brought in seen.within.items():
        sentence = brought[reached & np.isfinite(brought)]
        if len(sentence) < 2:
            continue
        mean, sd = float(sentence.mean()), float(sentence.std(ddof=1))
        # Customers who bring nothing have no share that could rise; then all must come back while they are watched.
        difference = to_pay / worth * mean if min(worth, mean) > 0.0 else to_pay / int(reached.sum())
        per_group = groups(sd, difference).first
        fits = 2 * per_group <= available
        yield _Plan(
            days=days,
            mean=mean,
            sd=sd,
            difference=difference,
            per_group=per_group,
            available=available,
            weeks=float(entered[2 * per_group - 1] + days) / 7.0 if fits else None,
        )


def _planned_tests_row(strategy: Strategy, plan: _Plan, information: pl.DataFrame, currency: str) -> dict[str, object]:
    name = responses_to(strategy.name)
    known = information.filter((pl.col("decision") == strategy.name) & (pl.col("id") == name))
    return {
        "strategy": strategy.name,
        "title": strategy.title,
        "id": name,
        "description": f"{strategy.title}: how many take part, and how they respond",
        "outcome": f"Contribution per customer within {plan.days} days",
        "watched_days": plan.days,
        "mean": plan.mean,
        "sd": plan.sd,
        "difference": plan.difference,
        "alpha": STANDARD.alpha,
        "power": STANDARD.power,
        "per_group": plan.per_group,
        "available": plan.available,
        "weeks": plan.weeks,
        "worth": float(known["worth"].sum()),
        "verdict": _verdict(plan, currency),
    }


def _verdict(plan: _Plan, currency: str) -> str:
    if plan.weeks is not None:
        return (
            f"Feasible: {figure(plan.per_group)} customers in each group, and the answer is known after "
            f"{figure(plan.weeks)} weeks."
        )
    needed = (
        f"Not feasible: each group needs {figure(plan.per_group)} customers, and {figure(plan.available)} could take "
        "part within a year"
    )
    half = plan.available // 2
    if half < 1:
        return f"{needed}."
    least = smallest_difference(plan.sd, Groups(first=half, second=half))
    share = f", {percent(least / plan.mean)} of what one brings in that time" if plan.mean > 0.0 else ""
    return (
        f"{needed}; the smallest gain that they could show is {money(least, currency)} a customer{share}, and "
        f"{money(plan.difference, currency)} would pay for the strategy."
    )


Numbers = npt.NDArray[np.float64]
# The parts that are regressed on what was drawn.
_REGRESSED: Mapping[str, tuple[Kind, ...]] = {
    "models": ("models",),
    "effects": ("responses", "costs", "behaviour", "stacking"),
    "economics": ("economics",),
}
_BOOTSTRAPS = 256


def split(study: Study) -> pl.DataFrame:
    """Return how much of the variance of each strategy's NPV is the work of which ignorance.

    The variance is that over all worlds, the models of leaving counting evenly: the mean variance within them, and
    that of their means less what the draws add to it. Fitted models, effects and economics are shares explained by
    one regression of the mean over models of leaving; luck is played again; `together` is the rest: what only shows
    in combination, and what the regression did not see. Its error takes those of the others for independent.
    """
    known = prior_draws(study)
    fitted = surface(known.npvs.mean(axis=0), known.drawn, known.relevant)
    lucks = luck(study)
    rows: list[dict[str, object]] = []
    for arm, name in enumerate(known.arms):
        worlds = known.npvs[:, :, arm]
        total = _total(worlds)
        within = float(worlds.mean(axis=0).var(ddof=1))
        parts = {
            part: _of_total(explained(fitted, known.places(kinds), output=arm, seed=study.scenario.seed), within, total)
            for part, kinds in _REGRESSED.items()
        }
        parts["structure"] = _structure(worlds, study.scenario.seed)
        parts["luck"] = _of_total(_relative(lucks.variances[arm], lucks.mc_errors[arm]), 1.0, total)
        rows += _splitting_rows(name, study.scenario.titles[name], parts, total)
    return check(pl.DataFrame(rows, schema=empty(SPLIT).schema), SPLIT)


def _splitting_rows(name: str, title: str, parts: Mapping[str, Share], total: float) -> list[dict[str, object]]:
    sentence = {part: Share(share=steady(one.share), mc_error=steady(one.mc_error)) for part, one in parts.items()}
    rest = Share(
        share=1.0 - math.fsum(one.share for one in sentence.values()),
        mc_error=math.sqrt(math.fsum(one.mc_error**2 for one in sentence.values())),
    )
    return [
        {
            "strategy": name,
            "title": title,
            "part": part,
            "share": one.share,
            "mc_error": one.mc_error,
            "sd": steady(math.sqrt(max(one.share, 0.0) * total)),
        }
        for part, one in (*sentence.items(), ("together", rest))
    ]


def _relative(variance: float, error: float) -> Share:
    return Share(share=float(variance), mc_error=float(error))


def _of_total(share: Share, of: float, total: float) -> Share:
    """Return a share of a part of the variance as a share of all of it; nothing varies where that is 0."""
    scale = of / total if total > 0.0 else 0.0
    return Share(share=share.share * scale, mc_error=share.mc_error * scale)


def _total(worlds: Numbers) -> float:
    """Return the variance over all worlds of a table (structures, draws)."""
    even = np.full((1, worlds.shape[1]), 1.0 / worlds.shape[1])
    within, between = _variances(worlds, even)
    return float(within[0] + between[0])


def _structure(worlds: Numbers, seed: int) -> Share:
    """Return the share of the variance of the structures' means, with its error over draws."""
    structures, draws = worlds.shape
    if structures == 1:
        return Share(share=0.0, mc_error=0.0)
    luck = np.random.Generator(np.random.PCG64(seed)).standard_exponential((_BOOTSTRAPS, draws))
    weights = np.vstack([np.full((1, draws), 1.0 / draws), luck / luck.sum(axis=1, keepdims=True)])
    within, between = _variances(worlds, weights)
    total = within + between
    shares = np.divide(between, total, out=np.zeros_like(total), where=total > 0.0)
    return Share(share=float(shares[0]), mc_error=float(shares[1:].std(ddof=1)))


def _variances(worlds: Numbers, weights: Numbers) -> tuple[Numbers, Numbers]:
    """Return the mean variance within the structures, and the variance of their means without what draws add to it."""
    draws = worlds.shape[1]
    means = weights @ worlds.T
    within = (weights @ np.square(worlds).T - np.square(means)).mean(axis=1) * draws / (draws - 1)
    apart = worlds - worlds.mean(axis=0)
    moved = weights @ apart.T
    noise = (weights @ np.square(apart).T - np.square(moved)).mean(axis=1) / (draws - 1)
    return within, np.square(moved).mean(axis=1) - noise
