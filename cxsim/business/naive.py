"""A study in; what common comparisons would have said of its dearest strategy, beside the truth, out."""

from __future__ import annotations

from cxsim.business.numbers import alone
from cxsim.study import Study


def dearest(study: Study) -> str:
    """Return the name of the strategy with the largest outlay: the one on which a wrong reading costs most."""
    outlays = dict(study.returns.select("strategy", "outlay").iter_rows())
    names = [strategy.name for strategy in alone(study.scenario)] or list(outlays)
    return max(names, key=lambda name: (outlays[name], name))
