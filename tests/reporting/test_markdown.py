"""The Markdown of a page says what the page says, and nothing in the data becomes markup."""

from __future__ import annotations

import re

import pytest
from bs4 import BeautifulSoup
from hypothesis import example, given, strategies as st
from markdown_it import MarkdownIt

from cxsim.reporting.markdown import escaped, line, markdown
from tests.reporting.conftest import HOSTILE, MANIFEST

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
    soup = _read(line(escaped(text).strip(" ")))
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
    text = (made.files.html.parent / "first year" / "report.md").read_text(encoding="utf-8")
    soup = _read(text)
    assert _tags(soup) <= {
        "a", "code", "h1", "h2", "li", "ol", "p", "pre", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
    }  # fmt: skip
    assert HOSTILE in soup.get_text()
    assert "a <script>" in [cell.get_text() for cell in soup.find_all("td")]


def test_a_real_page_is_listed_from_its_title_to_its_command(made):
    text = (made.files.html.parent / "first year" / "report.md").read_text(encoding="utf-8")
    assert text == markdown(made.html, "first year.html")
    assert re.findall(r"^#+ .*", text, flags=re.MULTILINE) == [
        "# Does it pay?", "## Cash", "## Cash", "## Returns", "## Audit trail",
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


def test_a_table_without_heads_and_cells_over_several_rows_keeps_its_columns():
    table = '<table><tr><td rowspan="2">a</td><td>b</td></tr><tr><td colspan="x">c</td></tr></table>'
    assert _written(table) == "|  |  |\n| --- | --- |\n| a | b |\n| a | c |"


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
    ],
)
def test_each_kind_of_element_has_its_markdown(body, text):
    assert _written(body) == text


def test_a_page_without_a_heading_of_its_own_begins_with_the_opening():
    assert markdown("<main><p>x</p></main>", "r.html").startswith("The text of [r.html](../r.html): figures are given")
