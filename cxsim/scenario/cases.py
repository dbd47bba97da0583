"""The name of a scenario or a valuation in; which of the two it is, and what its file says, out."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from cxsim.errors import ParamError, choices
from cxsim.params import SOURCES_FILE, locate, names, read, root, shown
from cxsim.scenario.loading import load_scenario
from cxsim.scenario.scenario import Scenario, files_of
from cxsim.scenario.valuation import Valuation, load_valuation
from cxsim.scenario.written import ScenarioFile

Case = Literal["scenarios", "valuations"]
CASES: tuple[Case, ...] = ("scenarios", "valuations")


def case_of(name: str) -> Case:
    """Return whether a name is one of params/scenarios or of params/valuations; of a path, its folder tells."""
    if name.endswith((".yaml", ".yml")):
        return "valuations" if Path(name).resolve().parent.name == "valuations" else "scenarios"
    known: dict[str, Case] = {found: case for case in CASES for found in names(case)}
    if name not in known:
        raise ParamError(f"params/scenarios and params/valuations: no '{name}'; {choices(name, sorted(known))}")
    return known[name]


def load_case(name: str, changes: str = "") -> Scenario | Valuation:
    """Return a scenario or a valuation by its name, or from a path that ends in .yaml."""
    if case_of(name) == "scenarios":
        return load_scenario(name, changes)
    if changes:
        raise ParamError(
            f"{name} is a valuation, and only the numbers of a scenario can be set by hand; found '{changes}'. "
            "Copy its file with `cxsim new` and edit the copy."
        )
    return load_valuation(name)


def case_files(name: str) -> tuple[Path, ...]:
    """Return the files under params/ that a scenario or a valuation is made of: its own, those it names, the sources."""
    case = case_of(name)
    own, cited = locate(case, name), root() / "params" / SOURCES_FILE
    if case == "valuations":
        return (own, cited)
    economics, strategies, behaviour = files_of(read(own, ScenarioFile), shown(own))
    return (own, cited, economics, *strategies, *(() if behaviour is None else (behaviour,)))
