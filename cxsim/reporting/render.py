"""An executed notebook goes in, the text of one HTML file that needs no network comes out."""

from __future__ import annotations

import base64
import contextlib
import copy
import functools
import hashlib
import itertools
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import nbformat
import vl_convert
from bs4 import BeautifulSoup, Tag
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from nbconvert import HTMLExporter
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from nbformat import NotebookNode
from traitlets.config import Config

from cxsim.errors import ReportError, naming
from cxsim.params import written_whole
from cxsim.reporting.drawings import VEGA_LITE, Figure, draw
from cxsim.reporting.tables import CHART, MANIFEST, TABLE
from cxsim.reporting.twins import Twin, embedded, json_text, outputs_of, twin_of
from cxsim.wording import in_html, in_script

Code = Literal["hidden", "shown"]

_TEMPLATES = Path(__file__).parent / "templates"
_KEPT = Path(__file__).parent / "__pycache__"
_PAGES = Environment(
    loader=FileSystemLoader(_TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_SHOWN = ["text/html", "text/markdown", "image/svg+xml", "image/png", "image/jpeg", "text/plain"]
_SLOT = '<div class="cx-slot" data-figure="{}"></div>'
_SLOT_FOUND = re.compile(_SLOT.format("([a-z0-9-]+)"))
_SLOT_OF_JSON = "cxsim-content-"
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
_FROM_THE_RUN = ("execution", "papermill", "widgets")
# Code in backticks is left alone; any other dollar sign is money, not the beginning of a formula.
_CODE_OR_DOLLAR = re.compile(r"(`+)[\s\S]+?\1|\$")
_OWN_IDS = ("content", "contents", "audit-trail", "provenance", "tables", "cx-bundle")
# What is shown as code.
_PAGES.tests["hash"] = re.compile(r"[0-9a-f]{32,}|[0-9a-f]{7,}(\+dirty|-dirty)|sha256:[0-9a-f]+").fullmatch
# Content that a report refuses, because it would run, fetch or send something.
_ACTIVE = ("script", "iframe", "object", "embed", "link", "base", "meta", "form", "frame", "applet", "portal")
_FETCHING = ("src", "srcset", "poster", "background", "data")
_FETCH = re.compile(r"@import|url\(\s*['\"]?\s*(?!data:|#|['\"#])", re.IGNORECASE)
_ALLOWED_LINK = re.compile(r"(?:#|\./)|(?![a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)
_WEB_LINK = re.compile(r"https?:|mailto:", re.IGNORECASE)
# Sections that a reader opens when they want them.
_APPENDIX = "Appendix"
_HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"]
# Of one library and one level the same bytes come out; another zlib, as some systems and later Pythons bring, may pack
# the same script into other bytes. A page then differs in them, and in nothing that it shows or allows.
_LEVEL = 9
# Vega-Lite tells the author of panels with rows of their own that it takes their scales for scales of one table, which
# they are. A reader's console is no place for that; everything else that it has to say goes through.
_QUIET = (
    "var loud=window.console,console=Object.create(loud);console.warn=function(){"
    "if(Array.prototype.join.call(arguments).indexOf('Detected faceted independent scales')<0)"
    "loud.warn.apply(loud,arguments);};"
)


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
    drawn = {figure.id: template("figure.html.j2").render(figure=figure) for figure in _replace_outputs(clean, tables)}
    body, contents = tidy(_fragment(clean, code), reserved=[*_OWN_IDS, *drawn])
    scripts = [asset("live.js")] if drawn else []
    return template("page.html.j2").render(
        title=title,
        body=_SLOT_FOUND.sub(lambda found: drawn.get(found[1], ""), body),
        has_title="<h1" in body,
        contents=[*contents, ("audit-trail", "Appendix: audit trail")],
        style=asset("style.css"),
        policy=_policy([vega_bundle(), *scripts] if drawn else []),
        scripts=scripts,
        packed=packed_bundle() if drawn else "",
        manifest=manifest,
        provenance=in_script(json_text(manifest)),
        embedded=embedded(twins),
        folder=quote(tables),
    )


def template(name: str) -> Template:
    """Return a template of a page."""
    return _PAGES.get_template(name)


def asset(name: str) -> str:
    """Return a style sheet or a script of a page."""
    return (_TEMPLATES / name).read_text(encoding="utf-8")


@functools.cache
def vega_bundle() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script, closed off because it would define 2500 globals."""
    # Put together in two seconds; so it is kept beside the compiled modules, where that folder can be written.
    kept = _KEPT / f"vega-{version('vl-convert-python')}-{VEGA_LITE}.js"
    try:
        bundle = kept.read_bytes().decode()
    except OSError:
        # The wheel's stub calls the snippet required; without one, the bundle sets vegaEmbed on the window.
        bundle = vl_convert.javascript_bundle(vl_version=VEGA_LITE)  # type: ignore[call-arg]
        with contextlib.suppress(OSError):
            kept.parent.mkdir(exist_ok=True)
            with written_whole(kept) as half:
                half.write_bytes(bundle.encode())
    return f"(function(){{{_QUIET}{bundle}}})();"


@functools.cache
def packed_bundle() -> str:
    """Return the same script as a page carries it: compressed by zlib, in base 64; less than half the size."""
    return base64.b64encode(zlib.compress(vega_bundle().encode(), _LEVEL)).decode("ascii")


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook."""
    try:
        with naming(path, "the notebook cannot be read"):
            return fresh_copy(nbformat.read(path, as_version=4))  # type: ignore[no-untyped-call]
    except (ValueError, KeyError, AttributeError, nbformat.ValidationError) as error:
        raise ReportError(f"{path}: this is not a Jupyter notebook.") from error


def fresh_copy(notebook: NotebookNode) -> NotebookNode:
    """Return a copy, in the newest format, that shares nothing with the original."""
    copied: NotebookNode = nbformat.v4.upgrade(copy.deepcopy(notebook))  # type: ignore[no-untyped-call]
    return copied


def notebook_text(notebook: NotebookNode) -> str:
    """Return a notebook as JSON with sorted keys and a newline at the end; an output of JSON takes one line."""
    lean, contents = fresh_copy(notebook), list[str]()
    for output in outputs_of(lean):
        for kind, content in output.get("data", {}).items():
            if kind.endswith("json"):
                output.data[kind] = f"{_SLOT_OF_JSON}{len(contents)}"
                contents.append(json_text(content))
    text = nbformat.writes(lean, version=nbformat.NO_CONVERT)  # type: ignore[no-untyped-call]
    return re.sub(rf'"{_SLOT_OF_JSON}(\d+)"', lambda found: contents[int(found[1])], text).rstrip("\n") + "\n"


def normalised(notebook: NotebookNode) -> NotebookNode:
    """Return a copy without random ids, clock times, versions and the names of kernels."""
    clean = fresh_copy(notebook)
    for index, cell in enumerate(clean.cells):
        cell["id"] = f"c{index:03d}"
        # The kernel cuts a stream where its buffer happens to be flushed.
        CoalesceStreamsPreprocessor().preprocess_cell(cell, {}, index)  # type: ignore[no-untyped-call]
    for place, key in itertools.product([clean, *clean.cells], _FROM_THE_RUN):
        place.metadata.pop(key, None)
    clean.metadata["kernelspec"] = dict(_KERNEL)
    clean.metadata.setdefault("language_info", {"name": "python"}).pop("version", None)
    return clean


def manifest_in(notebook: NotebookNode) -> dict[str, object]:
    """Return what an executed notebook says of its study in outputs of kind MANIFEST; empty when it says nothing."""
    found = [output.get("data", {}).get(MANIFEST, {}) for output in outputs_of(notebook)]
    return {str(name): value for manifest in found for name, value in manifest.items()}


def tidy(html: str, *, reserved: Iterable[str]) -> tuple[str, list[tuple[str, str]]]:
    """Refuse active content, give headings unique anchors, let wide tables scroll; return also the contents."""
    soup = BeautifulSoup(html, "html.parser")
    for element in soup.select("*"):
        _require_passive(element)
        _spell_out_link(element)
        element.attrs.pop("tabindex", None)
    contents = _anchors(soup, reserved)
    _scroll(soup)
    _fold_appendix(soup)
    return str(soup), contents


def _require_passive(element: Tag) -> None:
    if element.name in _ACTIVE:
        raise _refusal(element, f"a <{element.name}> element")
    for name, value in element.attrs.items():
        kind, text = name.lower(), " ".join(value) if isinstance(value, list) else str(value)
        if (
            kind.startswith("on")
            or (kind in _FETCHING and not text.lower().startswith("data:"))
            or (kind == "style" and _FETCH.search(text))
            or (kind.endswith("href") and not _ALLOWED_LINK.match(text) and not _WEB_LINK.match(text))
        ):
            raise _refusal(element, f"{name}={text!r}")
    if element.name == "style" and _FETCH.search(element.get_text()):
        raise _refusal(element, "a style that fetches a file")


def _refusal(element: Tag, what: str) -> ReportError:
    cell = element.find_parent(attrs={"data-cell": True})
    where = f"cell {cell['data-cell']} of the notebook" if cell is not None else "the notebook"
    return ReportError(
        f"{where} contains {what}; a report may hold text, tables, images and charts, and loads nothing else."
    )


def _spell_out_link(element: Tag) -> None:
    """Print a web address instead of linking to it: the file is read offline and on paper."""
    address = element.attrs.get("href")
    if not isinstance(address, str) or not _WEB_LINK.match(address):
        return
    text = element.get_text().strip()
    element.name = "span"
    element.attrs = {"class": "cx-source"}
    if address.rstrip("/") != text.rstrip("/"):
        element.append(f" ({address.removeprefix('mailto:')})")


def _anchors(soup: BeautifulSoup, reserved: Iterable[str]) -> list[tuple[str, str]]:
    taken = {*reserved, *(str(element["id"]) for element in soup.find_all(id=True) if element.name not in _HEADINGS)}
    contents = []
    for heading in soup.find_all(_HEADINGS):
        text = " ".join(heading.get_text().split())
        stem = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "section"
        anchors = (stem if number == 1 else f"{stem}-{number}" for number in itertools.count(1))
        heading["id"] = anchor = next(anchor for anchor in anchors if anchor not in taken)
        taken.add(anchor)
        if heading.name == "h2":
            contents.append((anchor, text))
    return contents


def _fold_appendix(soup: BeautifulSoup) -> None:
    """Fold each section whose heading begins with `Appendix` under this heading."""
    for heading in [one for one in soup.find_all("h2") if one.get_text().startswith(_APPENDIX)]:
        top = heading
        while top.parent is not None and top.parent is not soup:
            top = top.parent
        later = itertools.takewhile(
            lambda part: not isinstance(part, Tag) or (part.name != "h2" and part.find("h2") is None), top.next_siblings
        )
        section = soup.new_tag("details", attrs={"class": "cx-appendix"})
        parts = list(later)
        top.insert_before(section)
        summary = soup.new_tag("summary")
        section.append(summary)
        summary.append(heading.extract())
        for part in (top, *parts) if top is not heading else parts:
            section.append(part.extract())


def _scroll(soup: BeautifulSoup) -> None:
    for table in soup.find_all("table"):
        for head in table.select("thead th:not([scope])"):
            head["scope"] = "col"
        if table.find_parent(class_="cx-scroll") is None:
            table.wrap(soup.new_tag("div", attrs={"class": "cx-scroll"}))


def _replace_outputs(notebook: NotebookNode, tables: str) -> list[Figure]:
    """Turn charts into slots and tables into HTML with a link to their twin; return the figures."""
    figures: list[Figure] = []
    number = 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _money(cell.source)
        if cell.cell_type == "code":
            number += "injected-parameters" not in cell.metadata.get("tags", [])
            cell.metadata["cx_number"] = number
            # A warning is for the author; the manifest is the audit trail.
            apart = [output.get("name") == "stderr" or MANIFEST in output.get("data", {}) for output in cell.outputs]
            cell.outputs = [output for output, away in zip(cell.outputs, apart, strict=True) if not away]
            for output in cell.outputs:
                if "data" in output:
                    _replace_output(output, number, figures, tables)
    return figures


def _replace_output(output: NotebookNode, number: int, figures: list[Figure], tables: str) -> None:
    data = output.data
    if CHART in data:
        figures.append(draw(data[CHART], f"figure-{len(figures) + 1}"))
        data["text/html"] = _SLOT.format(figures[-1].id)
    if data.keys().isdisjoint(_SHOWN):
        raise ReportError(
            f"cell {number} of the notebook shows an output of kind {', '.join(sorted(data))}; "
            f"possible: {', '.join([CHART, *_SHOWN])}."
        )
    if "text/markdown" in data:
        data["text/markdown"] = _money(data["text/markdown"])
    twin = twin_of(output)
    if twin is not None:
        shown = data.get("text/html") or f"<pre>{in_html(data.get('text/plain', twin.title))}</pre>"
        path, label = quote(f"{tables}/{twin.id}.csv"), in_html(f"Download as CSV: {twin.title}")
        link = f'<a href="./{path}" download aria-label="{label}">Download as CSV</a>'
        data["text/html"] = f'<div class="cx-table">{shown}<p class="cx-twin">{link}</p></div>'
        del data[TABLE]


def _fragment(notebook: NotebookNode, code: Code) -> str:
    settings = {
        "HTMLExporter": {
            "extra_template_basedirs": [str(_TEMPLATES)],
            "template_name": "cxsim",
            "exclude_input": code == "hidden",
            "exclude_anchor_links": True,
        },
        "NbConvertBase": {"display_data_priority": _SHOWN},
        "TagRemovePreprocessor": {
            "enabled": True,
            "remove_cell_tags": {"remove_cell", "parameters", "injected-parameters"},
            "remove_input_tags": {"remove_input"},
        },
    }
    exporter = HTMLExporter(config=Config(settings))  # type: ignore[no-untyped-call]
    return str(exporter.from_notebook_node(notebook)[0])


def _money(markdown: str) -> str:
    return _CODE_OR_DOLLAR.sub(lambda found: "&#36;" if found[0] == "$" else found[0], markdown)


def _policy(scripts: list[str]) -> str:
    """Allow exactly the page's own scripts, and nothing that would have to be fetched.

    The bundle is one of them, though the page carries it packed: what is allowed is the text that is unpacked.
    """
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"img-src data:; font-src data:; style-src 'unsafe-inline'; script-src {allowed(scripts)}"
    )


def allowed(texts: Sequence[str]) -> str:
    """Return how a policy allows exactly these scripts or style sheets."""
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
    return " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
