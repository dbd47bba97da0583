"""The whole catalogue, in the order in which it is shown."""

from __future__ import annotations

from cxsim.errors import ParamError, choices
from cxsim.metrics.catalogue.keeping import KEEPING
from cxsim.metrics.catalogue.orders import ORDERS
from cxsim.metrics.catalogue.returns import RETURNS
from cxsim.metrics.catalogue.satisfaction import SATISFACTION
from cxsim.metrics.catalogue.support import SUPPORT
from cxsim.metrics.catalogue.value import VALUE
from cxsim.metrics.catalogue.visits import VISITS
from cxsim.metrics.catalogue.winning import WINNING
from cxsim.metrics.metric import Metric

CATALOGUE: tuple[Metric, ...] = (
    *ORDERS, *KEEPING, *VALUE, *SATISFACTION, *SUPPORT, *RETURNS, *VISITS, *WINNING,
)  # fmt: skip


def metric_named(name: str) -> Metric:
    """Return a metric of the catalogue."""
    found = {metric.name: metric for metric in CATALOGUE}
    if name not in found:
        raise ParamError(f"no metric '{name}'; {choices(name, found)}")
    return found[name]
