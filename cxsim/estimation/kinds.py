"""The name of a model of orders in; its title, its parameters and how they are made out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cxsim.errors import EstimationError, choices
from cxsim.models import BetaGeometricParams, ParetoNbdParams, PurchaseParams

Model = Literal["bgnbd", "mbgnbd", "paretonbd", "bgcnbd", "mbgcnbd"]
ORDER_LEAVING = ("r", "alpha", "a", "b")
CALENDAR_LEAVING = ("r", "alpha", "s", "beta")


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """A model of orders and leaving.

    Attributes
    ----------
    name, title
        As in `fit(model=...)`, and for readers.
    names
        Parameters in their order; `alpha` and `beta` are times.
    leaves_after_first
        Whether customers may leave after their first order.
    regular
        Whether orders may come more regularly than by chance, in k stages.
    reference
        Where the model comes from.
    """

    name: str
    title: str
    names: tuple[str, ...]
    leaves_after_first: bool = False
    regular: bool = False
    reference: str

    def titled(self, k: int) -> str:
        """Return the title with its number of stages."""
        return self.title.replace("-k", f"-{k}") if self.regular else self.title

    def params(self, values: Sequence[float], k: int) -> PurchaseParams:
        """Return checked parameters from their values in order."""
        r, alpha, third, fourth = values
        if self.names == CALENDAR_LEAVING:
            return ParetoNbdParams(r=r, alpha=alpha, s=third, beta=fourth)
        return BetaGeometricParams(r=r, alpha=alpha, a=third, b=fourth, k=k, leaves_after_first=self.leaves_after_first)


KINDS = {
    kind.name: kind
    for kind in (
        Kind(name="bgnbd", title="BG/NBD", names=ORDER_LEAVING, reference="Fader, Hardie & Lee (2005)"),
        Kind(
            name="mbgnbd",
            title="MBG/NBD",
            names=ORDER_LEAVING,
            leaves_after_first=True,
            reference="Batislam, Denizel & Filiztekin (2007)",
        ),
        Kind(
            name="paretonbd",
            title="Pareto/NBD",
            names=CALENDAR_LEAVING,
            reference="Schmittlein, Morrison & Colombo (1987)",
        ),
        Kind(
            name="bgcnbd",
            title="BG/CNBD-k",
            names=ORDER_LEAVING,
            regular=True,
            reference="Platzer & Reutterer (2016)",
        ),
        Kind(
            name="mbgcnbd",
            title="MBG/CNBD-k",
            names=ORDER_LEAVING,
            leaves_after_first=True,
            regular=True,
            reference="Platzer & Reutterer (2016)",
        ),
    )
}


def kind_of(model: str) -> Kind:
    """Return the model of that name."""
    if model not in KINDS:
        raise EstimationError(f"no model '{model}'; {choices(str(model), list(KINDS))}")
    return KINDS[model]
