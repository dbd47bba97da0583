"""The catalogue of metrics: what each says, how it is counted, and where it misleads."""

from __future__ import annotations

from cxsim.metrics.catalogue.catalogue import CATALOGUE, metric_named

__all__ = ["CATALOGUE", "metric_named"]
