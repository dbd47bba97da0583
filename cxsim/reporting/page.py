"""A notebook and its parameters in, a report on disk out: one HTML file, with its tables and its text beside it."""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cxsim.errors import ReportError, naming
from cxsim.library import at, library, root
from cxsim.params import sound
from cxsim.reporting.execute import Parameters, Say, execute, staging_prefix
from cxsim.reporting.markdown import markdown
from cxsim.reporting.render import Code, manifest_in, packed_bundle, read_notebook, render
from cxsim.reporting.twins import csv_text, digest, harvest, json_text, tables_json
from cxsim.reporting.workbook import workbook

# Its name in the provenance of a report.
_RECIPE = "report"
# What lies beside the page, but for files of tables.
_WHOLE = frozenset({"report.md", "workbook.xlsx"})
_PAGE, _TABLES, _OLD = "page.html", "tables", "old"


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """What `make` was given."""

    # Name of the HTML file, which its links to the tables hold; made again, it must not lead out of its folder.
    page: str
    title: str
    code: Code  # whether a reader sees the notebook's code
    notebook: str  # its place in the project; its name alone where it lies outside
    notebook_sha256: str  # of the cells that are run and shown, not of stored outputs
    # A path inside the project is relative to it, of any other only the name is kept.
    parameters: Parameters
    paths_in_project: tuple[str, ...]  # parameters that are paths inside the project
    paths_outside: tuple[str, ...]  # parameters, or `notebook`, that cannot be found again from here

    def __post_init__(self) -> None:
        if re.search(r"[/\\]", self.page):
            raise ValueError(f"page '{self.page}' leads out of its folder")


def make(
    notebook: Path,
    *,
    parameters: Parameters,
    title: str,
    out: Path,
    code: Code = "hidden",  # whether a reader sees the notebook's code
    stamp: Mapping[str, str] | None = None,
    progress: Say | None = None,
) -> tuple[str, ...]:
    """Execute a notebook, write it as an HTML file with its tables and text beside it; return the files of tables.

    What an output of kind MANIFEST says becomes the audit trail, with how the report was made and hashes of its tables.
    """
    out = out.absolute()
    with staging(out) as folder, ThreadPoolExecutor(max_workers=1) as aside:
        # While the notebook is at work; loading the libraries of live charts takes seconds.
        ready = aside.submit(packed_bundle)
        executed = execute(notebook, parameters, progress=progress)
        ready.result()
        if progress is not None:
            progress("tables and charts")
        twins = harvest(executed)
        tables = {f"{twin.id}.csv": csv_text(twin) for twin in twins}
        manifest = {
            **manifest_in(executed),
            _RECIPE: asdict(recipe_of(notebook, parameters, title=title, out=out, code=code)),
            "tables_sha256": {name: digest(text) for name, text in tables.items()},
        }
        page = render(executed, title=title, manifest=manifest, tables=out.stem, twins=twins, code=code)
        files: dict[str, str | bytes] = {
            **tables,
            "tables.json": tables_json(twins),
            "workbook.xlsx": workbook(title, twins, manifest),
            "report.md": markdown(page, out.name),
        }
        publish(folder, out, page=page, files=files, record={**manifest, **(stamp or {})})
    return tuple(tables)


def notebook_hash(notebook: Path) -> str:
    """Return the hash of a notebook's cells: their kind, their text and their tags."""
    cells = [[cell.cell_type, cell.source, cell.metadata.get("tags", [])] for cell in read_notebook(notebook).cells]
    return digest(json.dumps(cells))


def recipe_of(notebook: Path, parameters: Parameters, *, title: str, out: Path, code: Code) -> Recipe:
    """Return how a report is made."""
    # Sorted, because the page shows them and a report that is made again reads them from sorted JSON.
    kept = dict(sorted(parameters.items()))
    paths = {name: Path(value) for name, value in kept.items() if isinstance(value, str) and Path(value).is_absolute()}
    places = {name: _in_project(path) for name, path in [*paths.items(), ("notebook", notebook)]}
    kept |= {name: places[name] or path.name for name, path in paths.items()}
    return Recipe(
        page=out.name,
        title=title,
        code=code,
        notebook=places["notebook"] or notebook.name,
        notebook_sha256=notebook_hash(notebook),
        parameters=kept,
        paths_in_project=tuple(name for name in paths if places[name]),
        paths_outside=tuple(name for name, place in places.items() if not place),
    )


