"""Text from files and data is shown as it is, whatever its characters would mean to what shows it."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from ast import literal_eval
from contextlib import redirect_stdout
from dataclasses import replace
from html import unescape

import altair as alt
import nbformat
import polars as pl
import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings, strategies as st
from markdown_it import MarkdownIt
from rich.console import Console

import cxsim
from checks.source import ROOT
from cxsim import reporting as show, study as studies
from cxsim.cli.printing import finish, grid, plain, set_output, write_table
from cxsim.data import load_cdnow
from cxsim.errors import ParamError
from cxsim.library import root
from cxsim.params import content_of, text_of
from cxsim.reporting.business.break_even import Card, in_cards
from cxsim.reporting.drawings import draw
from cxsim.reporting.markdown import markdown
from cxsim.reporting.render import render
from cxsim.reporting.tables import CHART, ROWS, Column, TableSpec, remark
from cxsim.reporting.twins import Twin, csv_text, harvest, tables_json
from cxsim.reporting.workbook import workbook
from cxsim.strategies.strategy import load_strategy
from tests.reporting.spreadsheet import parts, sheets

# What means something to HTML, Markdown, a spreadsheet, a terminal, a template, a formula, or to our own tables.
FRAGMENTS = (
    *("<b>", "<script>alert(1)</script>", '"><img src=x onerror=alert(2)>', "</td></style></svg>", "<!--", "&amp;"),
    *("[x](javascript:alert(3))", "|", "```", "`", "_y_", "**z**", "~~~", "# ", "$x$", "\\"),
    *("=cmd()", "+1", "-1", "@SUM(1)", "{=1}", ";=1+1", "\t=1", "_x001B_", "http://a.example"),
    *("\x1b[31m", "\x9b31m", "\x07", "\u202e", "\u2066", "{{ 7*7 }}", "{currency}", "{0}", "{% raw %}", "%s"),
    *('href="a"', ' id="a" ', "url(#a)", ' font-family="x"', "datum.x", "' + 1 + '"),
)
BEGIN, END = "zq1", "zq2"
SCENARIO = """
title: A small case
description: The sample, few draws.
orders: cdnow-sample
observed_until: 1998-06-30
economics: cdnow-service
behaviour: online-shop
strategies: [points-programme, win-back-coupon, vip-tiers]
existing_customers: none
new_customers: {per_month: 50, months: 2}
horizon_months: 14
draws: 6
seed: 7
"""
HOSTILE = f"{BEGIN} {' '.join(FRAGMENTS)} {END}"
TEXTS = st.lists(st.sampled_from(FRAGMENTS) | st.text("aB <>&\"'=", max_size=4), min_size=1, max_size=6).map(
    lambda found: f"{BEGIN}{' '.join(found)}{END}"
)
# All that our own markup is made of; a fragment would bring another element or another attribute.
ELEMENTS = {
    *("a", "article", "code", "dd", "details", "div", "dl", "dt", "figcaption", "figure", "h1", "h2", "h3", "li", "ol"),
    *("p", "pre", "section", "span", "style", "summary", "table", "caption", "tbody", "td", "tfoot", "th", "thead"),
    *("tr", "ul", "svg", "g", "path", "rect", "circle", "line", "text", "tspan", "defs", "clippath", "stop"),
    *("lineargradient", "strong", "em", "code", "main", "hr"),
}
# A control below the space is as good as a blank: nobody sees either.
_BLANKS = re.compile(r"[\s\x00-\x1f]+")


def _squeezed(text):
    return _BLANKS.sub(" ", text).strip()


def _plain(text):
    """Return a text in small letters, as customers are compared, and without quotes of Python's, as findings have."""
    unquoted = re.sub(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|t)", lambda found: literal_eval(f"'{found[0]}'"), text)
    return _squeezed(unquoted.replace("\\", "")).casefold()


def _require_whole(text, expected=HOSTILE):
    """Require that wherever the text begins it goes on to its end, or is cut short; return how often it was found."""
    wanted, text = _plain(expected), _plain(text)
    places = [found.start() for found in re.finditer(BEGIN, text)]
    for place in places:
        if not text.startswith(wanted, place):
            found, cut, _ = text[place : place + len(wanted)].partition("…")
            assert cut, found
            assert wanted.startswith(found)
    return len(places)


