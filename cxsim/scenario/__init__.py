"""Scenarios and valuations: the full input of a study, its assumptions, and the check of everything under params/."""

from __future__ import annotations

from cxsim.scenario.assumptions import assumptions, register, source_table, with_assumptions
from cxsim.scenario.cases import load_case
from cxsim.scenario.cautions import cautions
from cxsim.scenario.checking import check_params, params_files, write_schemas
from cxsim.scenario.combination import Combination
from cxsim.scenario.copying import copy_scenario
from cxsim.scenario.provenance import commit, table_hash, versions
from cxsim.scenario.scenario import BASELINE, Scenario, load_scenario
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
    "cautions",
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
