"""The Gamma-Gamma model of spend per order (Fader & Hardie 2013): every customer has a mean, orders vary around it."""

from cxsim.models.gamma_gamma.spend import GammaGammaParams, expected_spend, population_mean
from cxsim.models.gamma_gamma.surface import sums, value

__all__ = [
    "GammaGammaParams",
    "expected_spend",
    "population_mean",
    "sums",
    "value",
]
