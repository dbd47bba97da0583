"""A scenario and a grid in; a study of every point, one table of all returns and a page about them out."""

from __future__ import annotations

import base64
import hashlib
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cxsim.errors import CxsimError, ParamError
from cxsim.finance.returns import read_returns
from cxsim.params import root
from cxsim.reporting.build import (
    INDEX,
    RETURNS_FILE,
    Again,
    Outcome,
    ReportWork,
    StudyWork,
    Task,
    Watch,
    is_whole,
    make_all,
    notebook_of,
    page_name,
    record_of,
    report_inputs,
    study_inputs,
    write_text,
)
from cxsim.reporting.render import stylesheet
from cxsim.reporting.tables import BADGES
from cxsim.reporting.workbook import Twin, Value, csv_text
from cxsim.study.loading import canonical, changed, load_scenario
from cxsim.study.scenario import Scenario
from cxsim.wording import precision

COLUMNS = (
    "strategy",
    "title",
    "decision",
    "outlay",
    "incremental_npv",
    "npv_low",
    "npv_high",
    "npv_mc_error",
    "prob_npv_positive",
    "prob_mc_error",
    "roi",
    "roi_low",
    "roi_high",
)
_WHOLE = re.compile(r"-?\d+", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class PointReturns:
    """What came out at one point.

    Attributes
    ----------
    values
        The swept keys and their values as text.
    returns
        Under RETURNS.
    page
        Name of its report in the folder of the sweep; None where none was wanted.
    folder
        Name of its folder there.
    """

    values: tuple[tuple[str, str], ...]
    returns: pl.DataFrame
    page: str | None
    folder: str


def sweep_csv(keys: Sequence[str], points: Sequence[PointReturns]) -> str:
    """Return all returns as CSV: the swept values, then the columns of RETURNS that a comparison needs."""
    rows: list[tuple[Value, ...]] = []
    for point in points:
        swept = tuple(_typed(value) for _, value in point.values)
        rows += [(*swept, *row) for row in point.returns.select(COLUMNS).rows()]
    return csv_text(Twin(id="sweep", title="", columns=(*keys, *COLUMNS), rows=tuple(rows)))


def _typed(value: str) -> Value:
    if _WHOLE.fullmatch(value):
        return int(value)
    try:
        return float(value)
    except ValueError:
        return value


_TEMPLATES = Path(__file__).parent / "templates"
_PAGES = Environment(
    loader=FileSystemLoader(_TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page_text(template: str, *, title: str, content: Mapping[str, object]) -> str:
    """Return a page in the style of a report, which may load nothing and run nothing."""
    style = stylesheet() + (_TEMPLATES / "index.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{digest}'"
    return _PAGES.get_template(template).render(title=title, style=style, policy=policy, **content)


def link(name: str) -> str:
    """Return a link to a file beside the page.

    >>> link("cdnow-quick,draws=40.html")
    './cdnow-quick%2Cdraws%3D40.html'
    """
    return f"./{quote(name)}"


def size(number: int) -> str:
    r"""Return a number of bytes in words.

    >>> size(1_256_206), size(940)
    ('1.3\xa0MB', '1\xa0kB')
    """
    if number >= 950_000:
        return f"{number / 1e6:.1f}\N{NO-BREAK SPACE}MB"
    return f"{max(1, round(number / 1e3))}\N{NO-BREAK SPACE}kB"


@dataclass(frozen=True, kw_only=True, slots=True)
class Headline:
    """One strategy in one line.

    Attributes
    ----------
    strategy, title
        Its name and its name for readers.
    decision, word
        The decision, and how a reader is told it.
    npv, interval
        Net present value and its 90 % interval, rounded together.
    highest
        Whether no other strategy of the same table has a higher net present value.
    """

    strategy: str
    title: str
    decision: str
    word: str
    npv: str
    interval: str
    highest: bool


def headlines(returns: pl.DataFrame) -> tuple[Headline, ...]:
    """Return one line per strategy."""
    rows = returns.to_dicts()
    best = max((row["incremental_npv"] for row in rows), default=0.0)
    return tuple(
        _headline(row, highest="yes" if len(rows) > 1 and row["incremental_npv"] == best else "") for row in rows
    )


def _headline(row: Mapping[str, object], highest: str) -> Headline:
    npv, low, high = (float(str(row[name])) for name in ("incremental_npv", "npv_low", "npv_high"))
    together, decision = precision([npv, low, high]), str(row["decision"])
    return Headline(
        strategy=str(row["strategy"]),
        title=str(row["title"]),
        decision=decision if decision in BADGES else "other",
        word=BADGES.get(decision, decision),
        npv=together.text(npv),
        interval=f"{together.bare(low)} to {together.text(high)}",
        highest=bool(highest),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _File:
    name: str
    href: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    values_shown: tuple[str, ...]
    cells: tuple[Headline | None, ...]
    files: tuple[_File, ...]


def sweep_page(title: str, currency: str, *, keys: Sequence[str], points: Sequence[PointReturns], missing: int) -> str:
    """Return the page about a sweep."""
    titles = {row["strategy"]: row["title"] for point in points for row in point.returns.to_dicts()}
    number = "One combination" if len(points) == 1 else f"{len(points):,} combinations"
    content: dict[str, object] = {
        "opening": f"{number} of {', '.join(keys)}; every other number as in the scenario.",
        "reading": "The last line of a cell is the decision at that point. "
        "Highest: the strategy with the highest net present value of its row, whatever its decision.",
        "missing": _missing(missing),
        # In pieces, between which a narrow screen may break the line.
        "keys": [key.split(".") for key in keys],
        "currency": currency,
        "strategies": tuple(titles.values()),
        "points": [_row(point, tuple(titles)) for point in points],
    }
    return page_text("sweep.html.j2", title=title, content=content)


def _row(point: PointReturns, strategies: tuple[str, ...]) -> _Row:
    found = {one.strategy: one for one in headlines(point.returns)}
    files = [_File(name="Returns", href=link(f"{point.folder}/returns.csv"))]
    if point.page is not None:
        files.insert(0, _File(name="Report", href=link(point.page)))
    return _Row(
        values_shown=tuple(value for _, value in point.values),
        cells=tuple(found.get(name) for name in strategies),
        files=tuple(files),
    )


def _missing(number: int) -> str:
    if number == 0:
        return ""
    return (
        f"{'One combination' if number == 1 else f'{number:,} combinations'} could not be played out and is left out."
    )


# Each is a study of its own; more of them are a slip of the finger.
_MOST = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One combination of a grid.

    Attributes
    ----------
    values
        The swept keys and their values as text, in the order of the grid's keys.
    changes
        The same as `canonical` writes them.
    scenario
        The scenario with these numbers.
    """

    values: tuple[tuple[str, str], ...]
    changes: str
    scenario: Scenario


def grid(given: str, over: Sequence[str]) -> tuple[Point, ...]:
    """Return all combinations of the values of several numbers; the last number changes fastest."""
    axes = [_axis(text) for text in over]
    keys = [key for key, _ in axes]
    if not axes:
        raise ParamError("a sweep needs at least one number and its values, such as economics.gross_margin=0.3,0.4.")
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise ParamError(f"swept twice: {', '.join(twice)}; write all values of a number behind each other.")
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
            f"the effects of {scenario.name} are searched, not believed (mode: break-even), so there are no returns to "
            "sweep; use `cxsim break-even`."
        )
    return tuple(points)


def _axis(text: str) -> tuple[str, list[str]]:
    key, sign, listed = (piece.strip() for piece in text.partition("="))
    values = [value.strip() for value in listed.split(",")]
    if not (key and sign) or not all(values):
        raise ParamError(f"'{text}': it must be KEY=VALUE,VALUE,..., such as economics.gross_margin=0.3,0.4.")
    spelt = [canonical(f"{key}={value}") for value in values]
    if len(set(spelt)) < len(spelt):
        raise ParamError(f"'{text}': a value is named twice; name each once.")
    return key, spelt


Wanted = Literal["returns", "reports"]
TABLE_FILE = "sweep.csv"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweep:
    """What a sweep found.

    Attributes
    ----------
    outcomes
        What became of each point, in the order of the grid.
    returns
        The returns of the points that there are, in the same order.
    table
        The file with one row per point and strategy.
    index
        The page about all points.
    """

    outcomes: tuple[Outcome, ...]
    returns: tuple[PointReturns, ...]
    table: Path
    index: Path


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
    """Play out a scenario for every combination of some of its numbers.

    May be stopped at any moment; the next call makes what is missing.
    """
    points = grid(given, over)
    scenario = points[0].scenario
    folder = (root() / "reports" / "sweeps" / scenario.name if out is None else out).absolute()
    tasks = [_task(given, point, folder, wanted) for point in points]
    outcomes = make_all(tasks, jobs=jobs, again=again, watch=watch)
    returns = tuple(
        PointReturns(
            values=point.values,
            returns=read_returns(task.folder / RETURNS_FILE),
            page=task.page.name if wanted == "reports" else None,
            folder=task.folder.name,
        )
        for point, task, outcome in zip(points, tasks, outcomes, strict=True)
        if outcome.state != "failed"
    )
    table, index = folder / TABLE_FILE, folder / INDEX
    keys = [key for key, _ in points[0].values]
    write_text(table, sweep_csv(keys, returns))
    missing = len(points) - len(returns)
    write_text(
        index, sweep_page(scenario.title, scenario.economics.currency, keys=keys, points=returns, missing=missing)
    )
    return Sweep(outcomes=outcomes, returns=returns, table=table, index=index)


def _task(given: str, point: Point, folder: Path, wanted: Wanted) -> Task:
    place = str(Path(given).resolve()) if given.endswith((".yaml", ".yml")) else given
    notebook = root() / "notebooks" / notebook_of(point.scenario)
    page = folder / page_name("", point.changes)
    as_report = report_inputs(point.scenario, given, notebook=notebook, code="hidden")
    name = page.with_suffix("").name
    if wanted == "reports":
        report = ReportWork(
            notebook=notebook,
            parameters={"scenario": place, "changes": point.changes},
            title=f"{point.scenario.title} ({point.changes})",
        )
        return Task(name=name, page=page, inputs=as_report, work=report)
    study = StudyWork(scenario=place, changes=point.changes)
    return Task(name=name, page=page, inputs=study_inputs(point.scenario, given), also=(as_report,), work=study)


@dataclass(frozen=True, kw_only=True, slots=True)
class _ReportsPageFile:
    name: str
    href: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Listed:
    title: str
    changes: str
    currency: str
    name: str
    href: str
    size: str
    returns: tuple[Headline, ...]
    tables: tuple[_ReportsPageFile, ...]


def write_reports_index(folder: Path) -> Path:
    """Write index.html about all whole reports in a folder, those of earlier days too."""
    pages = sorted(path for path in folder.glob("*.html") if path.name != INDEX)
    found = [one for page in pages if (one := _listed(page)) is not None]
    number = "One report" if len(found) == 1 else f"{len(found):,} reports"
    opening = f"{number}. Net present values are against doing nothing, in each report's own currency."
    write_text(
        folder / INDEX, page_text("reports.html.j2", title="Reports", content={"reports": found, "opening": opening})
    )
    return folder / INDEX


def _listed(page: Path) -> _Listed | None:
    """Return what is said of a report; None where its files are not those that were written together."""
    folder = page.with_suffix("")
    record = record_of(folder)
    if record is None or not is_whole(record, page, needed={page.name}):
        return None
    tables = sorted(path.name for path in folder.glob("*.csv"))
    return _Listed(
        title=_text(record, "title") or page.stem,
        changes=_text(record, "changes"),
        currency=_text(record, "currency"),
        name=page.name,
        href=link(page.name),
        size=size(page.stat().st_size),
        returns=_returns(folder / "returns.csv"),
        tables=tuple(_ReportsPageFile(name=name, href=link(f"{folder.name}/{name}")) for name in tables),
    )


def _returns(path: Path) -> tuple[Headline, ...]:
    if not path.is_file():
        return ()
    try:
        return headlines(read_returns(path))
    except CxsimError:
        return ()


def _text(record: Mapping[str, object], name: str) -> str:
    found = record.get(name)
    return found if isinstance(found, str) else ""
