"""The stored outputs of the notebooks in; every figure as a drawing, and a notebook as a page, out.

The notebooks are the small cases whose outputs the tests compare with the code, so nothing is simulated here but what
none of them shows.
"""

from __future__ import annotations

import ast
import inspect
import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple, get_args, get_type_hints

import nbformat
from reference import MAKERS
from sphinx.application import Sphinx

import cxsim
from checks.source import ROOT
from cxsim import reporting
from cxsim.reporting.drawings import draw
from cxsim.reporting.tables import CHART

NOTEBOOKS = ROOT / "notebooks"
HTML = "text/html"
# Needs a scenario with several dropout models; smaller than any notebook's, the pictures being what matters.
_SEVERAL_MODELS = ("cdnow-quick", "dropout=all; draws=4; horizon_months=12")


class Shown(NamedTuple):
    """One output of a notebook: the expression that made it, and what is stored, by MIME type."""

    notebook: str
    expression: str
    data: dict[str, Any]


def setup(_app: Sphinx) -> dict[str, bool]:
    """Add what this file makes to what pages can ask for."""
    MAKERS.update(gallery=gallery, notebook=notebook)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def figures() -> dict[str, tuple[str, ...]]:
    """Return the functions of `cxsim.reporting` that draw, each with the parts that it can be asked for."""
    found = {}
    for name in reporting.__all__:
        hints = inspect.get_annotations(getattr(reporting, name))
        if "Figure" in str(hints.get("return")):
            found[name] = get_args(get_type_hints(getattr(reporting, name)).get("part"))
    return found


def pictures() -> dict[str, list[Shown]]:
    """Return what the notebooks show of each figure; refuse one of which there is no picture."""
    charts = [
        shown for path in sorted(NOTEBOOKS.glob("*.ipynb")) for shown in outputs(path.stem) if CHART in shown.data
    ]
    unique = {shown.expression: shown for shown in reversed([*charts, *_further(charts)])}
    found: dict[str, list[Shown]] = {name: [] for name in figures()}
    for shown in reversed(unique.values()):
        found[_function(shown.expression)].append(shown)
    for name, parts in figures().items():
        text = " ".join(shown.expression for shown in found[name])
        if missing := [part for part in parts if f"'{part}'" not in text] or ([] if found[name] else [""]):
            raise LookupError(f"no picture of {name} {missing}: show it in a notebook, or in _further.")
    return found


def outputs(notebook: str) -> Iterator[Shown]:
    """Yield each stored output of a notebook with the expression that made it."""
    for cell in nbformat.read(NOTEBOOKS / f"{notebook}.ipynb", as_version=4).cells:  # type: ignore[no-untyped-call]
        if cell.cell_type == "code":
            yield from _of_cell(notebook, cell)


def _of_cell(notebook: str, cell: nbformat.NotebookNode) -> Iterator[Shown]:
    stored: list[dict[str, Any]] = [one["data"] for one in cell["outputs"] if "data" in one]
    parts = list(_displayed(ast.parse(cell.source).body))
    several = 1 + len(stored) - len(parts)  # of an argument with a star, of which a cell has one at most
    places = ([part] * (several if isinstance(part, ast.Starred) else 1) for part in parts)
    expressions = [ast.unparse(part).removeprefix("*") for part in itertools.chain.from_iterable(places)]
    # The progress of a run stands before what the cell shows; what differs between machines is not stored.
    last = stored[len(stored) - len(expressions) :] if stored else []
    for expression, data in zip(expressions if stored else [], last, strict=True):
        yield Shown(notebook, expression, data)


def _displayed(statements: list[ast.stmt]) -> Iterator[ast.expr]:
    """Yield what a cell shows: what `display` is given, and its last value."""
    for statement in statements:
        if isinstance(statement, ast.Expr) and isinstance(call := statement.value, ast.Call):
            if isinstance(call.func, ast.Name) and call.func.id == "display":
                yield from call.args
            elif statement is statements[-1]:
                yield call


def _further(charts: list[Shown]) -> Iterator[Shown]:
    """Yield figures that no notebook shows, since its scenario has a single dropout model."""
    if not any("npv_by_structure" in shown.expression for shown in charts):
        reporting.enable()
        study = cxsim.run(cxsim.load_scenario(*_SEVERAL_MODELS))
        drawn: Any = reporting.npv_by_structure(study.structures, study.currency)
        data = drawn._repr_mimebundle_()[0]
        yield Shown("", "show.npv_by_structure(study.structures, study.currency)", data)


def _function(expression: str) -> str:
    return expression.partition("(")[0].removeprefix("show.")


def gallery() -> str:
    """Return every figure with its drawing, what it shows, and the call that makes it."""
    lines = []
    for name, shown in pictures().items():
        lines += [f"(figure-{name})=", "", f"## {_words(name)}", ""]
        lines += [inspect.getdoc(getattr(reporting, name)).split("\n", 1)[0], ""]  # type: ignore[union-attr]
        for number, one in enumerate(shown):
            where = f", as in the notebook `{one.notebook}`" if one.notebook else ""
            lines += [*_drawn(one.data, f"{name}-{number}"), f"`{one.expression}`{where}.", ""]
    return "\n".join(lines)


def notebook(name: str) -> str:
    """Return a notebook as Markdown below its title, with its stored tables and figures and without its code."""
    book = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    lines = []
    for place, cell in enumerate(book.cells):
        if cell.cell_type == "markdown":
            lines += [cell.source.split("\n", 1)[-1] if place == 0 else cell.source, ""]
        elif cell.cell_type == "code":
            for number, shown in enumerate(_of_cell(name, cell)):
                lines += _drawn(shown.data, f"{name}-{place}-{number}")
    return "\n".join(lines)


def _drawn(data: dict[str, Any], anchor: str) -> list[str]:
    """Return an output as raw HTML: a chart as a drawing that takes the colours of the page, a table as it is."""
    if CHART in data:
        figure = draw(data[CHART], f"drawing-{anchor}")
        label = figure.label.replace('"', "&quot;")
        markup = f'<figure class="cx-figure" role="img" aria-label="{label}">{figure.svg}</figure>'
    else:
        markup = f'<div class="cx-output">{data.get(HTML, "")}</div>'
    return ["```{raw} html", "\n".join(filter(str.strip, markup.splitlines())), "```", ""]


def _words(name: str) -> str:
    words = name.replace("_", " ").replace("npv", "NPV").replace("ltv", "LTV").replace("nps", "NPS")
    return words[0].upper() + words[1:]
