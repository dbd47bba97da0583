"""Four parameters in; one checked set of parameters of the Pareto/NBD model out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cxsim.models.admission import require_positive


@dataclass(frozen=True, kw_only=True, slots=True)
class ParetoNbdParams:
    """Parameters of the Pareto/NBD model.

    Attributes
    ----------
    r, alpha
        Shape and rate of the Gamma distribution of purchase rates; `alpha` carries the unit of time.
    s, beta
        Shape and rate of the Gamma distribution of the hazard of leaving; `beta` carries the unit of time.
    k
        Orders come by pure chance: 1 stage between them.
    """

    r: float
    alpha: float
    s: float
    beta: float
    k: ClassVar[int] = 1

    def __post_init__(self) -> None:
        require_positive("Pareto/NBD", {"r": self.r, "alpha": self.alpha, "s": self.s, "beta": self.beta})
