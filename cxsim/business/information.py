"""A study in; what it would be worth to know each number before deciding, ranked, out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.business.ignorance import Ignorance, ignorance
from cxsim.business_tables import INFORMATION
from cxsim.errors import ParamError, choices
from cxsim.study import Study
from cxsim.tables import check, empty
from cxsim.uncertainty import Surface, Worth, evpi, evppi_of_case, known, surface

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
    found = ignorance(study)
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


def _decisions(found: Ignorance, study: Study, among: Sequence[str]) -> Iterator[_Decision]:
    places = tuple(found.arms.index(name) for name in among)
    yield _Decision(name=PORTFOLIO, title="The choice among all", arms=places)
    for place in places:
        name = found.arms[place]
        yield _Decision(name=name, title=study.scenario.titles[name], arms=(place,))


def _rows(decision: _Decision, found: Ignorance, fitted: Surface, study: Study) -> Iterator[dict[str, object]]:
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


def _groups(found: Ignorance, relevant: npt.NDArray[np.bool_], study: Study) -> Iterator[_Question]:
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


def _numbers(found: Ignorance, relevant: npt.NDArray[np.bool_]) -> Iterator[_Question]:
    """Yield the single numbers; a direction among the fitted models' parameters has no name of its own."""
    for place, one in enumerate(found.unknowns):
        if relevant[place] and one.kind != "models":
            yield _Question(id=one.id, description=one.description, places=(place,))
