"""The CX metrics of a shop: a catalogue, and a dashboard with intervals, changes and alerts."""

from __future__ import annotations

from cxsim.metrics.catalogue import CATALOGUE, metric_named
from cxsim.metrics.dashboard import Dashboard, dashboard
from cxsim.metrics.metric import Metric

__all__ = ["CATALOGUE", "Dashboard", "Metric", "dashboard", "metric_named", "repeat_rates"]
