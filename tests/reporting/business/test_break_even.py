"""How large effects must be: sentences, table and figure say from which size on each strategy pays."""

from __future__ import annotations

import json

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.business.break_even import break_even_table, must_be_true, npv_by_size
from cxsim.reporting.business.register import cautions_table
from cxsim.tables import CAUTIONS, empty

NBSP = "\N{NO-BREAK SPACE}"
MEANT = "Chance of leaving, against <b>before</b>; searched, not assumed. The interval says where to look."


@pytest.fixture(scope="module")
def search(drawn_search) -> pl.DataFrame:
    """It pays at a ratio of 0.72 or less; title and description hold markup."""
    changes = {"title": "Gold <i>status</i>", "description": MEANT, "break_even": 0.7240473}
    return drawn_search.with_columns(npv_low=27_256.8, npv_high=-25_841.9, **{k: pl.lit(v) for k, v in changes.items()})


def _with(search, **changes):
    return search.with_columns(pl.lit(value, dtype=search.schema[name]).alias(name) for name, value in changes.items())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "at least 28 % lower"),
        ({"break_even": 1.02, "searched_high": 1.1}, "at most 2.0 % higher"),
        ({"break_even": 1.12, "npv_low": -1.0, "npv_high": 1.0}, "at least 12 % higher"),
        ({"break_even": 0.97, "npv_low": -1.0, "npv_high": 1.0}, "at most 3.0 % lower"),
        ({"break_even": 0.041, "unit": "exponent", "searched_low": 0.0, "searched_high": 0.1}, "0.041 or less"),
        ({"break_even": 0.3, "unit": "share", "npv_low": -1.0, "npv_high": 1.0}, "30 % or more"),
        ({"break_even": 20.0, "unit": "days", "searched_low": 5.0, "searched_high": 40.0}, "20 days or less"),
    ],
)
def test_the_lead_says_from_which_size_on_it_pays(search, changes, words):
    lead = must_be_true(_with(search, **changes), "USD").text.splitlines()[0].replace(NBSP, " ")
    assert lead == (
        f"Gold <i>status</i> pays if this is {words}: chance of leaving, against <b>before</b>. "
        "No evidence says whether it is."
    )


@pytest.mark.parametrize(
    ("low", "high", "badge", "words"),
    [(-1.0, -2.0, "Does not pay", "neither end"), (2.0, 1.0, "Pays at every size", "both ends")],
)
def test_a_search_without_a_root_says_where_it_pays(search, low, high, badge, words):
    flat = _with(search, npv_low=low, npv_high=high, break_even=None)
    alt_text = must_be_true(flat, "USD").text
    assert f"Gold <i>status</i> pays at {words} of the range tested, 0.50 to 1.00." in alt_text.splitlines()[0]
    assert alt_text.splitlines()[1].startswith(f"{badge}: ")
    assert f">{words}</td>" in break_even_table(flat, "USD").html()


def test_several_searches_are_sorted_by_where_they_pay(search):
    three = pl.concat(
        [
            _with(search, strategy="a", title="A"),
            _with(search, strategy="b", title="B"),
            _with(search, strategy="c", title="C", npv_low=-3.0, break_even=None),
        ]
    )
    assert break_even_table(three, "USD").title == (
        "A and B pay if the effect is large enough; C pays at neither end of the range tested"
    )


def test_the_table_says_that_nobody_has_measured_and_holds_both_ends(search):
    table = break_even_table(search, "USD")
    html = table.html().replace(NBSP, " ")
    for words in (
        "No evidence on these effects",
        "0.50 to 1.00",
        "27,300",
        "−25,800",
        "0.72 or less: at least 28 % lower",
    ):
        assert words in html
    assert "searched, not assumed" not in html
    assert table.machine()["rows"][0][9] == 0.7240473


def test_no_search_is_a_sentence(search):
    said = break_even_table(search.clear(), "USD")
    assert said.text.startswith("All effects have a plausible range")
    with pytest.raises(TableError, match="BREAK_EVEN: no strategy"):
        must_be_true(search.clear(), "USD")


def test_a_caution_names_all_its_strategies_and_none_is_a_sentence():
    rows = [("a", "A <b>", "One."), ("a", "A <b>", "Two."), ("c", "C", "Two.")]
    cautions = pl.DataFrame(rows, schema=empty(CAUTIONS).schema, orient="row")
    table = cautions_table(cautions)
    assert table.title == "What to consider with A <b> and C"
    assert "A &lt;b&gt; and C" in table.html()
    assert [row[2] for row in table.machine()["rows"]] == ["One.", "Two.", "Two."]
    assert cautions_table(cautions.clear()).text == "No cautions beyond those above."


def test_the_title_says_at_which_size_it_pays_and_it_is_marked_once(curve, drawn_search, finding):
    figure = npv_by_size(curve, drawn_search, "USD")
    assert finding(figure) == "Gold status: pays at 0.72 or less"
    drawn = json.dumps(figure.to_dict())
    assert drawn.count("Pays at 0.72 or less") == 1
    assert "searched, not assumed" not in drawn


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(-1.0, -2.0, "No break-even within the range tested"), (2.0, 1.0, "Pays at both ends of the range tested")],
)
def test_the_title_says_so_where_there_is_no_root(curve, drawn_search, low, high, words, finding):
    flat = drawn_search.with_columns(npv_low=low, npv_high=high, break_even=pl.lit(None, dtype=pl.Float64))
    assert finding(npv_by_size(curve, flat, "USD")) == words
