"""Tables and sentences for a finance reader: a table of numbers goes in, something that Jupyter shows comes out."""

from __future__ import annotations

from cxsim.exhibits.audit import audit_trail
from cxsim.exhibits.break_even import break_even_table, must_be_true
from cxsim.exhibits.break_evens import break_evens_table
from cxsim.exhibits.case_register import register_table
from cxsim.exhibits.cautions import cautions_table
from cxsim.exhibits.central_case import base_case_sentence
from cxsim.exhibits.checklist import checklist_table
from cxsim.exhibits.clv import clv_table
from cxsim.exhibits.cohort_money import cohort_table
from cxsim.exhibits.customer_worth import at_risk_table, customer_table, decile_table, worth_table
from cxsim.exhibits.dashboard import dashboard_table, not_measured_table
from cxsim.exhibits.decision_box import decision_box
from cxsim.exhibits.drivers import associations_table, doses_table
from cxsim.exhibits.fits import fit_table, hygiene_table, value_table
from cxsim.exhibits.information import information_table
from cxsim.exhibits.investment import investment_table
from cxsim.exhibits.kpis import kpis_table
from cxsim.exhibits.liabilities import liabilities_table
from cxsim.exhibits.metric_register import metric_register
from cxsim.exhibits.model_choice import findings_table, model_table, verdict
from cxsim.exhibits.naive import naive_table
from cxsim.exhibits.periods import periods_table, quarters_table
from cxsim.exhibits.plan_of_tests import test_plan_table
from cxsim.exhibits.portfolio import portfolio_table
from cxsim.exhibits.rates import rates_table
from cxsim.exhibits.receipts import receipts_table
from cxsim.exhibits.register import assumptions_table, sources_table, strategies_table
from cxsim.exhibits.returns import returns_table
from cxsim.exhibits.selection import selection_table
from cxsim.exhibits.showing import Prose, Table
from cxsim.exhibits.statement import statement_table
from cxsim.exhibits.structures import structures_table

__all__ = [
    "Prose",
    "Table",
    "associations_table",
    "assumptions_table",
    "at_risk_table",
    "audit_trail",
    "base_case_sentence",
    "break_even_table",
    "break_evens_table",
    "cautions_table",
    "checklist_table",
    "clv_table",
    "cohort_table",
    "customer_table",
    "dashboard_table",
    "decile_table",
    "decision_box",
    "doses_table",
    "findings_table",
    "fit_table",
    "hygiene_table",
    "information_table",
    "investment_table",
    "kpis_table",
    "liabilities_table",
    "metric_register",
    "model_table",
    "must_be_true",
    "naive_table",
    "not_measured_table",
    "periods_table",
    "portfolio_table",
    "quarters_table",
    "rates_table",
    "receipts_table",
    "register_table",
    "returns_table",
    "selection_table",
    "sources_table",
    "statement_table",
    "strategies_table",
    "structures_table",
    "test_plan_table",
    "value_table",
    "verdict",
    "worth_table",
]
