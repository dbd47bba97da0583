"""Models of buying in closed form: parameters and arrays in, likelihoods and expectations out; no luck, no tables."""

from cxsim.models import beta_geometric, gamma_gamma, pareto_nbd, purchases
from cxsim.models.beta_geometric import BetaGeometricParams
from cxsim.models.gamma_gamma import GammaGammaParams
from cxsim.models.pareto_nbd import ParetoNbdParams
from cxsim.models.purchases import PurchaseParams

__all__ = [
    "BetaGeometricParams",
    "GammaGammaParams",
    "ParetoNbdParams",
    "PurchaseParams",
    "beta_geometric",
    "gamma_gamma",
    "pareto_nbd",
    "purchases",
]
