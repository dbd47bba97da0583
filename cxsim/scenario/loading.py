"""The name of a scenario, and what is changed of it, in; the scenario with everything that it names out."""

from __future__ import annotations

from cxsim.params import locate, read, shown
from cxsim.scenario.changes import changed
from cxsim.scenario.scenario import Scenario, resolved
from cxsim.scenario.written import ScenarioFile


def load_scenario(name: str, changes: str = "") -> Scenario:
    """Return a scenario of params/scenarios by its name, or from a path that ends in .yaml.

    Parameters
    ----------
    name
        Such as `cdnow-programmes`.
    changes
        Numbers that are set by hand, such as `economics.gross_margin=0.5; draws=40`; as for `changed`.

    Raises
    ------
    ParamError
        For an unknown name, with the choices, or mistakes in any of its files: one line each, with file and key. For a
        change that is not possible.

    Examples
    --------
    >>> load_scenario("cdnow-quick").arms
    ('baseline', 'points-programme', 'win-back-coupon', 'faster-delivery')
    >>> load_scenario("cdnow-quick", "economics.gross_margin=0.5").economics.gross_margin.range
    (0.5, 0.5)
    """
    path = locate("scenarios", name)
    return changed(resolved(read(path, ScenarioFile), shown(path)), changes)
