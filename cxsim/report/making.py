"""A notebook and its parameters go in, a report on disk comes out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from cxsim.report.audit import manifest_in, manifest_json
from cxsim.report.bundle import packed_bundle
from cxsim.report.execute import Parameter, execute
from cxsim.report.markdown import markdown
from cxsim.report.recipe import RECIPE, recipe_of
from cxsim.report.render import Code, render
from cxsim.report.twins import csv_text, harvest, tables_json
from cxsim.report.workbook import workbook
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
    whole
        All tables in one JSON file and in one workbook, and the page as Markdown.
    """

    html: Path
    tables: tuple[Path, ...]
    whole: tuple[Path, ...]


def make(
    notebook: Path,
    *,
    parameters: Mapping[str, Parameter],
    title: str,
    out: Path,
    code: Code = "hidden",
    stamp: Mapping[str, str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> ReportFiles:
    """Execute a notebook and write it as one HTML file, with its tables and its text in other formats beside it.

    What an output of kind MANIFEST says becomes the audit trail, with how the report was made and hashes of its tables.
    """
    say = progress if progress is not None else _silent
    out = out.absolute()
    with staging(out) as folder, ThreadPoolExecutor(max_workers=1) as aside:
        # While the notebook is at work; loading the libraries of live charts takes seconds.
        ready = aside.submit(packed_bundle)
        executed = execute(notebook, parameters, progress=say)
        ready.result()
        say("tables and charts")
        twins = harvest(executed)
        tables = {f"{twin.id}.csv": csv_text(twin) for twin in twins}
        recipe = recipe_of(notebook, parameters, title=title, out=out, code=code)
        manifest = {
            **manifest_in(executed),
            RECIPE: recipe.entries(),
            "tables_sha256": {name: _digest(text) for name, text in tables.items()},
        }
        book = aside.submit(workbook, title, twins, manifest)
        page = render(executed, title=title, manifest=manifest, tables=out.stem, twins=twins, code=code)
        whole: dict[str, str | bytes] = {
            "tables.json": tables_json(twins),
            "workbook.xlsx": book.result(),
            "report.md": markdown(page, out.name),
        }
        digests = {name: _digest(content) for name, content in {**whole, **tables, out.name: page}.items()}
        record = manifest_json({**manifest, **(stamp or {}), "files": digests}, indent=2) + "\n"
        written = publish(folder, out, page=page, files=tables | whole | {"manifest.json": record})
    return ReportFiles(html=out, tables=written[: len(tables)], whole=written[len(tables) : -1])


def _silent(line: str) -> None:
    """Say nothing."""


def _digest(content: str | bytes) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()
