"""How a report was made, in plain values without a path of this machine; and the way back, to make it again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from cxsim.errors import ParamError, ReportError
from cxsim.params import root
from cxsim.report.execute import Parameter
from cxsim.report.nodes import read_notebook
from cxsim.report.render import Code

# Its name in the provenance of a report.
RECIPE = "report"


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """What `make` was given.

    Attributes
    ----------
    page
        Name of the HTML file; its links to the tables hold it.
    title
        Title of the page.
    code
        Whether a reader sees the notebook's code.
    notebook
        Its place in the project; its name alone where it lies outside.
    notebook_sha256
        Hash of the cells that are run and shown, not of outputs that happen to be stored with them.
    parameters
        By their names. A path inside the project is relative to it, of any other only the name is kept.
    paths_in_project
        Parameters that are paths inside the project.
    paths_outside
        What lies outside: parameters, or `notebook`. It cannot be found again from here.
    """

    page: str
    title: str
    code: Code
    notebook: str
    notebook_sha256: str
    parameters: Mapping[str, Parameter]
    paths_in_project: tuple[str, ...]
    paths_outside: tuple[str, ...]

    def entries(self) -> dict[str, object]:
        """Return the recipe as an entry of the provenance."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def recipe_of(notebook: Path, parameters: Mapping[str, Parameter], *, title: str, out: Path, code: Code) -> Recipe:
    """Return how a report is made."""
    kept: dict[str, Parameter] = {}
    inside, outside = list[str](), list[str]()
    # Sorted, because the page shows them and a report that is made again reads them from sorted JSON.
    for name, value in sorted(parameters.items()):
        kept[name] = value
        if isinstance(value, str) and Path(value).is_absolute():
            place = _in_project(Path(value))
            kept[name] = place or Path(value).name
            (inside if place else outside).append(name)
    place = _in_project(notebook)
    return Recipe(
        page=out.name,
        title=title,
        code=code,
        notebook=place or notebook.name,
        notebook_sha256=notebook_hash(notebook),
        parameters=kept,
        paths_in_project=tuple(inside),
        paths_outside=tuple(outside if place else [*outside, "notebook"]),
    )


def notebook_hash(notebook: Path) -> str:
    """Return the hash of a notebook's cells: their kind, their text and their tags."""
    cells = [[cell.cell_type, cell.source, cell.metadata.get("tags", [])] for cell in read_notebook(notebook).cells]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def recipe_in(provenance: Mapping[str, object]) -> Recipe | None:
    """Return the recipe that the provenance of a report holds; None where it has none."""
    entries = provenance.get(RECIPE)
    if entries is None:
        return None
    if not isinstance(entries, Mapping) or set(entries) != set(Recipe.__dataclass_fields__):
        raise ReportError(f"its '{RECIPE}' must have exactly the entries {', '.join(Recipe.__dataclass_fields__)}.")
    texts = ("page", "title", "code", "notebook", "notebook_sha256")
    lists = ("paths_in_project", "paths_outside")
    sound = (
        all(isinstance(entries[name], str) for name in texts)
        and all(isinstance(entries[name], list) for name in lists)
        and isinstance(entries["parameters"], Mapping)
        and all(isinstance(value, (str, int, float)) for value in entries["parameters"].values())
        and entries["code"] in ("hidden", "shown")
        # The page is made again under its own name, in a folder that is thrown away: it must not lead out of it.
        and PurePosixPath(entries["page"]).name == entries["page"]
        and "\\" not in entries["page"]
    )
    if not sound:
        raise ReportError(f"its '{RECIPE}' has an entry of another kind than `cxsim report` writes.")
    given: dict[str, Any] = {**entries, **{name: tuple(map(str, entries[name])) for name in lists}}
    return Recipe(**given)


def place_in_project(place: str) -> Path:
    """Return the path of a place that a recipe names."""
    project = root().resolve()
    found = (project / place).resolve()
    if not found.is_relative_to(project):
        raise ReportError(f"{place} leads out of the project.")
    if not found.exists():
        raise ReportError(f"there is no {place} in this project.")
    return found


def _in_project(path: Path) -> str | None:
    try:
        project = root().resolve()
    except ParamError:
        return None
    found = path.resolve()
    return found.relative_to(project).as_posix() if found.is_relative_to(project) else None
