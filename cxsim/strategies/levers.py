"""A lever as data: what it moves, what it costs, its priors, and on what evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cxsim.errors import ParamError, choices
from cxsim.library import LEVERS_FILE, names, shown
from cxsim.params import BY_TYPE, LIST, TEXT, Quantity, Unit, entries, entries_of, source_names
from cxsim.strategies.strategy import CostKind, Strategy

Pathway = Literal[
    "acquisition",
    "purchase_rate",
    "dropout",
    "basket",
    "margin",
    "returns",
    "service",
    "referral",
    "satisfaction",
    "forward_buying",
    "reference_price",
]
PATHWAYS: dict[Pathway, str] = {
    "acquisition": "Visitors who become customers: first orders.",
    "purchase_rate": "Orders per period while a customer is active.",
    "dropout": "How soon customers drop out for good; later dropout is a gain.",
    "basket": "The value of an order.",
    "margin": "Order value after cost of goods, fees and discounts.",
    "returns": "How much is returned; less is a gain.",
    "service": "How often customers need support, and its cost; less is a gain.",
    "referral": "New customers referred by existing customers.",
    "satisfaction": "Customers' attitude to the shop, which may later affect all of the above.",
    "forward_buying": "Orders brought forward that would have come later at full price.",
    "reference_price": "The price that customers come to expect.",
}
Direction = Literal["gain", "harm", "both"]
EffectKind = Literal[
    "purchase_rate",
    "dropout",
    "basket",
    "markdown",
    "coupon",
    "points",
    "status",
    "incidents",
    "tickets",
    "resolution",
    "recovery",
    "satisfaction",
    "returns",
    "contacts",
    "reactivation",
    "referral",
    "membership",
    "acquisition",
]
BREAK_EVEN: Literal["break-even only"] = "break-even only"
# The value of a unit at which a lever changes nothing.
NO_EFFECT: dict[Unit, float] = {Unit.RATIO: 1.0, Unit.ELASTICITY: 0.0}


@dataclass(frozen=True, kw_only=True, slots=True)
class Prior:
    """The prior of one effect of a lever, before a shop has measured it.

    Attributes
    ----------
    effect
        Kind of effect of the simulator that it belongs to.
    unit
        What the number is measured in.
    value
        The central value.
    range
        Low and high: the 5 % and the 95 % quantile of the prior.
    evidence
        `published` elsewhere, or `assumed`.
    note
        What the number compares, and how it was read from the evidence.
    source
        Identifier in params/sources.yaml; required if published.
    """

    effect: EffectKind
    unit: Unit
    value: float
    range: tuple[float, float]
    evidence: Literal["published", "assumed"]
    note: str
    source: str | None = None

    def __post_init__(self) -> None:
        _ = self.quantity
        if not self.note.strip():
            raise ParamError("note: empty; say what the number compares, and how it was read from the evidence.")

    @property
    def quantity(self) -> Quantity:
        """Return the same as a quantity, which a strategy can hold."""
        return Quantity(
            description=self.note,
            unit=self.unit,
            value=self.value,
            range=self.range,
            evidence=self.evidence,
            source=self.source,
        )

    @property
    def reaches_no_effect(self) -> bool:
        """Tell whether the range holds the value at which nothing changes."""
        low, high = self.range
        return self.unit in NO_EFFECT and low <= NO_EFFECT[self.unit] <= high


@dataclass(frozen=True, kw_only=True, slots=True)
class Lever:
    """Something that a shop can do for its customers.

    Attributes
    ----------
    name
        Name in plain words.
    description
        What customers experience, and why it should work.
    also
        Other names by which people look for it.
    pathways
        What it moves, and whether that is a gain to the shop, a harm, or either.
    cost_shape
        Kinds of cost that it has.
    guides
        Founding guide pages that name it.
    evidence
        Identifiers in params/sources.yaml.
    grade
        The best evidence for this lever's effect on money, on the scale of `cxsim.params.Source`.
    verdict
        What the evidence says, in a sentence or two.
    prior
        Its effects before a shop has measured them; or `break-even only` where no number can be defended.
    harms
        What is known to go wrong.
    strategies
        Files under params/strategies that play it.
    """

    name: str
    description: str
    also: tuple[str, ...]
    pathways: Mapping[Pathway, Direction]
    cost_shape: tuple[CostKind, ...]
    guides: tuple[Literal["000", "001", "002", "003", "004"], ...]
    evidence: tuple[str, ...]
    grade: Literal["A", "B", "C", "D", "E"]
    verdict: str
    prior: Annotated[
        Annotated[Literal["break-even only"], TEXT] | Annotated[tuple[Prior, ...], LIST],
        BY_TYPE,
    ]
    harms: str
    strategies: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("name", "description", "also", "pathways", "cost_shape", "guides", "verdict", "prior", "harms"):
            content = getattr(self, name)
            if not (content.strip() if isinstance(content, str) else content):
                raise ParamError(f"{name}: empty; write at least one.")
        if self.grade == "E" and self.priors:
            raise ParamError(f"grade E with a prior for {self.priors[0].effect}; write prior: {BREAK_EVEN}.")
        for prior in self.priors:
            if prior.source is not None and prior.source not in self.evidence:
                raise ParamError(
                    f"prior for {prior.effect}: the source '{prior.source}' is not among the lever's evidence; "
                    f"{choices(prior.source, self.evidence)}"
                )

    @property
    def priors(self) -> tuple[Prior, ...]:
        """Return the priors; none where only a break-even can be asked for."""
        return () if isinstance(self.prior, str) else self.prior


# A heading, and the last lever under it.
GROUPS: dict[str, str] = {
    "Pre-purchase and conversion": "L10",
    "Price, offer and basket": "L17",
    "Loyalty and membership": "L23",
    "Communication": "L31",
    "Fulfilment and returns": "L35",
    "Support and organisation": "L38",
}
IDENTIFIERS = tuple(f"L{number:02d}" for number in range(1, 39))


def load_levers(path: Path | None = None) -> dict[str, Lever]:
    """Return all levers by their identifier, L01 to L38."""
    levers = entries_of(LEVERS_FILE, Lever) if path is None else entries(path, Lever)
    place = f"params/{LEVERS_FILE}" if path is None else shown(path)
    problems = [f"{place}: {problem}" for problem in _mistakes(levers)]
    if problems:
        raise ParamError("\n".join(problems))
    return levers


def refuse_unmeasured(strategies: Sequence[Strategy]) -> None:
    """Refuse a prior for the effects of a lever that nobody has measured."""
    named = [strategy for strategy in strategies if strategy.lever is not None]
    levers = load_levers() if named else {}
    for strategy in named:
        lever = levers.get(str(strategy.lever))
        if lever is None:
            raise ParamError(
                f"strategy '{strategy.name}': no lever '{strategy.lever}'; "
                f"{choices(str(strategy.lever), levers, all_in='`cxsim levers`')}"
            )
        if lever.grade == "E" and strategy.mode != "break-even":
            raise ParamError(
                f"strategy '{strategy.name}': the effect of its lever {strategy.lever} ({lever.name}) has not been "
                "measured (evidence of grade E), so it cannot be assumed; write mode: break-even and searches."
            )


def search(levers: Mapping[str, Lever], words: str = "", pathway: str | None = None) -> dict[str, Lever]:
    """Return the levers that hold all words, and move the pathway."""
    if pathway is not None and pathway not in PATHWAYS:
        raise ParamError(f"no pathway '{pathway}'; {choices(pathway, PATHWAYS)}")
    wanted = _folded(words).split()
    return {
        identifier: lever
        for identifier, lever in levers.items()
        if (pathway is None or pathway in lever.pathways)
        and all(word in _searched(identifier, lever) for word in wanted)
    }


def grouped(levers: Mapping[str, Lever]) -> dict[str, dict[str, Lever]]:
    """Return the levers under the headings of GROUPS; a heading without levers is left out."""
    found: dict[str, dict[str, Lever]] = {heading: {} for heading in GROUPS}
    for identifier, lever in levers.items():
        found[_heading(identifier)][identifier] = lever
    return {heading: inside for heading, inside in found.items() if inside}


def _searched(identifier: str, lever: Lever) -> str:
    named = (identifier, lever.name, lever.description, *lever.also, *lever.guides, *lever.strategies)
    return _folded(" ".join((*named, _heading(identifier))))


def _folded(words: str) -> str:
    """Return words in the one spelling in which they are compared: `stock-out` finds what is called a stockout."""
    return words.casefold().replace("-", "").replace("'", "")


def _heading(identifier: str) -> str:
    return next(heading for heading, last in GROUPS.items() if identifier <= last)


def _mistakes(levers: Mapping[str, Lever]) -> Iterator[str]:
    """Yield what is wrong with the catalogue as a whole, and with what it points to."""
    for identifier in levers:
        if identifier not in IDENTIFIERS:
            yield f"{identifier}: unknown lever; {choices(identifier, IDENTIFIERS, all_in='`cxsim levers`')}"
    missing = [identifier for identifier in IDENTIFIERS if identifier not in levers]
    if missing:
        yield f"missing {', '.join(missing)}; the catalogue has {IDENTIFIERS[0]} to {IDENTIFIERS[-1]}."
    if list(levers) != sorted(levers):
        yield "the levers are not in order; sort them by their numbers."
    known = {
        "evidence": ("source", source_names(), "params/sources.yaml"),
        "strategies": ("strategy", names("strategies"), "params/strategies/"),
    }
    for identifier, lever in levers.items():
        for part, (kind, possible, place) in known.items():
            for name in getattr(lever, part):
                if name not in possible:
                    yield f"{identifier}.{part}: no {kind} '{name}'; {choices(name, possible, all_in=place)}"