def recipe_in(provenance: Mapping[str, Any]) -> Recipe:
    """Return the recipe that the provenance of a report holds."""
    if _RECIPE not in provenance:
        command = provenance.get("command", "`cxsim report`")
        raise ReportError(f"the report does not name the notebook that made it; rebuild it with: {command}")
    return sound(Recipe, provenance[_RECIPE], "its record of how it was made is not one written by `cxsim report`")


def place_in_project(place: str) -> Path:
    """Return the path of a place that a recipe names."""
    found = at(place)
    if _in_project(found) is None:
        raise ReportError(f"{place} leads out of the project.")
    if not found.exists():
        raise ReportError(f"there is no {place} in this project.")
    return found.resolve()


@contextlib.contextmanager
def staging(out: Path) -> Iterator[Path]:
    """Open an empty folder beside a report that is to be written, and remove it afterwards."""
    out = out.absolute()
    _require_own(out)
    new = [folder for folder in (out.parent, *out.parent.parents) if not folder.exists()]
    try:
        with naming(out, f"the report cannot be written into {out.parent}"):
            out.parent.mkdir(parents=True, exist_ok=True)
            folder = tempfile.TemporaryDirectory(
                prefix=staging_prefix(out.stem), dir=out.parent, ignore_cleanup_errors=True
            )
        with folder as name:
            yield Path(name)
    finally:
        for one in new:
            with contextlib.suppress(OSError):
                one.rmdir()


def publish(
    folder: Path, out: Path, *, page: str | None, files: Mapping[str, str | bytes], record: Mapping[str, object]
) -> None:
    """Write a report into its staging folder and put it in the place of an older one; without a page, its files.

    A manifest beside them has what is recorded, and the hash of each file.
    """
    written = {f"{_TABLES}/{name}": content for name, content in files.items()}
    digests = {name: digest(content) for name, content in files.items()}
    if page is not None:
        written[_PAGE], digests[out.name] = page, digest(page)
    written[f"{_TABLES}/manifest.json"] = json_text({**record, "files": digests}, indent=2) + "\n"
    with naming(out, "the report cannot be written"):
        (folder / _TABLES).mkdir()
        for name, content in written.items():
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        _swap(folder, out)


def _swap(folder: Path, out: Path) -> None:
    tables = out.with_suffix("")
    new, old, page = (folder / name for name in (_TABLES, _OLD, _PAGE))
    try:
        if tables.exists():
            tables.rename(old)
        new.rename(tables)
        if page.exists():
            page.replace(out)
        else:
            out.unlink(missing_ok=True)
    except BaseException:
        if not new.exists():
            tables.rename(new)
        if old.exists():
            old.rename(tables)
        raise


def _in_project(path: Path) -> str | None:
    """Return a path relative to the project, or of a notebook to the library; None where it leads out of both."""
    whole = path.resolve()
    folders = [root().resolve(), *([library()] if whole.suffix == ".ipynb" else [])]
    return next((whole.relative_to(one).as_posix() for one in folders if whole.is_relative_to(one)), None)


def _require_own(out: Path) -> None:
    if out.suffix != ".html":
        raise ReportError(f"{out}: a report's name must end with .html.")
    if out.is_dir():
        raise ReportError(f"{out}: this is a folder; a report is a file.")
    beside = out.with_suffix("")
    ours = beside.is_dir() and not beside.is_symlink()
    # What an older report left, and nothing that its owner would miss.
    names = [path.name for path in beside.iterdir()] if ours else []
    ours &= not names or "manifest.json" in names
    if beside.exists() and not (ours and all(name.endswith((".csv", ".json")) or name in _WHOLE for name in names)):
        raise ReportError(
            f"{beside}: the report's tables belong here, but this is no folder of tables; "
            "move it away, or choose another name."
        )
