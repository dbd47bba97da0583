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
    from cxsim.clv.diagnose import diagnose
    from cxsim.clv.fit import fit, fit_spend
    from cxsim.clv.fit_file import load_fit, save_fit
    from cxsim.clv.forecast import predict
    from cxsim.clv.posterior import posterior
    from cxsim.clv.purchase_fit import PurchaseFit
    from cxsim.clv.spend_fit import GammaGammaFit
    from cxsim.clv.validation.compare import backtest, compare
    from cxsim.data import load_cdnow, read_database, read_shop, read_transactions, summarise
    from cxsim.strategies import Strategy
    from cxsim.study.business.case import BusinessCase, business_case
    from cxsim.study.loading import load_scenario
    from cxsim.study.result import Study
    from cxsim.study.run import run
    from cxsim.study.scenario import Scenario

_PACKAGES = {
    "BusinessCase": "study",
    "GammaGammaFit": "clv",
    "PurchaseFit": "clv",
    "Scenario": "study",
    "Strategy": "strategies",
    "Study": "study",
    "backtest": "clv",
    "business_case": "study",
    "compare": "clv",
    "diagnose": "clv",
    "fit": "clv",
    "fit_spend": "clv",
    "load_cdnow": "data",
    "load_fit": "clv",
    "load_scenario": "study",
    "posterior": "clv",
    "predict": "clv",
    "read_database": "data",
    "read_shop": "data",
    "read_transactions": "data",
    "run": "study",
    "save_fit": "clv",
    "summarise": "data",
}
__all__ = [
    "BusinessCase",
    "GammaGammaFit",
    "PurchaseFit",
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
    "load_fit",
    "load_scenario",
    "posterior",
    "predict",
    "read_database",
    "read_shop",
    "read_transactions",
    "run",
    "save_fit",
    "summarise",
]


def __getattr__(name: str) -> object:
    if name not in _PACKAGES:
        raise AttributeError(f"cxsim has no '{name}'; {choices(name, __all__)}")
    return getattr(importlib.import_module(f"cxsim.{_PACKAGES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
