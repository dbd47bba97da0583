"""A chart's Vega-Lite specification goes in, a figure comes out: static drawing, live specification, data as tables."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import vl_convert

from cxsim.errors import ReportError
from cxsim.reporting.twins import json_text
from cxsim.wording import ENGLISH, NBSP, NumberStyle, in_drawing, in_html, in_script, unlabelled

# An attribute's value may hold the sign that ends an element, text between elements never holds the one that begins it.
_ELEMENT = re.compile(r'<(?:"[^"]*"|[^">])*>')
# The page gives the drawing a name and the role of a picture, so nobody hears what its parts are called.
_UNHEARD = re.compile(r' (?:role|class|pointer-events|aria-[a-z]+)="[^"]*"| (?:fill-|stroke-)?opacity="1"')
_PLACES = re.compile(r'(?<= )(d|transform|points|[xyr]|[xy][12]|c[xy]|width|height)="([^"]*)"')
_FINE = re.compile(r"-?\d+(?:\.\d{3,}(?:e-?\d+)?|(?:\.\d+)?e-\d+)")
_FONT = re.compile(r' font-family="[^"]*"')
# Boxes of groups that have neither a filling nor a line.
_UNSEEN = re.compile(
    r'<path class="(?:foreground"[^>]* display="none"|background" aria-hidden="true" d="[^"]*")[^>]*/>'
)
_PAINTED = re.compile(r' (?:fill|stroke)="')
_TEXT = re.compile(">([^<>]+)<")
# Strings of JSON in which numbers are labelled.
_MARKED = re.compile(r'"(?:[^"\\\ue001]|\\.)*\ue001(?:[^"\\]|\\.)*"')
_EMPTY = re.compile(r"<g[^>]*></g>")
_ROOT = '<g fill="none"'


def slim(svg: str) -> str:
    """Return a drawing without what nobody sees, and with places to a hundredth of a pixel."""
    svg = _UNSEEN.sub(lambda found: found[0] if _PAINTED.search(found[0]) else "", svg)
    svg = _ELEMENT.sub(lambda found: _PLACES.sub(_rounded, _UNHEARD.sub("", found[0])), svg)
    svg = _one_font(svg)
    while (emptied := _EMPTY.sub("", svg)) != svg:
        svg = emptied
    return svg


def _rounded(place: re.Match[str]) -> str:
    # What is scaled is small before it is drawn.
    value = place[2] if "scale(" in place[2] or "matrix(" in place[2] else _FINE.sub(_hundredths, place[2])
    return f'{place[1]}="{value}"'


def _hundredths(number: re.Match[str]) -> str:
    return f"{round(float(number[0]), 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def _one_font(svg: str) -> str:
    """Say once for the whole drawing in which letters it is written, if it is written in one kind."""
    fonts = {font for element in _ELEMENT.findall(svg) for font in _FONT.findall(element)}
    if len(fonts) != 1 or _ROOT not in svg:
        return svg
    bare = _ELEMENT.sub(lambda found: _FONT.sub("", found[0]), svg)
    return bare.replace(_ROOT, f"{_ROOT}{fonts.pop()}", 1)


# The version for which altair writes; a test holds the two together.
VEGA_LITE = "6.4"
# A table that a listener can still follow.
_MOST_ROWS, _MOST_COLUMNS, _MOST_TABLES = 60, 12, 3
_PARTS = ("layer", "hconcat", "vconcat", "concat")
_OUTSIDE = re.compile(r'href="(?!#|data:)')


Spec = Mapping[str, Any]


class DataTable(NamedTuple):
    """The rows behind a chart, as text."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Figure(NamedTuple):
    """A chart as a page needs it."""

    id: str  # its anchor on the page
    label: str  # for a screen reader: the chart's description, else its title
    svg: str  # the static drawing
    spec: str  # JSON that may stand inside a script element
    tables: tuple[DataTable, ...]  # its data, where it is short enough to be read out
    sliders: tuple[str, ...]  # their labels and starting values
    measures: Mapping[str, Any]  # the quantity that its marks show, and how it was found


def draw(spec: Spec, figure_id: str) -> Figure:
    """Draw a chart without a network."""
    label, style = chart_label(spec), _style(spec)
    for node in _nodes(spec):
        if isinstance(node.get("url"), str):
            raise ReportError(f"chart '{label}' loads {node['url']!r}; a report must carry its data inside.")
    marked = in_drawing(json_text(spec))
    text = unlabelled(marked)
    try:
        svg = vl_convert.vegalite_to_svg(text, vl_version=VEGA_LITE, allowed_base_urls=[])
    except ValueError as error:
        raise ReportError(f"chart '{label}' cannot be drawn: {str(error).splitlines()[0]}") from error
    if any(map(_OUTSIDE.search, _ELEMENT.findall(svg))):
        raise ReportError(f"chart '{label}' links to another page; a report stands alone.")
    return Figure(
        id=figure_id,
        label=label,
        svg=_measured(_own_ids(slim(svg), figure_id), marked),
        spec=in_script(text),
        tables=_tables(spec, style),
        measures=dict(spec.get("usermeta", {})),
        sliders=_sliders(spec, style),
    )