def _require_passive(html, expected=HOSTILE):
    soup = BeautifulSoup(re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL), "html.parser")
    for element in soup.find_all():
        assert element.name in ELEMENTS
        assert not [name for name in element.attrs if name.startswith("on") or name == "src"]
        assert "javascript:" not in str(element.get("href", ""))
    # A title attribute or a name for a screen reader is text as well.
    attributes = [str(value) for element in soup.find_all() for name, value in element.attrs.items() if name != "id"]
    return _require_whole(" ".join([soup.get_text(), *attributes]), expected)


def _texts(node):
    """Yield all texts of a specification; a list of texts is one text on several lines."""
    if isinstance(node, dict):
        for child in node.values():
            yield from _texts(child)
    elif isinstance(node, list) and node and all(isinstance(child, str) for child in node):
        yield " ".join(node)
        yield from node if all(child.count(BEGIN) == child.count(END) for child in node) else ()
    elif isinstance(node, list):
        for child in node:
            yield from _texts(child)
    elif isinstance(node, str):
        yield node


def _hostile(scenario):
    strategies = tuple(
        replace(
            one, title=f"{one.title} {HOSTILE}", description=f"{one.description} {HOSTILE}", harms=f"Harms {HOSTILE}"
        )
        for one in scenario.strategies
    )
    return replace(scenario, title=HOSTILE, strategies=strategies)


def _shown(number, **known):
    """Run the cells of a notebook, but for what is known already, and return all that they show."""
    (path,) = (ROOT / "notebooks").glob(f"{number}-*.ipynb")
    found, names = [], {"display": lambda *shown: found.extend(shown), **known}
    done = ("show.enable", *(f"{name} = " for name in known))
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            lines = [line for line in cell.source.split("\n") if not line.startswith(done)]
            if lines and lines[-1].startswith("show."):
                lines[-1] = f"display({lines[-1]})"
            exec("\n".join(lines), names)  # noqa: S102 - the project wrote it itself
    return [one for one in found if one is not None]


