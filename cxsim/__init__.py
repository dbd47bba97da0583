"""Simulate what customer-experience programmes bring back, with honest intervals.

    import cxsim

    study = cxsim.run(cxsim.load_scenario("cdnow-quick"))
    study.returns

Each name is loaded when it is first used, so that `import cxsim` itself costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from cxsim.errors import choices

if TYPE_CHECKING:
    from cxsim.appraisal import backtest, compare
    from cxsim.business import BusinessCase, business_case
    from cxsim.data import load_cdnow, read_transactions, summarise
    from cxsim.estimation import diagnose, fit, fit_spend, posterior, predict
    from cxsim.scenario import Scenario, load_scenario
    from cxsim.strategies import Strategy
    from cxsim.study import Study, run

__all__ = [
    "BusinessCase",
    "Scenario",
    "Strategy",
    "Study",
    "backtest",
    "business_case",
    "compare",
    "diagnose",
    "fit",
    "fit_spend",
    "load_cdnow",
    "load_scenario",
    "posterior",
    "predict",
    "read_transactions",
    "run",
    "summarise",
]
_ROOMS = {
    "BusinessCase": "business",
    "Scenario": "scenario",
    "Strategy": "strategies",
    "Study": "study",
    "backtest": "appraisal",
    "business_case": "business",
    "compare": "appraisal",
    "diagnose": "estimation",
    "fit": "estimation",
    "fit_spend": "estimation",
    "load_cdnow": "data",
    "load_scenario": "scenario",
    "posterior": "estimation",
    "predict": "estimation",
    "read_transactions": "data",
    "run": "study",
    "summarise": "data",
}


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"cxsim has no '{name}'; {choices(name, __all__)}")
    return getattr(importlib.import_module(f"cxsim.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return __all__
