"""A scenario in; a run, its business case and the tables of a simulated shop out."""

from cxsim.study.break_even import search
from cxsim.study.business.case import BusinessCase, business_case
from cxsim.study.business.naive import naive_readings
from cxsim.study.loading import load_scenario, load_valuation
from cxsim.study.result import Study
from cxsim.study.run import run
from cxsim.study.scenario import Scenario
from cxsim.study.shop_tables import ShopTables
from cxsim.study.valuation import value, value_customers

__all__ = [
    "BusinessCase",
    "Scenario",
    "ShopTables",
    "Study",
    "business_case",
    "load_scenario",
    "load_valuation",
    "naive_readings",
    "run",
    "search",
    "value",
    "value_customers",
]
