"""The HTML file of a report in; its text, what it says of its making, and the tables that it carries, out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cxsim.errors import ReportError
from cxsim.report.embedded import tables_in
from cxsim.report.twins import Twin

_OURS = re.compile(r'<meta name="generator" content="cxsim[^"]*">')
_SCRIPT = r'<script id="{}" type="application/json">(.*?)</script>'
# The meta elements stand before the style sheet.
_HEAD = 4_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """A report as it was read.

    Attributes
    ----------
    path
        The HTML file.
    text
        All of it.
    provenance
        What it says of its making.
    tables
        Those of its tables that the page carries, by their ids; None where it carries none.
    """

    path: Path
    text: str
    provenance: Mapping[str, object]
    tables: Mapping[str, Twin] | None


def read_report(path: Path) -> Finished:
    """Read a report."""
    text = _text(path)
    if not _OURS.search(text[:_HEAD]):
        raise ReportError(f"{path}: this is no report of cxsim; name an HTML file that `cxsim report` has written.")
    found = embedded_text(text, "provenance")
    if found is None:
        raise ReportError(f"{path}: the report has no provenance, by which it could be made again or compared.")
    try:
        provenance = json.loads(found)
    except ValueError as error:
        raise ReportError(f"{path}: its provenance is not JSON: {error}.") from error
    if not isinstance(provenance, dict):
        raise ReportError(f"{path}: its provenance is no mapping of names to values.")
    tables = embedded_text(text, "tables")
    try:
        return Finished(
            path=path, text=text, provenance=provenance, tables=None if tables is None else tables_in(tables)
        )
    except ReportError as error:
        raise ReportError(f"{path}: {error}") from error


def embedded_text(page: str, name: str) -> str | None:
    """Return what a page carries in its script element of this id; None where there is none."""
    found = re.search(_SCRIPT.format(name), page, re.DOTALL)
    return found[1] if found else None


def _text(path: Path) -> str:
    if path.is_dir():
        raise ReportError(f"{path}: this is a folder; name the HTML file of a report.")
    try:
        return path.read_bytes().decode()
    except FileNotFoundError as error:
        raise ReportError(f"{path}: there is no such file.") from error
    except OSError as error:
        raise ReportError(f"{path}: the report cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ReportError(f"{path}: this is no report of cxsim: it is not written in UTF-8.") from error
