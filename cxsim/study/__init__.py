"""A scenario in, a study out."""

from __future__ import annotations

from cxsim.study.break_even import break_even
from cxsim.study.manifest import scenario_hash
from cxsim.study.naive import naive_readings
from cxsim.study.one_world import shop_tables
from cxsim.study.result import Study
from cxsim.study.running import run
from cxsim.study.saving import require_writable, save_study
from cxsim.study.search import Search, search
from cxsim.study.shop_tables import SHOP_FILES, ShopTables

__all__ = [
    "SHOP_FILES",
    "Search",
    "ShopTables",
    "Study",
    "break_even",
    "naive_readings",
    "require_writable",
    "run",
    "save_study",
    "scenario_hash",
    "search",
    "shop_tables",
]
