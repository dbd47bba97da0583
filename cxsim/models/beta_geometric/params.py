"""Four parameters and the kind of shop in; one checked set of parameters of a Beta-geometric model out."""

from __future__ import annotations

from dataclasses import dataclass

from cxsim.errors import ParamError
from cxsim.models.admission import require_positive

# Beyond so many stages an order comes like clockwork, and a model of chance says nothing of it.
MOST_STAGES = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class BetaGeometricParams:
    """Parameters of BG/NBD, MBG/NBD and their relatives for regular buyers, BG/CNBD-k and MBG/CNBD-k.

    Attributes
    ----------
    r, alpha
        Shape and rate of the Gamma distribution of purchase rates; `alpha` carries the unit of time.
    a, b
        Shapes of the Beta distribution of the chance of leaving after an order.
    k
        Stages of the Erlang distribution of the time between orders, 1 to 60: with 1, orders come by pure chance; the
        more, the more regularly. The mean gap is k over the purchase rate.
    leaves_after_first
        Whether a customer may leave after the first order already, as in the MBG models.
    """

    r: float
    alpha: float
    a: float
    b: float
    k: int = 1
    leaves_after_first: bool = False

    def __post_init__(self) -> None:
        require_positive("BG/NBD", {"r": self.r, "alpha": self.alpha, "a": self.a, "b": self.b})
        if type(self.k) is not int or not 1 <= self.k <= MOST_STAGES:
            raise ParamError(f"BG/CNBD-k: k is {self.k!r}; it must be a whole number from 1 to {MOST_STAGES}.")
