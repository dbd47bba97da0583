"""A report in; the same report made again from what it names, and every place at which the two differ, out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cxsim.audit.difference import Difference, marked
from cxsim.audit.finished import Finished, read_report
from cxsim.audit.folders import folder_differences
from cxsim.audit.ingredients import differing_data, differing_ingredients
from cxsim.audit.pages import differing_program, page_differences
from cxsim.errors import CxsimError, ReportError
from cxsim.report import make
from cxsim.report.execute import Parameter
from cxsim.report.recipe import Recipe, place_in_project, recipe_in

Agreement = Literal["bytes", "numbers", "neither"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Whether a report can be made again.

    Attributes
    ----------
    report
        The HTML file.
    agreement
        `bytes` when all bytes agree; `numbers` when only the commit or the versions of packages differ, and the places
        that name them; else `neither`.
    ingredients
        What the report was made from and is otherwise here.
    places
        Where the report and its second making differ, in the order of the page, then of the files beside it.
    files
        How many files beside the page were compared; 0 where the page came alone.
    """

    report: Path
    agreement: Agreement
    ingredients: tuple[Difference, ...]
    places: tuple[Difference, ...]
    files: int


def verify(report: Path, *, progress: Callable[[str], None] | None = None) -> Verdict:
    """Make a report again, from the notebook and the parameters that it names, and compare."""
    finished = read_report(report)
    recipe = _recipe(finished)
    notebook, parameters = _found(finished, recipe)
    ingredients = list(differing_ingredients(finished.provenance, recipe))
    with tempfile.TemporaryDirectory(prefix="cxsim-verify-", ignore_cleanup_errors=True) as folder:
        out = Path(folder) / recipe.page
        try:
            make(notebook, parameters=parameters, title=recipe.title, out=out, code=recipe.code, progress=progress)
        except CxsimError as error:
            raise ReportError(_failure(report, error, ingredients)) from error
        again = read_report(out)
        program = differing_program(finished.provenance, again.provenance)
        places = page_differences(finished.text, again.text, program)
        beside = _beside(report, recipe)
        if beside is not None:
            found = folder_differences(beside, out.with_suffix(""), out.name)
            places += [marked(place, program) for place in found]
    ingredients += differing_data(finished.provenance, again.provenance)
    return Verdict(
        report=report,
        agreement=_agreement(places),
        ingredients=tuple(ingredients),
        places=tuple(places),
        files=0 if beside is None else sum(path.is_file() for path in beside.rglob("*")),
    )


def _recipe(finished: Finished) -> Recipe:
    try:
        recipe = recipe_in(finished.provenance)
    except ReportError as error:
        raise ReportError(f"{finished.path}: {error}") from error
    if recipe is None:
        command = finished.provenance.get("command")
        advice = f"make it anew with: {command}" if command else "make it anew with `cxsim report`"
        raise ReportError(f"{finished.path}: the report does not say by which notebook it was made; {advice}")
    return recipe


def _found(finished: Finished, recipe: Recipe) -> tuple[Path, dict[str, Parameter]]:
    """Return notebook and parameters with paths of this machine."""
    if recipe.paths_outside:
        missing = ", ".join(f"{recipe.parameters.get(name, recipe.notebook)} ({name})" for name in recipe.paths_outside)
        raise ReportError(
            f"{finished.path}: made from files outside of the project, which a report does not carry: {missing}. "
            "Put them into the project, make the report from there, and it can be verified."
        )
    try:
        notebook = place_in_project(recipe.notebook)
        paths = {name: str(place_in_project(str(recipe.parameters.get(name, "")))) for name in recipe.paths_in_project}
    except ReportError as error:
        raise ReportError(f"{finished.path}: it cannot be made again here: {error}") from error
    return notebook, {**recipe.parameters, **paths}


def _failure(report: Path, error: CxsimError, ingredients: list[Difference]) -> str:
    lines = [f"{report}: it cannot be made again here: {error}"]
    if ingredients:
        lines += ["What it was made from is otherwise here:", *(one.sentence("here it is") for one in ingredients)]
    return "\n".join(lines)


def _beside(report: Path, recipe: Recipe) -> Path | None:
    """Return the report's folder of tables: of the file's name, or of its name when it was made."""
    for name in (report.name, recipe.page):
        folder = report.with_name(name).with_suffix("")
        if folder.is_dir():
            return folder
    return None


def _agreement(places: list[Difference]) -> Agreement:
    if not places:
        return "bytes"
    return "numbers" if all(place.about == "program" for place in places) else "neither"
