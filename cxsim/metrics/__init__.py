"""Tables of a shop in; metrics with intervals, cohorts, drivers and calibrated behaviour out."""

from cxsim.metrics.promoters import ltv_by_nps

__all__ = ["ltv_by_nps"]
