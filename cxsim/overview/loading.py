"""A folder or a file of exports, or the name of a scenario, in; a shop out."""

from __future__ import annotations

import dataclasses
import difflib
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from cxsim.errors import ParamError, choices
from cxsim.params import names
from cxsim.scenario import load_scenario
from cxsim.shop import TABLES, Shop
from cxsim.shop.known import known_at
from cxsim.shop.reading import read_shop
from cxsim.study import shop_tables

_WRITTEN = (".yaml", ".yml")
# Visits are simulated up to the order that they lead to, so that near the horizon those to later orders are missing.
_FORESEEN = timedelta(days=365)
_UNFORESEEN = (
    "in the last year of a scenario, visits that lead to orders after its end are not simulated; look at an earlier "
    "day (until)."
)
# So many names that lie beside a path are offered when it leads nowhere.
_OFFERED = 3


def load_shop(name: str, *, until: date | None = None, currency: str = "") -> Shop:
    """Return the shop whose exports lie somewhere, or one world of a scenario as a shop that observed it."""
    path = Path(name)
    end = None if until is None else datetime.combine(until, time()) + timedelta(days=1)
    if path.exists() and path.suffix.lower() not in _WRITTEN:
        return read_shop(path, until=end, currency=currency or None)
    if path.suffix.lower() not in _WRITTEN and name not in names("scenarios"):
        raise ParamError(
            f"'{name}' is no folder or file of exports, and no scenario; {choices(name, _possible(path))} "
            "Or any path that leads to exports."
        )
    scenario = load_scenario(name)
    whole = shop_tables(scenario).shop(scenario, name=scenario.title, currency=currency)
    return _with_sound_visits(whole if end is None else seen_until(whole, end), whole.until)


def _with_sound_visits(shop: Shop, horizon: datetime) -> Shop:
    """Return a simulated shop without its visits where those to orders after the horizon would be missing."""
    if shop.sessions is None or shop.until <= horizon - _FORESEEN:
        return shop
    return dataclasses.replace(shop, sessions=None, lacks={**shop.lacks, "sessions": _UNFORESEEN})


def seen_until(shop: Shop, end: datetime) -> Shop:
    """Return a shop as it was known at a moment: later rows are gone, and what came later has not happened."""
    if not shop.since < end <= shop.until:
        raise ParamError(
            f"until: {end - timedelta(days=1):%Y-%m-%d} lies outside of what was observed, {shop.since:%Y-%m-%d} to "
            f"{shop.until - timedelta(days=1):%Y-%m-%d}."
        )
    tables: dict[str, Any] = {
        name: known_at(getattr(shop, name), name, end) for name in TABLES if getattr(shop, name) is not None
    }
    return dataclasses.replace(shop, until=end, **tables)


def _possible(path: Path) -> list[str]:
    """Return what could have been meant: every scenario, and what lies there under a similar name."""
    beside = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, sorted(beside), n=_OFFERED)
    return [*names("scenarios"), *(str(path.with_name(one)) for one in near)]
