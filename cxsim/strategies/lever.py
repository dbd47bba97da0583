"""A lever as data: what it moves, what it costs, what is believed of it, and on what evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from cxsim.errors import ParamError, choices
from cxsim.params import BY_TYPE, LIST, TEXT
from cxsim.quantity import Quantity
from cxsim.strategies.strategy import CostKind
from cxsim.units import Unit

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
    "purchase_rate": "How often customers order while they are customers.",
    "dropout": "How soon customers leave for good; a gain is leaving later.",
    "basket": "What an order amounts to.",
    "margin": "What is left of an order after goods, fees and what is given away.",
    "returns": "How much is sent back; a gain is less.",
    "service": "How often customers need help, and what helping costs; a gain is less.",
    "referral": "New customers whom customers bring.",
    "satisfaction": "How customers feel about the shop, which may show in all of the above later.",
    "forward_buying": "Orders borrowed from a later time at full price.",
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
    """What is believed of one effect of a lever before a shop has measured it.

    Attributes
    ----------
    effect
        Kind of effect of the simulator that it belongs to.
    unit
        What the number is measured in.
    value
        The central value.
    range
        Low and high: the 5 % and the 95 % quantile of what is believed.
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
