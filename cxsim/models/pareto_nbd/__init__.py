"""The Pareto/NBD model of repeat orders (Schmittlein, Morrison & Colombo 1987): Poisson orders, leaving at any time."""

from cxsim.models.pareto_nbd.ahead import discounted_orders_ahead, next_order_ahead, orders_ahead, survival_ahead
from cxsim.models.pareto_nbd.counts import count_probs_ahead
from cxsim.models.pareto_nbd.likelihood import log_likelihood, phase_probs, phase_probs_new
from cxsim.models.pareto_nbd.params import ParetoNbdParams

__all__ = [
    "ParetoNbdParams",
    "count_probs_ahead",
    "discounted_orders_ahead",
    "log_likelihood",
    "next_order_ahead",
    "orders_ahead",
    "phase_probs",
    "phase_probs_new",
    "survival_ahead",
]
