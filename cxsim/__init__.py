"""Simulate what customer-experience programmes bring back, with honest intervals.

    import cxsim

    study = cxsim.run(cxsim.load_scenario("cdnow-quick"))
    study.returns

Each name is loaded when it is first used, so that `import cxsim` itself costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cxsim.errors import waiting_imports

if TYPE_CHECKING:
    from cxsim.clv.diagnose import diagnose
    from cxsim.clv.fit import fit, fit_spend, load_fit, save_fit
    from cxsim.clv.forecast import predict
    from cxsim.clv.posterior import posterior
    from cxsim.clv.purchase_fit import PurchaseFit
    from cxsim.clv.spend_fit import GammaGammaFit
    from cxsim.clv.validation.compare import backtest, compare
    from cxsim.data import load_cdnow, read_database, read_shop, read_transactions, summarise
    from cxsim.reporting.build import report
    from cxsim.reporting.business.explore import explore
    from cxsim.strategies import Strategy
    from cxsim.study.business.case import BusinessCase, business_case
    from cxsim.study.loading import load_scenario
    from cxsim.study.project import scenario
    from cxsim.study.result import Study
    from cxsim.study.run import run
    from cxsim.study.scenario import Scenario
    from cxsim.study.start import start
    from cxsim.study.valuation import value

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
    "explore",
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
    "report",
    "run",
    "save_fit",
    "scenario",
    "start",
    "summarise",
    "value",
]
__getattr__ = waiting_imports(__name__, __file__)


def __dir__() -> list[str]:
    return __all__
