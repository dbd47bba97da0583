"""Parameters of one healthy shop for each model, and of what its customers spend: a name in, parameters out."""

from __future__ import annotations

from cxsim.clv.models.bgnbd import BetaGeometricParams
from cxsim.clv.models.gamma_gamma import GammaGammaParams
from cxsim.clv.models.pareto_nbd import ParetoNbdParams

# Customers order every few months, half of them leave within a year, and next to no two orders fall on one day.
SHOPS = {
    "bgnbd": BetaGeometricParams(r=0.8, alpha=60.0, a=0.9, b=2.5),
    "mbgnbd": BetaGeometricParams(r=0.9, alpha=60.0, a=0.8, b=2.5, leaves_after_first=True),
    "paretonbd": ParetoNbdParams(r=0.8, alpha=60.0, s=0.7, beta=120.0),
    "bgcnbd": BetaGeometricParams(r=1.2, alpha=30.0, a=0.9, b=2.5, k=2),
    "mbgcnbd": BetaGeometricParams(r=1.2, alpha=30.0, a=0.8, b=2.5, k=2, leaves_after_first=True),
}
SPEND = GammaGammaParams(p=5.0, q=4.0, v=20.0)
# What `fit` is to be told of k; the plain models have 1.
STAGES = {"bgcnbd": 2, "mbgcnbd": 2}
