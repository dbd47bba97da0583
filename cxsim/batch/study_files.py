"""A study in; its returns as CSV and its manifest in a folder of their own, both or neither, out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from cxsim.errors import ReportError
from cxsim.exhibits import returns_table
from cxsim.mimes import TABLE
from cxsim.report.audit import manifest_json
from cxsim.report.twins import csv_text, twin_of
from cxsim.report.write import staging
from cxsim.study import Study

if TYPE_CHECKING:
    from nbformat import NotebookNode

RETURNS_FILE = "returns.csv"


def write_study(study: Study, page: Path, *, stamp: Mapping[str, str]) -> Path:
    """Write returns.csv and manifest.json where a report of the same name would have them."""
    shown = returns_table(study.returns, study.currency)
    twin = twin_of(cast("NotebookNode", {"data": {TABLE: shown.machine()}}))
    text = "" if twin is None else csv_text(twin)
    digests = {RETURNS_FILE: hashlib.sha256(text.encode()).hexdigest()}
    record = manifest_json({**study.manifest, **stamp, "files": digests}, indent=2) + "\n"
    with staging(page) as staged:
        try:
            _swap(staged, page, {RETURNS_FILE: text, "manifest.json": record})
        except OSError as cause:
            raise ReportError(f"{page.with_suffix('')}: cannot be written ({cause.strerror}).") from cause
    return page.with_suffix("")


def _swap(staged: Path, page: Path, files: Mapping[str, str]) -> None:
    tables, folder = staged / "tables", page.with_suffix("")
    tables.mkdir()
    for name, text in files.items():
        (tables / name).write_text(text, encoding="utf-8", newline="\n")
    if folder.exists():
        folder.rename(staged / "old")
    tables.rename(folder)
    page.unlink(missing_ok=True)
