"""Scenarios and valuations: the full input of a study, its assumptions, and the check of everything under params/."""

from __future__ import annotations

from cxsim.scenario.assumptions import assumptions, register, source_table, with_assumptions
from cxsim.scenario.cases import case_files, load_case
from cxsim.scenario.cautions import cautions
from cxsim.scenario.changes import canonical, changed, changes_between, parsed_changes
from cxsim.scenario.checking import check_params, params_files, write_schemas
from cxsim.scenario.combination import Combination
from cxsim.scenario.copying import copy_scenario
from cxsim.scenario.loading import load_scenario
from cxsim.scenario.provenance import commit, table_hash, versions
from cxsim.scenario.scenario import BASELINE, Scenario
from cxsim.scenario.valuation import Valuation, load_valuation
from cxsim.scenario.written import MODELS, Columns, Model, NewCustomers, ScenarioFile, Structure

__all__ = [
    "BASELINE",
    "MODELS",
    "Columns",
    "Combination",
    "Model",
    "NewCustomers",
    "Scenario",
    "ScenarioFile",
    "Structure",
    "Valuation",
    "assumptions",
    "canonical",
    "case_files",
    "cautions",
    "changed",
    "changes_between",
    "check_params",
    "commit",
    "copy_scenario",
    "load_case",
    "load_scenario",
    "load_valuation",
    "params_files",
    "parsed_changes",
    "register",
    "source_table",
    "table_hash",
    "versions",
    "with_assumptions",
    "write_schemas",
]
