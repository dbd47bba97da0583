"""Parameters drawn from a posterior in; their means, intervals and trustworthiness, and each of them by number, out."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass, field
from typing import Generic, TypeVar, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.errors import EstimationError
from cxsim.estimation.admission import is_count, require_level
from cxsim.estimation.estimates import PARAMETER_DIGITS, significant
from cxsim.estimation.kinds import kind_of
from cxsim.estimation.posteriors.pareto_smoothing import reliable_k_hat
from cxsim.models import GammaGammaParams, PurchaseParams

FloatArray = NDArray[np.float64]
Params = TypeVar("Params", bound=PurchaseParams | GammaGammaParams)

GAMMA_GAMMA = "gamma_gamma"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Posterior(Generic[Params]):
    """Equally likely parameters of one model, given its data and weak priors.

    Attributes
    ----------
    model
        `bgnbd`, `mbgnbd`, `paretonbd`, `bgcnbd` or `mbgcnbd`; `gamma_gamma` for spend.
    k
        Stages between orders, taken as known; 1 but for `bgcnbd` and `mbgcnbd`.
    names
        The parameters, in order.
    log_params
        Their natural logarithms, shape (draws, d), times in days; read-only.
    k_hat
        Whether the draws can be relied on: they can up to about 0.7, see `reliable`.
    effective_draws
        Independent draws that would say as much as the weighted proposals behind `log_params`.
    proposals
        Weighted proposals that the draws were taken from.
    """

    model: str
    k: int = 1
    names: tuple[str, ...]
    log_params: FloatArray = field(repr=False)
    k_hat: float
    effective_draws: float
    proposals: int

    def __post_init__(self) -> None:
        draws = np.array(self.log_params, dtype=np.float64)
        if draws.ndim != 2 or draws.shape[0] < 1 or draws.shape[1] != len(self.names) or not np.isfinite(draws).all():
            raise EstimationError(
                f"log_params must be finite, at least one row of {len(self.names)} ({', '.join(self.names)}); found "
                f"shape {draws.shape}."
            )
        draws.setflags(write=False)
        object.__setattr__(self, "log_params", draws)

    def __len__(self) -> int:
        return int(self.log_params.shape[0])

    @property
    def title(self) -> str:
        """Name of the model for readers."""
        return "Gamma-Gamma" if self.model == GAMMA_GAMMA else kind_of(self.model).titled(self.k)

    @property
    def reliable(self) -> bool:
        """Whether averages over the draws can be relied on, by k-hat and the number of proposals."""
        return self.k_hat <= reliable_k_hat(self.proposals)

    @property
    def mean(self) -> dict[str, float]:
        """Mean of each parameter on the natural scale, times in days."""
        return self._by_name(np.exp(self.log_params).mean(axis=0))

    @property
    def sd(self) -> dict[str, float]:
        """Standard deviation of each parameter on the natural scale, times in days; 0 for a single draw."""
        return self._by_name(np.exp(self.log_params).std(axis=0))

    def params(self, number: int) -> Params:
        """Return the parameters of one draw, numbered from 0, to ten significant digits.

        Raises
        ------
        EstimationError
            If there is no such draw.
        """
        if not (is_count(number, least=0) and number < len(self)):
            raise EstimationError(f"no draw {number}; possible: 0 to {len(self) - 1}.")
        values = [significant(math.exp(x), PARAMETER_DIGITS) for x in self.log_params[number]]
        if self.model == GAMMA_GAMMA:
            p, q, v = values
            return cast("Params", GammaGammaParams(p=p, q=q, v=v))
        return cast("Params", kind_of(self.model).params(values, self.k))

    def interval(self, level: float = 0.95) -> pl.DataFrame:
        """Return one row per parameter: parameter, low, median, high; as much of the posterior below low as above high.

        Raises
        ------
        EstimationError
            If `level` is not between 0 and 1.
        """
        require_level(level)
        edge = 0.5 * (1.0 - level)
        low, median, high = np.exp(np.quantile(self.log_params, [edge, 0.5, 1.0 - edge], axis=0))
        return pl.DataFrame({"parameter": list(self.names), "low": low, "median": median, "high": high})

    @property
    def verdict(self) -> str:
        """One sentence on whether the draws can be relied on."""
        found = f"k-hat {self.k_hat:.2f}, {self.effective_draws:,.0f} effective of {self.proposals:,} proposals"
        if self.reliable:
            return f"The draws can be relied on ({found})."
        return (
            f"The draws cannot be relied on ({found}): the posterior is far from normal. Use more draws, more "
            "customers, or a model with fewer parameters."
        )

    def _by_name(self, values: FloatArray) -> dict[str, float]:
        return {name: float(value) for name, value in zip(self.names, values, strict=True)}

    def __repr__(self) -> str:
        means = ", ".join(f"{name}={value:.4g}" for name, value in self.mean.items())
        return f"Posterior({self.title}: {means}; {len(self)} draws, k-hat {self.k_hat:.2f})"

    def _repr_html_(self) -> str:
        mean, sd = self.mean, self.sd
        rows = "".join(
            f'<tr><th scope="row">{html.escape(name)}</th>'
            f"<td>{mean[name]:.4g}</td><td>{sd[name]:.2g}</td><td>{low:.4g}</td><td>{high:.4g}</td></tr>"
            for name, low, _, high in self.interval().iter_rows()
        )
        words = ("parameter", "mean", "std. dev.", "2.5 %", "97.5 %")
        head = "".join(f'<th scope="col">{word}</th>' for word in words)
        caption = f"<caption>{html.escape(self.title)}: {len(self):,} draws from the posterior</caption>"
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table><p>{self.verdict}</p>"
