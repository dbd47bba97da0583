"""Customers with a past and draws of the parameters in; what each and all of them will do, with intervals, out."""

from cxsim.estimation.predictive.prediction import Prediction, predict

__all__ = ["Prediction", "draw_customers", "draw_new_customers", "predict"]