def _measured(svg: str, marked: str) -> str:
    """Return a drawing whose texts say what their numbers measure, where all texts that read the same say the same."""
    texts = [json.loads(text) for text in set(_MARKED.findall(marked))]
    known = Counter(map(unlabelled, texts))
    parts = {
        unlabelled(text): in_html(text).replace("<span", "<tspan").replace("</span", "</tspan")
        for text in texts
        if known[unlabelled(text)] == 1
    }
    return _TEXT.sub(lambda found: f">{parts.get(html.unescape(found[1]), found[1])}<", svg)


def chart_label(spec: Spec) -> str:
    """Return a chart's description, else its title, else those of its first part that has one.

    >>> chart_label({"layer": [{"title": {"text": ["Two programmes", "pay back"]}}]})
    'Two programmes pay back'
    """
    title = spec.get("title")
    title = title.get("text") if isinstance(title, Mapping) else title
    title = " ".join(map(str, title)) if isinstance(title, list) else title
    inner = (chart_label(child) for part in _PARTS for child in spec.get(part, ()))
    return str(spec.get("description") or title or next((label for label in inner if label != "Chart"), "Chart"))


def _own_ids(svg: str, figure_id: str) -> str:
    """Prefix the ids inside a drawing, because every drawing calls its first clip path clip0."""

    def owned(found: re.Match[str]) -> str:
        element = re.sub(r'\bid="([^"]+)"', rf'id="{figure_id}-\1"', found[0])
        return re.sub(r"url\(#([^)]+)\)", rf"url(#{figure_id}-\1)", element)

    return _ELEMENT.sub(owned, svg)


def _style(spec: Spec) -> NumberStyle:
    """Return how a chart's axes write numbers, so that the words beside it write them alike."""
    number = spec.get("config", {}).get("locale", {}).get("number")
    return ENGLISH if number is None else replace(ENGLISH, group=number["thousands"], decimal=number["decimal"])


def _sliders(spec: Spec, style: NumberStyle) -> tuple[str, ...]:
    """Return each slider's label with the value it starts from, written as the live page writes it."""
    writings = spec.get("usermeta", {}).get("sliders", {})
    binds = [(param, param.get("bind")) for param in spec.get("params", ())]
    return tuple(
        f"{bind.get('name', param['name']).strip()} {_written(param['value'], writings.get(param['name']), style)}"
        for param, bind in binds
        if isinstance(bind, Mapping) and bind.get("input") == "range"
    )


def _written(value: float, how: Spec | None, style: NumberStyle) -> str:
    if how is None:
        return style.separated(f"{value:g}")
    figure = style.figure(how["scale"] * value, f".{how['decimals']}f")
    return f"{figure}{NBSP}{how['unit']}" if how["unit"] else figure


def _tables(spec: Spec, style: NumberStyle) -> tuple[DataTable, ...]:
    nodes = [*_nodes(spec)]
    # The first title that a field has.
    titled = [node for node in nodes if isinstance(node.get("field"), str) and isinstance(node.get("title"), str)]
    titles = {node["field"]: node["title"] for node in reversed(titled) if node["title"]}
    tables = []
    for records in [*spec.get("datasets", {}).values(), *(node["values"] for node in nodes if "values" in node)]:
        if not isinstance(records, list) or not all(isinstance(row, dict) for row in records):
            continue
        columns = [name for name in dict.fromkeys(key for row in records for key in row) if not name.startswith("_")]
        rows = [[row.get(name) for name in columns] for row in records]
        flat = not any(isinstance(value, (list, dict)) for row in rows for value in row)
        if flat and 0 < len(columns) <= _MOST_COLUMNS and 1 < len(rows) <= _MOST_ROWS:
            shown = [titles.get(name, name.replace("_", " ")) for name in columns]
            unique = [title if shown.count(title) == 1 else name for title, name in zip(shown, columns, strict=True)]
            texts = tuple(tuple(_shown(value, style) for value in row) for row in rows)
            tables.append(DataTable(columns=tuple(unique), rows=texts))
    return tuple(tables) if len(tables) <= _MOST_TABLES else ()


def _nodes(node: object) -> Iterator[Spec]:
    """Walk through a specification, but not through the rows of its data."""
    if isinstance(node, Mapping):
        yield node
        for key, child in node.items():
            if key not in ("datasets", "values"):
                yield from _nodes(child)
    elif isinstance(node, list):
        for child in node:
            yield from _nodes(child)


def _shown(value: object, style: NumberStyle) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return style.separated(f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}")
    return unlabelled(str(value))
