"""Scenarios: the full input of a study, its assumptions, and the check of everything under params/."""

from __future__ import annotations

from cxsim.scenario.assumptions import assumptions, register, source_table, with_assumptions
from cxsim.scenario.checking import check_params, params_files, write_schemas
from cxsim.scenario.copying import copy_scenario
from cxsim.scenario.scenario import (
    BASELINE,
    Columns,
    NewCustomers,
    Scenario,
    ScenarioFile,
    load_scenario,
)

__all__ = [
    "BASELINE",
    "Columns",
    "NewCustomers",
    "Scenario",
    "ScenarioFile",
    "assumptions",
    "check_params",
    "copy_scenario",
    "load_scenario",
    "params_files",
    "register",
    "source_table",
    "with_assumptions",
    "write_schemas",
]
