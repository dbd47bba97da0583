"""One customer who is alive, k = 1, and a far interval in; P(exactly n orders in it) as an integral out."""

from __future__ import annotations

import numpy as np
from scipy.special import betainc, betaln, expit, gammaln, log_expit

from cxsim.models.beta_geometric.dropout import dropout_rule, end_weight


def later_count_prob(n: float, shape: float, before: float, within: float, *, a: float, b: float) -> float:
    """Return the probability of exactly n orders in the interval.

    Given the chance p of leaving, the orders after which the customer leaves are a thinned Poisson process; one who
    is still there at the start has a purchase rate that is Gamma(shape, 1 + p before) and orders as if from now.
    """
    # The probabilities move with p no faster than (1 - p) to the power of all orders until the end.
    low, step, nodes = dropout_rule(a, b, shape * before + n + 1.0, shape + n)
    u = low + step * np.arange(nodes)
    p, log_p, log_q = expit(u), log_expit(u), log_expit(-u)
    ends = np.array([end_weight(i, nodes, step, a, b) for i in (0, nodes - 1)])
    weights = step * np.exp(a * log_p + b * log_q - betaln(a, b))
    weights[[0, -1]] *= ends
    alive = np.exp(-shape * np.log1p(p * before))
    odds = within * (1.0 + before) / (1.0 + p * before)
    none = np.exp(-shape * np.log1p(odds))
    if n == 0.0:
        return float((weights * (1.0 - alive + alive * none)).sum())
    share = odds / (1.0 + odds)
    with np.errstate(divide="ignore"):
        exactly = np.exp(gammaln(shape + n) - gammaln(shape) - gammaln(n + 1.0) + n * np.log(share)) * none
    at_least = betainc(n, shape, share)
    kept = np.exp((n - 1.0) * log_q)
    return float((weights * alive * kept * (exactly * np.exp(log_q) + at_least * p)).sum())
