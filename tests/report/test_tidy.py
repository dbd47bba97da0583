"""What a notebook brings is passive, offline and accessible, or refused."""

from __future__ import annotations

import pytest

from cxsim.errors import ReportError
from cxsim.reporting.render import tidy


def _tidy(html):
    return tidy(html, reserved=frozenset({"content"}))


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<p ONCLICK='x()'>a</p>",
        "<iframe src='data:text/html,a'></iframe>",
        "<img src='https://example.org/a.png'>",
        "<img src='//example.org/a.png'>",
        "<a href='javascript:alert(1)'>a</a>",
        "<a href='data:text/html,a'>a</a>",
        "<style>@import 'https://example.org/a.css'</style>",
        "<p style=\"background:url('https://example.org/a.png')\">a</p>",
        "<link rel=stylesheet href=a.css>",
        "<svg><a xlink:href='vbscript:x'>a</a></svg>",
    ],
)
def test_active_or_fetched_content_is_refused_and_its_cell_named(html):
    with pytest.raises(ReportError, match="cell 4 of the notebook brings"):
        _tidy(f'<div data-cell="4">{html}</div>')


@pytest.mark.parametrize("html", ['<img src="data:image/png;base64,AA"/>', '<a href="#returns">a</a>'])
def test_content_that_stands_alone_is_left_as_it_is(html):
    assert _tidy(html).html == html


def test_a_web_address_is_printed_instead_of_linked():
    html = _tidy('<a href="https://example.org/a">the source</a>').html
    assert html == '<span class="cx-source">the source (https://example.org/a)</span>'


def test_headings_get_anchors_of_their_own():
    body = _tidy('<h1>Why?</h1><h2>Cash</h2><p id="cash-2"></p><h2>Cash</h2><h2>Content</h2><h3>…</h3>')
    assert body.contents == (("cash", "Cash"), ("cash-3", "Cash"), ("content-2", "Content"))
    assert '<h3 id="section">' in body.html
    assert body.has_title


def test_a_table_scrolls_by_itself_and_its_heads_have_a_scope():
    html = _tidy("<table><thead><tr><th>a</th></tr></thead></table>").html
    assert html.startswith('<div class="cx-scroll"><table>')
    assert '<th scope="col">a</th>' in html
