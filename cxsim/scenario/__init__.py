"""Scenarios and valuations: the full input of a study, its assumptions, and the check of everything under params/."""

from __future__ import annotations

from cxsim.scenario.assumptions import assumptions, register, source_table, with_assumptions
from cxsim.scenario.cases import load_case
from cxsim.scenario.checking import check_params, params_files, write_schemas
from cxsim.scenario.copying import copy_scenario
from cxsim.scenario.provenance import commit, table_hash, versions
from cxsim.scenario.scenario import (
    BASELINE,
    Columns,
    NewCustomers,
    Scenario,
    ScenarioFile,
    load_scenario,
)
from cxsim.scenario.valuation import Valuation, load_valuation

__all__ = [
    "BASELINE",
    "Columns",
    "NewCustomers",
    "Scenario",
    "ScenarioFile",
    "Valuation",
    "assumptions",
    "check_params",
    "commit",
    "copy_scenario",
    "load_case",
    "load_scenario",
    "load_valuation",
    "params_files",
    "register",
    "source_table",
    "table_hash",
    "versions",
    "with_assumptions",
    "write_schemas",
]
