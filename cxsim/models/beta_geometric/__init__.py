"""Beta-geometric models of repeat orders: BG/NBD, MBG/NBD, and BG/CNBD-k and MBG/CNBD-k for regular buyers."""

from cxsim.models.beta_geometric.ahead import next_order_ahead, orders_ahead, survival_ahead
from cxsim.models.beta_geometric.counts import count_probs_ahead
from cxsim.models.beta_geometric.discounting import discounted_orders_ahead
from cxsim.models.beta_geometric.likelihood import log_likelihood, phase_probs, phase_probs_new
from cxsim.models.beta_geometric.params import BetaGeometricParams

__all__ = [
    "BetaGeometricParams",
    "count_probs_ahead",
    "discounted_orders_ahead",
    "log_likelihood",
    "next_order_ahead",
    "orders_ahead",
    "phase_probs",
    "phase_probs_new",
    "survival_ahead",
]
