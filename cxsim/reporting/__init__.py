"""Results in; figures, tables, pages, workbooks and their checks out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cxsim.errors import waiting_imports

if TYPE_CHECKING:
    from cxsim.reporting.business.break_even import break_even_table, must_be_true, npv_by_size
    from cxsim.reporting.business.decision import base_case_sentence, decision_box, kpis_table, summary_table
    from cxsim.reporting.business.information import (
        information_table,
        test_plan_table,
        value_of_information,
        variance_split,
    )
    from cxsim.reporting.business.investment import cash_fan, investment_table, liabilities_table
    from cxsim.reporting.business.portfolio import efficient_frontier, portfolio_table
    from cxsim.reporting.business.register import (
        assumptions_table,
        audit_trail,
        cautions_table,
        checklist_table,
        register_table,
        sources_table,
        strategies_table,
    )
    from cxsim.reporting.business.returns import (
        backtest_table,
        evidence_box,
        npv_by_structure,
        npv_distribution,
        structures_table,
    )
    from cxsim.reporting.business.statement import (
        benefit_waterfall,
        cohort_table,
        periods_table,
        prices_table,
        quarters_table,
        statement_table,
        volumes_table,
    )
    from cxsim.reporting.business.tornado import break_evens_table, heat_map, rates_table, tornado
    from cxsim.reporting.business.what_if import what_if
    from cxsim.reporting.shop.clv_fit import (
        engines_table,
        fit_table,
        frequency_histogram,
        hygiene_table,
        tracking,
        value_table,
    )
    from cxsim.reporting.shop.clv_validation import (
        alive_by_model,
        calibration,
        findings_table,
        forecast_bias,
        forecasts,
        holdout_by_frequency,
        model_table,
        verdict,
    )
    from cxsim.reporting.shop.clv_value import (
        at_risk_table,
        customer_table,
        decile_table,
        spend_by_frequency,
        value_by_decile,
        value_captured,
        worth_table,
    )
    from cxsim.reporting.shop.dashboard import dashboard_table, metric_register, not_measured_table, receipts_table
    from cxsim.reporting.shop.promoters import ltv_by_nps, naive_against_truth, naive_table
    from cxsim.reporting.shop_page import (
        cohort_figure,
        overview,
        shop_details,
        shop_figure,
        weekly_figure,
    )
    from cxsim.reporting.theme import enable

__all__ = [
    "alive_by_model",
    "assumptions_table",
    "at_risk_table",
    "audit_trail",
    "backtest_table",
    "base_case_sentence",
    "benefit_waterfall",
    "break_even_table",
    "break_evens_table",
    "calibration",
    "cash_fan",
    "cautions_table",
    "checklist_table",
    "cohort_figure",
    "cohort_table",
    "customer_table",
    "dashboard_table",
    "decile_table",
    "decision_box",
    "efficient_frontier",
    "enable",
    "engines_table",
    "evidence_box",
    "findings_table",
    "fit_table",
    "forecast_bias",
    "forecasts",
    "frequency_histogram",
    "heat_map",
    "holdout_by_frequency",
    "hygiene_table",
    "information_table",
    "investment_table",
    "kpis_table",
    "liabilities_table",
    "ltv_by_nps",
    "metric_register",
    "model_table",
    "must_be_true",
    "naive_against_truth",
    "naive_table",
    "not_measured_table",
    "npv_by_size",
    "npv_by_structure",
    "npv_distribution",
    "overview",
    "periods_table",
    "portfolio_table",
    "prices_table",
    "quarters_table",
    "rates_table",
    "receipts_table",
    "register_table",
    "shop_details",
    "shop_figure",
    "sources_table",
    "spend_by_frequency",
    "statement_table",
    "strategies_table",
    "structures_table",
    "summary_table",
    "test_plan_table",
    "tornado",
    "tracking",
    "value_by_decile",
    "value_captured",
    "value_of_information",
    "value_table",
    "variance_split",
    "verdict",
    "volumes_table",
    "weekly_figure",
    "what_if",
    "worth_table",
]
__getattr__ = waiting_imports(__name__, __file__)


def __dir__() -> list[str]:
    return __all__
