"""Models on trial and customers on the scales: orders in; comparisons, backtests and tables of value out."""

from cxsim.appraisal.appraise import Appraisal, appraise
from cxsim.appraisal.at_risk import at_risk
from cxsim.appraisal.backtesting import Backtest, backtest
from cxsim.appraisal.comparing import Comparison, compare
from cxsim.appraisal.terms import Terms, draws_for
from cxsim.appraisal.value_table import CustomerValues, customer_values
from cxsim.scenario import Valuation, load_valuation

__all__ = [
    "Appraisal",
    "Backtest",
    "Comparison",
    "CustomerValues",
    "Terms",
    "Valuation",
    "appraise",
    "at_risk",
    "backtest",
    "compare",
    "customer_values",
    "draws_for",
    "load_valuation",
]
