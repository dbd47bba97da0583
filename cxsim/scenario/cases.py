"""The name of a scenario or a valuation in; which of the two it is, and what its file says, out."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from cxsim.errors import ParamError, choices
from cxsim.params import names
from cxsim.scenario.scenario import Scenario, load_scenario
from cxsim.scenario.valuation import Valuation, load_valuation

Case = Literal["scenarios", "valuations"]
CASES: tuple[Case, ...] = ("scenarios", "valuations")


def case_of(name: str) -> Case:
    """Return whether a name is one of params/scenarios or of params/valuations; of a path, its folder tells.

    Parameters
    ----------
    name
        Such as `cdnow-value`, or a path that ends in .yaml; a folder of any other name holds scenarios.

    Raises
    ------
    ParamError
        For an unknown name; the message lists the choices.

    Examples
    --------
    >>> case_of("cdnow-value"), case_of("elsewhere/mine.yaml")
    ('valuations', 'scenarios')
    """
    if name.endswith((".yaml", ".yml")):
        return "valuations" if Path(name).resolve().parent.name == "valuations" else "scenarios"
    known: dict[str, Case] = {found: case for case in CASES for found in names(case)}
    if name not in known:
        raise ParamError(f"params/scenarios and params/valuations: no '{name}'; {choices(name, sorted(known))}")
    return known[name]


def load_case(name: str) -> Scenario | Valuation:
    """Return a scenario or a valuation by its name, or from a path that ends in .yaml.

    Parameters
    ----------
    name
        As in `case_of`.

    Raises
    ------
    ParamError
        For an unknown name, with the choices, or mistakes in any of its files: one line each, with file and key.
    """
    return load_scenario(name) if case_of(name) == "scenarios" else load_valuation(name)
