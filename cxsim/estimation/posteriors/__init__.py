"""A fit and its customers in, draws of the parameters from their posterior out, with a diagnosis of the draws."""

from cxsim.estimation.posteriors.inferring import posterior
from cxsim.estimation.posteriors.posterior import Posterior
from cxsim.estimation.posteriors.priors import LogNormalPrior, purchase_prior, spend_prior, weak_prior

__all__ = ["LogNormalPrior", "Posterior", "posterior", "purchase_prior", "spend_prior", "weak_prior"]
