"""An executed notebook goes in, the text of one HTML file that needs no network comes out."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from traitlets.config import Config

from cxsim.errors import ReportError
from cxsim.mimes import CHART, MANIFEST, TABLE
from cxsim.report.audit import manifest_json, trail
from cxsim.report.bundle import packed_bundle, vega_bundle
from cxsim.report.embedded import embedded
from cxsim.report.figures import Figure, draw
from cxsim.report.normalise import normalised
from cxsim.report.tidy import tidy
from cxsim.report.twins import Twin, twin_of

Code = Literal["hidden", "shown"]

_TEMPLATES = Path(__file__).parent / "templates"
_PAGES = Environment(
    loader=FileSystemLoader(_TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_SHOWN = ["text/html", "text/markdown", "image/svg+xml", "image/png", "image/jpeg", "text/plain"]
# nbconvert's classes carry no types.
_EXPORTER: Callable[..., Any] = HTMLExporter
_SLOT = '<div class="cx-slot" data-figure="{}"></div>'
_SLOT_FOUND = re.compile(r'<div class="cx-slot" data-figure="([a-z0-9-]+)"></div>')
# Code in backticks is left alone; any other dollar sign is money, not the beginning of a formula.
_CODE_OR_DOLLAR = re.compile(r"(`+)[\s\S]+?\1|\$")
_OWN_IDS = frozenset({"content", "contents", "audit-trail", "provenance", "tables", "cx-bundle"})


def render(
    notebook: NotebookNode,
    *,
    title: str,
    manifest: Mapping[str, object],
    tables: str,
    twins: Sequence[Twin] = (),
    code: Code = "hidden",
) -> str:
    """Render an executed notebook as one HTML file."""
    clean = normalised(notebook)
    figures = _replace_outputs(clean, tables)
    reserved = _OWN_IDS | {figure.id for figure in figures.values()}
    body = tidy(_fragment(clean, code), reserved=frozenset(reserved))
    drawn = {name: _PAGES.get_template("figure.html.j2").render(figure=figure) for name, figure in figures.items()}
    scripts = [_asset("live.js")] if figures else []
    bundle = [vega_bundle()] if figures else []
    return _PAGES.get_template("page.html.j2").render(
        title=title,
        body=_SLOT_FOUND.sub(lambda found: drawn.get(found[1], ""), body.html),
        has_title=body.has_title,
        contents=(*body.contents, ("audit-trail", "Audit trail")),
        style=stylesheet(),
        policy=_policy([*bundle, *scripts]),
        scripts=scripts,
        packed=packed_bundle() if figures else "",
        trail=trail(manifest),
        provenance=manifest_json(manifest).replace("<", "\\u003c"),
        embedded=embedded(twins),
        folder=quote(tables),
    )


def stylesheet() -> str:
    """Return the style of every page."""
    return _asset("style.css")


def _replace_outputs(notebook: NotebookNode, tables: str) -> dict[str, Figure]:
    """Turn charts into slots and tables into HTML with a link to their twin; return the figures by slot."""
    figures: dict[str, Figure] = {}
    number = 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _money(cell.source)
        if cell.cell_type != "code":
            continue
        number += "injected-parameters" not in cell.metadata.get("tags", [])
        cell.metadata["cx_number"] = number
        cell.outputs = [output for output in cell.outputs if not _is_apart(output)]
        for output in cell.outputs:
            if "data" in output:
                _replace_output(output, number, figures, tables)
    return figures


def _replace_output(output: NotebookNode, number: int, figures: dict[str, Figure], tables: str) -> None:
    data = output.data
    if CHART in data:
        name = f"figure-{len(figures) + 1}"
        figures[name] = draw(data[CHART], name)
        data["text/html"] = _SLOT.format(name)
    if not set(data) & set(_SHOWN):
        raise ReportError(
            f"cell {number} of the notebook shows an output of kind {', '.join(sorted(data))}; "
            f"possible: {', '.join([CHART, *_SHOWN])}."
        )
    if "text/markdown" in data:
        data["text/markdown"] = _money(data["text/markdown"])
    twin = twin_of(output)
    if twin is not None:
        shown = data.get("text/html") or f"<pre>{html.escape(data.get('text/plain', twin.title))}</pre>"
        data["text/html"] = f'<div class="cx-table">{shown}{_download(f"{tables}/{twin.id}.csv", twin.title)}</div>'
        del data[TABLE]


def _download(path: str, title: str) -> str:
    label = html.escape(f"Download as CSV: {title}")
    return f'<p class="cx-twin"><a href="./{quote(path)}" download aria-label="{label}">Download as CSV</a></p>'


def _fragment(notebook: NotebookNode, code: Code) -> str:
    settings: Any = Config()  # its sections appear when they are named
    settings.HTMLExporter.extra_template_basedirs = [str(_TEMPLATES)]
    settings.HTMLExporter.template_name = "cxsim"
    settings.HTMLExporter.exclude_input = code == "hidden"
    settings.HTMLExporter.exclude_anchor_links = True
    settings.NbConvertBase.display_data_priority = _SHOWN
    settings.TagRemovePreprocessor.enabled = True
    settings.TagRemovePreprocessor.remove_cell_tags = {"remove_cell", "parameters", "injected-parameters"}
    settings.TagRemovePreprocessor.remove_input_tags = {"remove_input"}
    fragment, _ = _EXPORTER(config=settings).from_notebook_node(notebook)
    return str(fragment)


def _money(markdown: str) -> str:
    return _CODE_OR_DOLLAR.sub(lambda found: "&#36;" if found[0] == "$" else found[0], markdown)


def _is_apart(output: NotebookNode) -> bool:
    """Whether an output has no place among the others: it is a warning, or the manifest, which is the audit trail."""
    return bool(output.output_type == "stream" and output.name == "stderr") or MANIFEST in output.get("data", {})


def _asset(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _policy(scripts: list[str]) -> str:
    """Allow exactly the page's own scripts, and nothing that would have to be fetched.

    The bundle is one of them, though the page carries it packed: what is allowed is the text that is unpacked.
    """
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"img-src data:; font-src data:; style-src 'unsafe-inline'; script-src {allowed}"
    )