@pytest.fixture(scope="module")
def orders_file(tmp_path_factory):
    """The bundled orders as an export in which every customer has a hostile name."""
    folder = tmp_path_factory.mktemp("a <b> & $x$")
    named = load_cdnow(sample=True).table.with_columns(pl.col("customer_id").cast(pl.String) + f" {HOSTILE}")
    named.collect().write_csv(folder / "orders.csv")
    return folder / "orders.csv"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study whose strategies have hostile titles, which no file can give them."""
    path = tmp_path_factory.mktemp("case") / "hostile.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    return cxsim.run(_hostile(cxsim.load_scenario(str(path))))


def _stored(shown):
    """Return what a notebook stores of an exhibit."""
    bundle = shown._repr_mimebundle_()
    return bundle[0] if isinstance(bundle, tuple) else bundle


@pytest.fixture(scope="module")
def exhibits(study, orders_file):
    """All that the notebooks show, of hostile strategies and customers."""
    theme, renderer = alt.theme.active, alt.renderers.active
    show.enable()
    valuation = studies.load_valuation("cdnow-value-quick")
    # As in the kernel of a report.
    os.environ[ROWS] = "all"
    found = {
        "02": _shown("02", case=cxsim.business_case(study)),
        "03": _shown("03", found=studies.value_customers(replace(valuation, orders=str(orders_file), draws=20))),
        "05": _shown("05", found=show.overview(str(orders_file.parent))),
        "06": _shown("06", found=studies.search(study.scenario)),
    }
    stored = {number: [_stored(one) for one in shown] for number, shown in found.items()}
    del os.environ[ROWS]
    alt.theme.enable(theme)
    alt.renderers.enable(renderer)
    return stored


@pytest.fixture(scope="module")
def notebook(exhibits):
    outputs = [nbformat.v4.new_output("display_data", data=dict(data)) for shown in exhibits.values() for data in shown]
    title = nbformat.v4.new_markdown_cell("# Plain")
    made = nbformat.v4.new_notebook(cells=[title])
    # An id names one table of a report; several notebooks have tables of one name.
    for place, output in enumerate(outputs):
        for kind in output.data:
            if kind.endswith("cxsim.table+json"):
                output.data[kind] = {**output.data[kind], "id": f"t{place}-{output.data[kind]['id']}"}
        made.cells.append(nbformat.v4.new_code_cell("", outputs=[output]))
    return made


@pytest.fixture(scope="module")
def twins(notebook):
    return harvest(notebook)


@pytest.fixture(scope="module")
def page(notebook, twins):
    return render(
        notebook, title=HOSTILE, manifest={"title": HOSTILE, "files": {HOSTILE: HOSTILE}}, tables="t", twins=twins
    )


def test_every_table_and_sentence_shows_hostile_names_whole_and_as_text(exhibits):
    seen = dict.fromkeys(exhibits, 0)
    for number, shown in exhibits.items():
        for data in shown:
            if "text/html" in data:
                assert "\x1b" not in data["text/plain"]
                seen[number] += _require_passive(data["text/html"])
    # Of three strategies on most tables of a business case, of customers in two tables of a valuation.
    assert all(seen[number] > 0 for number in ("02", "03", "06")), seen
    assert seen["02"] > 60


def test_every_figure_shows_hostile_names_whole_and_as_text(exhibits):
    seen = 0
    for shown in exhibits.values():
        for data in shown:
            if CHART in data:
                seen += _require_whole(" \n ".join(_texts(data[CHART])))
                svg = BeautifulSoup(draw(data[CHART], "figure-1").svg, "html.parser")
                assert {element.name for element in svg.find_all()} <= ELEMENTS
                assert not svg.select("[href],[onerror],[src]")
    assert seen > 60


def test_a_page_shows_all_of_it_and_runs_and_fetches_nothing(page):
    soup = BeautifulSoup(page, "html.parser")
    scripts = [script.extract() for script in soup.find_all("script")]
    # The charts, what a page carries of its tables and of its making, what draws charts, and what calls it.
    assert {script.get("type") for script in scripts[:-1]} == {"application/json", "application/octet-stream;base64"}
    provenance = next(script for script in scripts if script.get("id") == "provenance")
    assert json.loads(provenance.string) == {"title": HOSTILE, "files": {HOSTILE: HOSTILE}}
    main = soup.find("main")
    # A title of a drawing is in pieces, a line each; `test_every_figure_…` looks at what it is drawn from.
    for drawing in main.find_all("svg"):
        assert {element.name for element in drawing.find_all()} <= ELEMENTS
        drawing.decompose()
    assert _require_passive(str(main)) > 100
    assert _squeezed(soup.title.get_text()) == _squeezed(HOSTILE)


def test_the_markdown_beside_a_page_is_read_back_as_the_same_text(page):
    html = MarkdownIt("commonmark").enable("table").render(markdown(page, "a.html"))
    soup = BeautifulSoup(html, "html.parser")
    assert {element.name for element in soup.find_all()} <= ELEMENTS | {"hr", "blockquote", "h4", "h5", "h6"}
    assert not [link["href"] for link in soup.find_all("a") if link["href"].startswith("javascript")]
    assert _require_whole(soup.get_text()) > 100


def test_csv_json_and_workbook_hold_all_of_it_and_no_formula(twins):
    cells = [row[0] for twin in twins for row in csv.reader(io.StringIO(csv_text(twin)))]
    assert not [cell for cell in cells if re.match(r"[=+@]|-(?![0-9.])", cell)]
    assert _require_whole(" ".join(_texts(json.loads(tables_json(twins))))) > 100
    book = workbook(HOSTILE, twins, {})
    assert b"<f>" not in b"".join(parts(book).values())
    texts = [cell.value for cells in sheets(book).values() for cell in cells.values() if isinstance(cell.value, str)]
    # So Office Open XML writes a control (ECMA-376, 22.9.2.19).
    read = re.sub(r"_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), " ".join(texts))
    assert _require_whole(read) > 100


TABLE = TableSpec(
    id="t",
    title=lambda table: table["text"][0],
    subtitle=lambda table: table["text"][0],
    notes=lambda table: table["text"].to_list(),
    group="text",
    line="text",
    columns={"text": Column("Text", align="text"), "badge": Column("Badge", of="text", align="badge")},
)


@given(TEXTS)
def test_no_text_is_markup_in_any_part_of_a_table_nor_in_any_sentence(text):
    table = pl.DataFrame({"text": [text]})
    across = replace(TABLE, across="one", group="").render(table)
    # Heads are our own words, in which this one stands for the code of a currency.
    head = text.replace("{currency}", "")
    heads = replace(TABLE, columns={"text": Column(head)}, spanners={text: ["text"]}, stub=text).render(table)
    assert head in unescape(heads.html())
    shown = [TABLE.render(table), across, replace(TABLE.render(table), fold="folded"), remark(text)]
    shown.append(in_cards(text, [Card("fund", text, text, text, [(text, text)], text)], text))
    for one, least in zip(shown, (7, 5, 8, 1, 8), strict=True):
        assert _require_passive(one._repr_mimebundle_()["text/html"], text) >= least


@given(TEXTS)
def test_no_text_is_a_formula_in_a_table_that_the_command_line_writes(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("table") / "t.csv"
    write_table(pl.DataFrame({"a": [text.removeprefix(BEGIN), "plain"]}), path)
    ((_, *rows)) = csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
    assert csv_text(Twin(id="t", title="", columns=("a",), rows=((rows[0][0].lstrip("'"),),)))
    assert not re.match(r"\s*[=+\-@]", rows[0][0])
    assert rows[1] == ["plain"]


@given(TEXTS)
def test_no_text_acts_on_a_terminal(text):
    screen = Console(file=io.StringIO(), force_terminal=True, width=10_000, color_system="truecolor")
    screen.print(plain(text), grid([text], [[text]]), soft_wrap=True)
    printed = screen.file.getvalue()
    assert not re.search("[\x00-\x09\x0b-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", printed)
    # What is left of escape codes is the look of a head.
    assert set(re.findall("\x1b\\[[0-9;]*m?", printed)) <= {"\x1b[1m", "\x1b[0m"}
    assert _squeezed(plain(text).plain) in _squeezed(printed)


@given(TEXTS)
def test_json_on_a_terminal_is_the_same_content(text):
    printed = io.StringIO()
    set_output("json")
    with redirect_stdout(printed):
        finish({"text": text})
    set_output("all")
    assert json.loads(printed.getvalue()) == {"text": text}
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", printed.getvalue())


@settings(max_examples=15)  # each is drawn by a browser's library
@given(TEXTS)
def test_no_text_ends_what_a_drawing_says(text):
    marks = {"field": "a", "type": "nominal", "title": text}
    spec = {"data": {"values": [{"a": text, "b": 1}] * 2}, "mark": "bar", "title": text, "encoding": {"x": marks}}
    figure = draw(spec, "figure-1")
    soup = BeautifulSoup(figure.svg, "html.parser")
    assert {element.name for element in soup.find_all()} <= ELEMENTS
    known = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f]", "\ufffd", text)
    assert _require_whole(soup.get_text(" "), known) >= 2
    assert json.loads(figure.spec)["title"] == known
    assert figure.label == text


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        ("title", "Points \x1b[31m", "title: found 'Points \\x1b[31m', with U+001B (a control), which nobody sees"),
        (
            "harms",
            "Costs \u202etsurt",
            "harms: found 'Costs \\u202etsurt', with U+202E (RIGHT-TO-LEFT OVERRIDE), which",
        ),
        (
            "title",
            "Points <b>",
            "title: found '<b>', which a page takes for a tag; possible: words without tags, and a",
        ),
        ("description", "Do <!-- it", "description: found '<!-- it', which a page takes for a tag"),
        ("owner", "A </td>", "owner: found '</td>', which a page takes for a tag"),
    ],
)
def test_a_file_with_text_that_is_more_than_text_is_refused_with_its_place(tmp_path, key, text, words):
    content = content_of((root() / "params" / "strategies" / "points-programme.yaml").read_text(encoding="utf-8"))
    path = tmp_path / "mine.yaml"
    path.write_text(text_of({**content, key: text}), encoding="utf-8")
    with pytest.raises(ParamError) as refused:
        load_strategy(str(path))
    assert f"mine.yaml: {words}" in str(refused.value)


def test_signs_of_comparison_stay_possible_in_conditions_and_in_words(tmp_path):
    content = content_of((root() / "params" / "strategies" / "points-programme.yaml").read_text(encoding="utf-8"))
    content |= {"title": "Orders > 2 & < 9, a <3 and 5 <-> 7", "harms": "line\n\tline"}
    content["reach"]["who"] = "frequency <monetary_value and monetary_value>2"
    path = tmp_path / "mine.yaml"
    path.write_text(text_of(content), encoding="utf-8")
    assert load_strategy(str(path)).title == "Orders > 2 & < 9, a <3 and 5 <-> 7"


def test_text_is_escaped_at_one_place_for_each_way_to_show_it():
    own = re.compile(r"(?<!re\.)\bescape\(|html\.escape|import escape|u003c")
    found = {path.name for path in (ROOT / "cxsim").rglob("*.py") if own.search(path.read_text(encoding="utf-8"))}
    assert found == {"wording.py"}
