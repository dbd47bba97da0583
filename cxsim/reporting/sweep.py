"""A scenario and a grid in; a study of every point, one table of all returns and a page about them out."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import polars as pl

from cxsim.errors import CxsimError, ParamError
from cxsim.finance.returns import read_returns
from cxsim.library import root
from cxsim.reporting.build import (
    INDEX,
    RETURNS_FILE,
    Again,
    Event,
    StudyWork,
    Task,
    Watch,
    is_whole,
    make_all,
    page_name,
    place_of,
    record_of,
    report_of,
    study_inputs,
)
from cxsim.reporting.execute import write_text
from cxsim.reporting.render import allowed, asset, template
from cxsim.reporting.twins import Twin, Value, csv_text
from cxsim.study.loading import canonical, changed, load_scenario
from cxsim.study.scenario import Scenario
from cxsim.wording import BADGES, precision

Wanted = Literal["returns", "reports"]
Content = Mapping[str, Any]

TABLE_FILE = "sweep.csv"
COLUMNS = (
    *("strategy", "title", "decision", "investment", "incremental_npv", "npv_low", "npv_high", "npv_mc_error"),
    *("prob_npv_positive", "prob_mc_error", "roi", "roi_low", "roi_high"),
)
# Each is a study of its own; more of them are a slip of the finger.
_MOST = 1_000
_READING = (
    "The last line of each cell is the decision at that point. "
    "Highest: the strategy with the highest NPV in its row, whatever its decision."
)


class Point(NamedTuple):
    """One combination of a grid."""

    values: tuple[tuple[str, str], ...]  # the swept keys and their values as text, in the order of the grid's keys
    changes: str  # the same as `canonical` writes them
    scenario: Scenario


class PointReturns(NamedTuple):
    """What came out at one point."""

    values: tuple[tuple[str, str], ...]  # the swept keys and their values as text, in the order of the grid's keys
    returns: pl.DataFrame  # under RETURNS
    files: Mapping[str, str]  # what they are called, and where they are in the folder of the sweep


class Sweep(NamedTuple):
    """What a sweep found, in the order of the grid."""

    outcomes: tuple[Event, ...]
    table: Path  # one row per point and strategy
    page: Path  # about all points


def sweep(
    given: str,
    over: Sequence[str],
    *,
    out: Path | None = None,
    wanted: Wanted = "returns",
    jobs: int | None = None,
    again: Again = "changed",
    watch: Watch | None = None,
) -> Sweep:
    """Simulate a scenario for every combination of some of its numbers.

    May be stopped at any moment; the next call makes what is missing.
    """
    points = grid(given, over)
    scenario, keys = points[0].scenario, [key for key, _ in points[0].values]
    folder = (root() / "reports" / "sweeps" / scenario.name if out is None else out).absolute()
    tasks = [_task(given, point, folder, wanted) for point in points]
    outcomes = make_all(tasks, jobs=jobs, again=again, watch=watch)
    found = [
        PointReturns(
            values=point.values,
            returns=read_returns(task.folder / RETURNS_FILE),
            files=({"Report": task.page.name} if wanted == "reports" else {})
            | {"Returns": f"{task.folder.name}/{RETURNS_FILE}"},
        )
        for point, task, outcome in zip(points, tasks, outcomes, strict=True)
        if outcome.kind != "failed"
    ]
    missing = len(points) - len(found)
    page = sweep_page(scenario.title, scenario.economics.currency, keys=keys, points=found, missing=missing)
    write_text(folder / TABLE_FILE, sweep_csv(keys, found))
    write_text(folder / INDEX, page)
    return Sweep(outcomes=outcomes, table=folder / TABLE_FILE, page=folder / INDEX)


def grid(given: str, over: Sequence[str]) -> tuple[Point, ...]:
    """Return all combinations of the values of several numbers; the last number changes fastest."""
    axes = [_axis(text) for text in over]
    keys = [key for key, _ in axes]
    if not axes:
        raise ParamError("a sweep needs at least one number with its values, such as economics.gross_margin=0.3,0.4.")
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise ParamError(f"swept twice: {', '.join(twice)}; list all values of a number in one --over.")
    number = math.prod(len(values) for _, values in axes)
    if number > _MOST:
        raise ParamError(f"{number:,} combinations are too many; at most {_MOST:,} are possible.")
    scenario = load_scenario(given)
    points = []
    for chosen in itertools.product(*(values for _, values in axes)):
        changes = canonical("; ".join(chosen))
        values = tuple((key, value.partition("=")[2]) for key, value in zip(keys, chosen, strict=True))
        points.append(Point(values=values, changes=changes, scenario=changed(scenario, changes)))
    if not scenario.with_prior:
        raise ParamError(
            f"the effects of {scenario.name} have no prior (mode: break-even), so there are no returns to sweep; use "
            "`cxsim break-even`."
        )
    return tuple(points)


def sweep_csv(keys: Sequence[str], points: Sequence[PointReturns]) -> str:
    """Return all returns as CSV: the swept values, then the columns of RETURNS that a comparison needs."""
    rows: list[tuple[Value, ...]] = []
    for point in points:
        swept = tuple(_typed(value) for _, value in point.values)
        rows += [(*swept, *row) for row in point.returns.select(COLUMNS).rows()]
    return csv_text(Twin(id="sweep", title="", columns=(*keys, *COLUMNS), rows=tuple(rows)))


def sweep_page(title: str, currency: str, *, keys: Sequence[str], points: Sequence[PointReturns], missing: int) -> str:
    """Return the page about a sweep."""
    titles = dict(pair for point in points for pair in point.returns.select("strategy", "title").rows())
    content: dict[str, object] = {
        "opening": f"{_counted(len(points))} of {', '.join(keys)}; all other numbers as in the scenario.",
        "reading": _READING,
        "missing": f"{_counted(missing)} could not be simulated and were left out." if missing else "",
        # In pieces, between which a narrow screen may break the line.
        "keys": [key.split(".") for key in keys],
        "currency": currency,
        "strategies": tuple(titles.values()),
        "points": [_row(point, tuple(titles)) for point in points],
    }
    return _page("sweep.html.j2", title, content)


def write_reports_index(folder: Path) -> Path:
    """Write index.html about all whole reports in a folder, those of earlier days too."""
    pages = sorted(path for path in folder.glob("*.html") if path.name != INDEX)
    found = [one for page in pages if (one := _listed(page)) is not None]
    number = "One report" if len(found) == 1 else f"{len(found):,} reports"
    opening = f"{number}. NPVs are relative to the no-programme baseline, in each report's currency."
    write_text(folder / INDEX, _page("reports.html.j2", "Reports", {"reports": found, "opening": opening}))
    return folder / INDEX


def _axis(text: str) -> tuple[str, list[str]]:
    key, sign, listed = (piece.strip() for piece in text.partition("="))
    values = [value.strip() for value in listed.split(",")]
    if not (key and sign) or not all(values):
        raise ParamError(f"'{text}': it must be KEY=VALUE,VALUE,..., such as economics.gross_margin=0.3,0.4.")
    spelt = [canonical(f"{key}={value}") for value in values]
    if len(set(spelt)) < len(spelt):
        raise ParamError(f"'{text}': a value is listed twice; list each once.")
    return key, spelt


def _task(given: str, point: Point, folder: Path, wanted: Wanted) -> Task:
    scenario, page = point.scenario, folder / page_name("", point.changes)
    title = f"{scenario.title} ({point.changes})"
    report = report_of(scenario, given, point.changes, page=page, name=page.stem, title=title, code="hidden")
    if wanted == "reports":
        return report
    study = StudyWork(scenario=place_of(given), changes=point.changes)
    return report._replace(inputs=study_inputs(scenario, given), also=(report.inputs,), work=study)


def _typed(value: str) -> Value:
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def _page(name: str, title: str, content: Content) -> str:
    """Return a page in the style of a report, which may load nothing and run nothing."""
    style = asset("style.css") + asset("index.css")
    policy = f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src {allowed([style])}"
    return template(name).render(title=title, style=style, policy=policy, **content)


def _counted(number: int) -> str:
    return "One combination" if number == 1 else f"{number:,} combinations"


def _row(point: PointReturns, strategies: tuple[str, ...]) -> Content:
    lines = {one["strategy"]: one for one in _headlines(point.returns)}
    return {
        "values_shown": [value for _, value in point.values],
        "cells": [lines.get(name) for name in strategies],
        "files": point.files,
    }


def _headlines(returns: pl.DataFrame) -> list[Content]:
    """Return one line per strategy: NPV and its 90 % interval, rounded together, decision, whether none is higher."""
    rows = returns.to_dicts()
    best = max((row["incremental_npv"] for row in rows), default=0.0)
    lines = list[Content]()
    for row in rows:
        npv, low, high = (row[name] for name in ("incremental_npv", "npv_low", "npv_high"))
        together, decision = precision([npv, low, high]), row["decision"]
        shown = {
            "decision": decision if decision in BADGES else "other",
            "word": BADGES.get(decision, decision),
            "npv": together.text(npv),
            "interval": f"{together.bare(low)} to {together.text(high)}",
            "highest": len(rows) > 1 and npv == best,
        }
        lines.append(row | shown)
    return lines


def _listed(page: Path) -> Content | None:
    """Return the entry of a report in the index; None where its files are not those that were written together."""
    folder = page.with_suffix("")
    record = record_of(folder)
    if record is None or not is_whole(record, page, needed=page.name):
        return None
    returns = list[Content]()
    with contextlib.suppress(CxsimError):
        returns = _headlines(read_returns(folder / RETURNS_FILE)) if (folder / RETURNS_FILE).is_file() else []
    texts = {name: str(record.get(name) or "") for name in ("title", "changes", "currency")}
    return {
        **texts,
        "title": texts["title"] or page.stem,
        "name": page.name,
        "folder": folder.name,
        "size": page.stat().st_size,
        "returns": returns,
        "tables": sorted(path.name for path in folder.glob("*.csv")),
    }
