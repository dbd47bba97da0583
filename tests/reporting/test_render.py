"""The page and its Markdown say the same, and nothing from data becomes markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib

import nbformat
import pytest
import vl_convert
from bs4 import BeautifulSoup
from hypothesis import example, given, strategies as st
from markdown_it import MarkdownIt

from cxsim.errors import ReportError
from cxsim.reporting.drawings import VEGA_LITE
from cxsim.reporting.markdown import line, markdown
from cxsim.reporting.render import normalised, notebook_text, render, tidy, vega_bundle
from cxsim.reporting.twins import json_text
from cxsim.wording import in_markdown
from tests.reporting.conftest import HOSTILE, MANIFEST


@pytest.fixture(scope="module")
def soup(made):
    return BeautifulSoup(made.html, "html.parser")


def _render(**data):
    cell = nbformat.v4.new_code_cell("x = 1 < 2")
    cell.outputs = [nbformat.v4.new_output("display_data", data=data)]
    notebook = nbformat.v4.new_notebook(cells=[cell])
    return lambda code="hidden": render(notebook, title="T", manifest={}, tables="t", code=code)


def test_nothing_on_the_page_is_fetched_and_the_policy_allows_exactly_the_scripts_of_the_page(soup, made):
    assert re.findall(r'(?:src|href)\s*=\s*["\']?(?:https?:)?//', made.html) == []
    unpacked = zlib.decompress(base64.b64decode(soup.find(id="cx-bundle").string)).decode()
    scripts = [unpacked, *(script.string for script in soup.find_all("script") if not script.get("type"))]
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    policy = soup.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    assert re.findall(r"'sha256-([^']+)'", policy) == digests
    assert len(digests) == 2
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe-eval" not in policy


def test_the_page_carries_the_bundle_of_the_drawing_library_packed(soup, made):
    packed = soup.find(id="cx-bundle").string
    assert zlib.decompress(base64.b64decode(packed)).decode() == vega_bundle()
    assert vl_convert.javascript_bundle(vl_version=VEGA_LITE) in vega_bundle()
    assert len(made.html.encode()) < 500_000  # the bundle alone has 898,000


def test_a_figure_with_sliders_says_without_javascript_where_they_start(soup):
    bars, slider = soup.find_all("figure")
    assert bars.find(class_="cx-needs") is None
    assert slider.find(class_="cx-needs").get_text() == (
        "The sliders of this figure need JavaScript. The chart shows their starting values: Uplift 2."
    )
    assert soup.head.noscript.style.string == ".cx-needs { display: block; }"


def test_hostile_text_in_title_manifest_chart_and_table_stays_text(soup):
    assert HOSTILE in soup.title.string
    assert HOSTILE in soup.find(class_="cx-audit").get_text()
    assert json.loads(soup.find(id="provenance").string)["remark"] == HOSTILE
    assert json.loads(soup.find(id="figure-1").script.string)["title"] == "Cash </script>"
    assert soup.find(class_="cx-table").td.get_text() == "a <script>"
    assert [element for element in soup.select("*") if any(name.startswith("on") for name in element.attrs)] == []


def test_the_manifest_is_on_the_page_as_it_was_given_and_its_output_is_not_shown_among_the_others(soup):
    assert json.loads(soup.find(id="provenance").string).items() >= MANIFEST.items()
    assert soup.select_one(".cx-command code").string == MANIFEST["command"]
    assert "not shown" not in soup.main.get_text()


def test_every_chart_has_a_name_a_static_drawing_and_a_live_specification(soup):
    figures = soup.find_all("figure")
    assert [figure["aria-label"] for figure in figures] == ["Cash </script>", "What if?"]
    assert all(figure.select_one(".cx-static svg path") for figure in figures)
    assert all(json.loads(figure.script.string)["mark"] for figure in figures)


def test_the_contents_lead_to_every_section_and_ids_are_unique(soup):
    links = [link["href"].removeprefix("#") for link in soup.select("nav a")]
    assert links == ["cash", "cash-2", "returns", "audit-trail"]
    assert all(soup.find(id=link).name == "h2" for link in links)
    ids = [element["id"] for element in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))


def test_tables_link_to_their_twins_money_is_no_formula_and_warnings_for_the_author_do_not_reach_the_reader(soup, made):
    link = soup.select_one(".cx-twin a")
    assert (link["href"], link.has_attr("download")) == ("./first%20year/returns.csv", True)
    assert "A coupon of <strong>$5</strong>, a refund of <strong>$7</strong>" in str(soup)
    assert "careful!" not in made.html
    assert "scenario: first_year" in made.html


def test_code_is_shown_only_on_request_and_a_page_without_charts_carries_no_script():
    page = _render(**{"text/plain": "1"})
    assert "x = 1 &lt; 2" not in page()
    assert "x = 1 &lt; 2" in page("shown")
    html = _render(**{"text/plain": "1"})()
    assert "script-src 'none'" in html.replace("&#39;", "'")
    assert "<script>" not in html
    assert "cx-bundle" not in html


def test_an_output_that_a_page_cannot_show_and_one_that_brings_a_script_are_refused():
    with pytest.raises(ReportError, match="cell 1 of the notebook shows an output of kind application/x-unknown"):
        _render(**{"application/x-unknown": "1"})()
    with pytest.raises(ReportError, match="cell 1 of the notebook contains a <script> element"):
        _render(**{"text/html": HOSTILE})()


def _tidy(html):
    return tidy(html, reserved=frozenset({"content"}))


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<p ONCLICK='x()'>a</p>",
        "<iframe src='data:text/html,a'></iframe>", "<img src='https://example.org/a.png'>",
        "<img src='//example.org/a.png'>", "<a href='javascript:alert(1)'>a</a>", "<a href='data:text/html,a'>a</a>",
        "<style>@import 'https://example.org/a.css'</style>", "<link rel=stylesheet href=a.css>",
        "<p style=\"background:url('https://example.org/a.png')\">a</p>", "<svg><a xlink:href='vbscript:x'>a</a></svg>",
    ],
)  # fmt: skip
def test_active_or_fetched_content_is_refused_and_its_cell_named(html):
    with pytest.raises(ReportError, match="cell 4 of the notebook contains"):
        _tidy(f'<div data-cell="4">{html}</div>')


@pytest.mark.parametrize("html", ['<img src="data:image/png;base64,AA"/>', '<a href="#returns">a</a>'])
def test_content_that_stands_alone_is_left_as_it_is_and_a_web_address_is_printed(html):
    assert _tidy(html)[0] == html
    printed = '<span class="cx-source">the source (https://example.org/a)</span>'
    assert _tidy('<a href="https://example.org/a">the source</a>')[0] == printed


def test_headings_get_anchors_of_their_own_and_a_table_scrolls_by_itself():
    html, contents = _tidy('<h1>Why?</h1><h2>Cash</h2><p id="cash-2"></p><h2>Cash</h2><h2>Content</h2><h3>…</h3>')
    assert contents == [("cash", "Cash"), ("cash-3", "Cash"), ("content-2", "Content")]
    assert '<h3 id="section">' in html
    html = _tidy("<table><thead><tr><th>a</th></tr></thead></table>")[0]
    assert html.startswith('<div class="cx-scroll"><table>')
    assert '<th scope="col">a</th>' in html


def test_names_become_labels_but_inside_a_group_and_the_command_comes_last():
    manifest = {
        "command": "cxsim report x",
        "scenario_hash": "ab" * 32,
        "parameter_files": {"params/levers.yaml": "<x>", "great_tables": {}},
        "clean": True,
        "commit": None,
        "draws": [7, False],
    }
    notebook = nbformat.v4.new_notebook()
    trail = BeautifulSoup(render(notebook, title="T", manifest=manifest, tables="t"), "html.parser").select_one(
        ".cx-audit dl"
    )
    entries = [
        (entry.get_text().strip(), [tag.name for tag in entry.find_all()]) for entry in trail.find_all(["dt", "dd"])
    ]
    assert entries == [
        ("Scenario hash", []), ("ab" * 32, ["code"]),
        ("Parameter files", []), ("params/levers.yaml\n<x>\ngreat_tables\nnone", ["dl", "dt", "dd", "dt", "dd"]),
        ("params/levers.yaml", []), ("<x>", []), ("great_tables", []), ("none", []),
        ("Clean", []), ("yes", []), ("Commit", []), ("not recorded", []), ("Draws", []), ("7, no", []),
        ("Command to reproduce", []), ("cxsim report x", ["code"]),
    ]  # fmt: skip


def test_a_manifest_is_the_same_text_in_any_order_of_its_names():
    assert json_text({"a": 1, "b": {"d": 2, "c": 3}}) == json_text({"b": {"c": 3, "d": 2}, "a": 1})


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}])
def test_a_manifest_without_a_place_in_json_is_refused(value):
    with pytest.raises(ReportError, match="cannot be written as JSON"):
        json_text({"a": value})


def _executed(run):
    cell = nbformat.v4.new_code_cell("1", execution_count=1, id=f"random-{run}")
    cell.metadata["execution"] = {"iopub.execute_input": f"2024-01-0{run}"}
    cell.metadata["papermill"] = {"duration": run}
    pieces = ["ab", "c"] if run == 1 else ["a", "bc"]
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=piece) for piece in pieces]
    notebook = nbformat.v4.new_notebook(cells=[cell])
    notebook.metadata.update(
        kernelspec={"name": f"venv{run}", "display_name": f"venv {run}"},
        language_info={"name": "python", "version": f"3.1{run}"},
        papermill={"start_time": run},
        widgets={"state": run},
    )
    return notebook


def test_two_runs_of_a_notebook_are_stored_as_the_same_text_and_the_one_handed_in_is_not_changed():
    notebook = _executed(1)
    assert notebook_text(normalised(notebook)) == notebook_text(normalised(_executed(2)))
    assert notebook == _executed(1)
    cell = normalised(notebook).cells[0]
    assert (cell.id, cell.execution_count, cell.outputs[0].text) == ("c000", 1, "abc")


# A reader of Markdown that allows HTML, so that anything which slips through is seen.
READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
BLANKS = re.compile("[\x00-\x20\x7f\x85\u2028\u2029]+")
# Letters, blanks, and every sign that Markdown or HTML knows.
TEXT = st.text(st.sampled_from("ab1 \n\t.)(\\`*_{}[]<>#+-=!|~$&;:/@^\"'é−\N{NO-BREAK SPACE}"), max_size=25)
TITLE = '<tr class="gt_heading"><td class="gt_title">T</td></tr>'


def _page(body):
    return f'<html><body><main id="content"><h1>Title</h1>{body}</main></body></html>'


def _written(body):
    """Return the Markdown below the title and the opening."""
    return markdown(_page(body), "a report.html").split("\n\n", 2)[2].rstrip("\n")


def _read(text):
    return BeautifulSoup(READER.render(text), "html.parser")


def _shown(text):
    """Return a text as a browser shows it, blanks at its ends aside."""
    return BLANKS.sub(" ", text).strip()


def _tags(soup):
    return {element.name for element in soup.find_all()}


@given(TEXT)
@example("1. May")
@example("- item")
@example("![x](y)")
@example("&lt;b&gt;")
@example("<img src=x onerror=alert(1)>")
@example("===")
@example("    code")
def test_any_text_is_read_back_as_it_is(text):
    soup = _read(line(in_markdown(text).strip(" ")))
    assert _tags(soup) <= {"p"}
    assert soup.get_text().strip() == _shown(text)


@given(st.lists(TEXT, min_size=2, max_size=3), TEXT)
def test_any_text_in_a_table_stays_in_its_cell(cells, head):
    entries = "".join(f"<td>{_in_html(cell)}</td>" for cell in cells)
    heads = f"<th>{_in_html(head)}</th>" + "<th>x</th>" * (len(cells) - 1)
    soup = _read(_written(f"<table><thead><tr>{heads}</tr></thead><tbody><tr>{entries}</tr></tbody></table>"))
    assert _tags(soup) == {"table", "thead", "tbody", "tr", "th", "td"}
    assert [cell.get_text().strip() for cell in soup.find_all("td")] == [_shown(cell) for cell in cells]
    assert soup.th.get_text().strip() == _shown(head)


@given(TEXT, TEXT)
def test_code_is_read_back_as_it_is(one, other):
    soup = _read(_written(f"<p>see <code>{_in_html(one)}</code></p><pre>{_in_html(f'x{other}x')}</pre>"))
    assert (soup.find("p").code.get_text().strip() if _shown(one) else "") == _shown(one)
    assert _tags(soup) <= {"p", "code", "pre"}
    lines = re.sub(r"\r\n?", "\n", f"x{other}x")
    assert soup.pre.get_text() == f"{lines}\n"


def _in_html(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def test_hostile_text_of_a_real_page_stays_text(made):
    text = (made.page.parent / "first year" / "report.md").read_text(encoding="utf-8")
    soup = _read(text)
    assert _tags(soup) <= {
        "a", "code", "h1", "h2", "li", "ol", "p", "pre", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
    }  # fmt: skip
    assert HOSTILE in soup.get_text()
    assert "a <script>" in [cell.get_text() for cell in soup.find_all("td")]


def test_a_real_page_is_listed_from_its_title_to_its_command(made):
    text = (made.page.parent / "first year" / "report.md").read_text(encoding="utf-8")
    assert text == markdown(made.html, "first year.html")
    assert re.findall(r"^#+ .*", text, flags=re.MULTILINE) == [
        "# Does it pay?", "## Cash", "## Cash", "## Returns", "## Appendix: audit trail",
    ]  # fmt: skip
    assert "[first year.html](../first%20year.html)" in text
    assert "\n**Figure:** Cash &lt;/script&gt;\n\n| month | Cash, EUR |\n| --- | --- |\n| 0 | -20 |\n" in text
    assert "\n**Figure:** What if?\n" in text
    assert "\nAll digits: [returns.csv](returns.csv)\n" in text
    assert "\nA coupon of **\\$5**, a refund of **\\$7**; see the source (https://example.org/a).\n" in text
    assert "\n```\nscenario: first_year\n```\n" in text
    assert f"\n- Scenario hash: `{MANIFEST['scenario_hash']}`\n" in text
    assert "\n- Parameter files:\n  - params/levers.yaml: `" in text
    assert text.endswith("\n- Command to reproduce: `cxsim report first_year`\n")
    assert "JavaScript" not in text


def test_heads_over_several_columns_are_repeated_and_groups_are_bold():
    table = """<table class="gt_table"><thead>
    <tr class="gt_heading"><td class="gt_heading gt_title" colspan="4">A *finding*</td></tr>
    <tr class="gt_heading"><td class="gt_heading gt_subtitle" colspan="4">- EUR</td></tr>
    <tr><th class="gt_left" rowspan="2"></th><th class="gt_right" rowspan="2">Before</th>
        <th colspan="2"><span class="gt_column_spanner">Difference</span></th></tr>
    <tr><th class="gt_right">Year 1</th><th class="gt_right">Total</th></tr></thead>
    <tbody><tr><th class="gt_group_heading" colspan="4">Points</th></tr>
    <tr><th>Sales</th><td>1</td><td>2</td><td>3 | 4</td></tr></tbody>
    <tfoot><tr><td colspan="4">1. Note</td></tr></tfoot></table>"""
    title, subtitle, pipes, note = _written(table).split("\n\n")
    assert (title, subtitle, note) == (r"**A \*finding\***", r"\- EUR", r"1\. Note")
    assert pipes.split("\n") == [
        "|  | Before | Difference: Year 1 | Difference: Total |",
        "| --- | ---: | ---: | ---: |",
        "| **Points** |  |  |  |",
        r"| Sales | 1 | 2 | 3 \| 4 |",
    ]


def test_decision_cards_are_a_list():
    card = (
        '<article class="cx-decision"><h3>Points <span class="cx-badge">Pilot first</span></h3><p>- It *may* pay.</p>'
        "<dl><div><dt>Spend</dt><dd>USD 5</dd></div></dl><p>What would change it.</p></article>"
    )
    section = f'<section class="cx-decisions"><p class="cx-lead">Lead</p><div class="cx-cards">{card}</div></section>'
    lead, cards = _written(section).split("\n\n")
    assert lead == "Lead"
    assert cards.split("\n") == [
        "- **Points**: Pilot first",
        r"  - \- It \*may\* pay.",
        "  - Spend: USD 5",
        "  - What would change it.",
    ]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<ul><li>one<ul><li>two</li></ul></li><li>- three</li></ul>", "- one\n  - two\n- \\- three"),
        ("<ol><li>one</li><li><p>two</p></li></ol>", "1. one\n2. two"),
        ("<p>a <strong> b </strong>c <em></em><em>d</em></p>", "a **b** c *d*"),
        ("<blockquote><p>one</p><p>two</p></blockquote>", "> one\n>\n> two"),
        ("<hr><!-- note --><p></p>loose <b>text</b><p>x</p>", "---\n\nloose **text**\n\nx"),
        ("<details><summary>More</summary><p>x</p></details>", "**More**\n\nx"),
        (
            f"<details><summary>T</summary><table>{TITLE}<tr><td>1</td></tr></table></details>",
            "**T**\n\n|  |\n| --- |\n| 1 |",
        ),
        ('<p><a href="./a%20report/t.csv">t</a>, <a href="#x">x</a></p>', "[t](t.csv), x"),
        ('<p><a href="./a%20report/../../x.csv">up</a> <a href="./other/t.csv">there</a></p>', "up there"),
        ('<p class="cx-twin"><a href="./a%20report/t.csv">CSV</a></p>', "All digits: [t.csv](t.csv)"),
        ('<p>Really!<a href="./a%20report/t.csv">t</a></p>', "Really\\![t](t.csv)"),
        ('<p><img src="data:image/png;base64,AAAA" alt="A *plot*"></p>', "A \\*plot\\*"),
        ("<h2>1. Cash #</h2>", "## 1. Cash \\#"),
        (
            '<table><tr><td rowspan="2">a</td><td>b</td></tr><tr><td colspan="x">c</td></tr></table>',
            "|  |  |\n| --- | --- |\n| a | b |\n| a | c |",
        ),
    ],
)
def test_each_kind_of_element_has_its_markdown(body, text):
    assert _written(body) == text


def test_a_page_without_a_heading_of_its_own_begins_with_the_opening():
    assert markdown("<main><p>x</p></main>", "r.html").startswith("The text of [r.html](../r.html): figures are given")
