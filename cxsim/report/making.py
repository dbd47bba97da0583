"""A notebook and its parameters go in, a report on disk comes out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cxsim.report.audit import manifest_in, manifest_json
from cxsim.report.execute import Parameter, execute
from cxsim.report.render import Code, render
from cxsim.report.twins import csv_text, harvest
from cxsim.report.write import publish, staging


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportFiles:
    """The files of a report.

    Attributes
    ----------
    html
        The page, complete in itself.
    tables
        The same tables as CSV, in the order in which the page shows them.
    """

    html: Path
    tables: tuple[Path, ...]


def make(
    notebook: Path,
    *,
    parameters: Mapping[str, Parameter],
    title: str,
    out: Path,
    code: Code = "hidden",
    progress: Callable[[str], None] | None = None,
) -> ReportFiles:
    """Execute a notebook and write it as one HTML file, with its tables as CSV beside it.

    What an output of kind MANIFEST says becomes the audit trail.

    Parameters
    ----------
    notebook
        A Jupyter notebook; it is run in its own folder by this interpreter, and not changed.
    parameters
        Values for the names in the cell tagged `parameters`.
    title
        Title of the page.
    out
        The HTML file; `report.html` brings a folder `report` with the tables and `manifest.json`.
    code
        Whether a reader sees the notebook's code.
    progress
        Called with one short line at each step.

    Returns
    -------
    ReportFiles
        What was written. The same outputs give the same bytes.

    Raises
    ------
    ReportError
        When the report cannot be made; nothing is then written, and an older report stays as it was.
    """
    say = progress if progress is not None else _silent
    out = out.absolute()
    with staging(out) as folder:
        executed = execute(notebook, parameters, progress=say)
        say("tables and charts")
        twins = harvest(executed)
        manifest = manifest_in(executed)
        page = render(executed, title=title, manifest=manifest, tables=out.stem, code=code)
        tables = {f"{twin.id}.csv": csv_text(twin) for twin in twins}
        digests = {name: _digest(text) for name, text in {out.name: page, **tables}.items()}
        record = manifest_json({**manifest, "files": digests}, indent=2) + "\n"
        written = publish(folder, out, page=page, files={**tables, "manifest.json": record})
    return ReportFiles(html=out, tables=written[:-1])


def _silent(line: str) -> None:
    """Say nothing."""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
