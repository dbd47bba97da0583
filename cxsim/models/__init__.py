"""Models of buying in closed form: parameters and arrays in, likelihoods and expectations out; no luck, no tables."""

from cxsim.models import bgnbd, gamma_gamma
from cxsim.models.bgnbd import BgNbdParams
from cxsim.models.gamma_gamma import GammaGammaParams

__all__ = ["BgNbdParams", "GammaGammaParams", "bgnbd", "gamma_gamma"]
