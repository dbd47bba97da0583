"""A folder of reports in; a page that lists every whole report in it, with its question and its decisions, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cxsim.batch.headline import Headline, headlines
from cxsim.batch.pages import link, page_text, size
from cxsim.batch.task import is_whole, record_of
from cxsim.batch.writing import INDEX, write_text
from cxsim.errors import CxsimError
from cxsim.valuation import read_returns


@dataclass(frozen=True, kw_only=True, slots=True)
class _File:
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
    tables: tuple[_File, ...]


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
        tables=tuple(_File(name=name, href=link(f"{folder.name}/{name}")) for name in tables),
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
