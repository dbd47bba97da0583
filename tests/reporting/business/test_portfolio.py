"""Sets of strategies by risk and value."""

from __future__ import annotations

import itertools
import re

import polars as pl
import pytest
from bs4 import BeautifulSoup

from cxsim.errors import TableError
from cxsim.reporting.business.portfolio import efficient_frontier, portfolio_table
from cxsim.study.business.portfolio import PORTFOLIO
from cxsim.tables import empty
from tests.reporting.business.cases import STRATEGIES, portfolio

NBSP = "\N{NO-BREAK SPACE}"
_BEST = {
    "name": "a+b",
    "title": "A + B",
    "members": "a, b",
    "investment": 30_000.0,
    "npv": 9_000.0,
    "npv_mc_error": 900.0,
    "low": -4_000.0,
    "high": 22_000.0,
    "prob_npv_positive": 0.85,
    "prob_mc_error": 0.02,
    "cvar": -5_100.0,
    "roi": 0.3,
    "payback_months": 12.0,
    "payback_months_late": None,
    "interaction": -1_500.0,
    "gap": 0.0,
    "gap_mc_error": 0.0,
    "efficient": True,
    "affordable": True,
    "chosen": True,
    "draws": 60,
    "place": None,
}
_NEXT = _BEST | {
    "name": "a",
    "title": "A",
    "members": "a",
    "interaction": 0.0,
    "gap": 1_000.0,
    "gap_mc_error": 400.0,
    "chosen": False,
    "efficient": False,
}
_NOTHING = _NEXT | {"name": "nothing", "title": "No programme", "members": "", "gap": 9_000.0, "gap_mc_error": 900.0}


def _table(*rows, budget=None):
    return portfolio_table(pl.DataFrame(list(rows), schema=empty(PORTFOLIO).schema), "USD", budget)


def test_two_sets_are_alt_text_apart_from_two_errors_on():
    # 1,000 is 2.5 times 400, and 700 is 1.75 times 400.
    assert _table(_BEST, _NEXT).title == (
        "A + B has the highest expected NPV, more than two simulation errors above the next, A"
    )
    near = _NEXT | {"gap": 700.0}
    assert _table(_BEST, near).title == "A + B has the highest expected NPV; no clear difference from A"
    assert ">no clear difference<" in _table(_BEST, near).html()


def test_many_sets_that_are_not_alt_text_apart_are_counted():
    near = [_NEXT | {"name": name, "gap": 10.0} for name in "ab"]
    assert (
        _table(_BEST, *near, _NOTHING).title
        == "A + B has the highest expected NPV; no clear difference from two other sets"
    )


def test_a_set_beyond_the_budget_is_marked_and_is_not_the_next():
    dear = _NEXT | {"name": "c", "title": "C", "gap": -2_000.0, "affordable": False}
    table = _table(_BEST, dear, _NOTHING, budget=40_000.0)
    assert table.title.startswith(
        "A + B has the highest expected NPV within the budget, more than two simulation errors above the next, No"
    )
    assert ">over budget<" in table.html()
    assert "budget USD 40,000" in re.sub("<[^>]+>", "", table.html()).replace(NBSP, " ")


def test_doing_nothing_can_be_the_best():
    alone = _NOTHING | {"chosen": True, "gap": 0.0, "gap_mc_error": 0.0}
    assert _table(alone).title == (
        "Funding no programme has the highest expected NPV; there is no other set to compare it with"
    )


def test_only_sets_of_several_interact_and_each_remark_stands_once(as_text, snapshot):
    table = _table(_BEST, _NEXT, _NOTHING)
    cells = [cell.get_text() for cell in BeautifulSoup(table.html(), "html.parser").find_all("td")]
    for cell in ("−1,500", "best; efficient"):
        assert cells.count(cell) == 1
    assert as_text(table) == snapshot


def test_a_table_without_a_choice_is_refused():
    with pytest.raises(TableError, match="PORTFOLIO: 0 of 1 sets are chosen; it must be one"):
        _table(_NEXT)


def _figure(table):
    return efficient_frontier(table, "USD").to_dict()


def _rows(figure, column="set"):
    return next(
        pl.DataFrame(rows, infer_schema_length=None) for rows in figure["datasets"].values() if column in rows[0]
    )


def _finding(figure):
    return " ".join(figure["title"]["text"])


@pytest.fixture(scope="module")
def spec(specs):
    return specs["efficient_frontier"]


def test_the_title_names_the_best_set_within_the_budget_and_the_description_the_efficient_ones(spec):
    assert _finding(spec) == (
        "Highest expected NPV within the budget: Free shipping from a threshold on + Points programme, "
        f"USD{NBSP}44,900; clearly higher than any other"
    )
    assert f"No programme: USD{NBSP}0 expected, USD{NBSP}0 in the worst 10{NBSP}%; Free shipping" in spec["description"]
    over = "Over the budget: Free shipping from a threshold on + Points programme + Win-back coupon."
    assert over in spec["description"]


@pytest.mark.parametrize(
    ("changed", "title"),
    [
        # 44,900 less 41,200 are 3,700: within two errors of 2,000, and the other gaps are not.
        ({"gap_mc_error": pl.lit(2_000.0)}, "44,900; no clear difference from one other set"),
        ({"affordable": pl.lit(value=True)}, "Highest expected NPV: Free shipping"),
        ({"chosen": pl.col("members") == ""}, "No set of programmes has a positive expected NPV"),
    ],
)
def test_the_title_says_how_sure_the_choice_is(changed, title):
    assert title in _finding(_figure(portfolio().with_columns(**changed)))


def test_letters_follow_the_scenario_whatever_the_order_of_the_sets(spec):
    figure = _figure(portfolio().reverse())
    assert sorted(_rows(figure)["_label"].to_list()) == sorted(
        ["No programme", "A", "B", "C", "A + B", "A + C", "B + C", "A + B + C"]
    )
    for each in (figure, spec):
        assert dict(_rows(each, "letter").select("letter", "strategy").rows()) == dict(
            zip("ABC", STRATEGIES.values(), strict=True)
        )


def test_single_strategies_have_their_colours_also_where_only_they_are_compared():
    singles = (
        portfolio().filter(~pl.col("members").str.contains(",")).with_columns(chosen=pl.col("members") == "points")
    )
    colours = dict(_rows(_figure(singles)).select("_label", "_colour").rows())
    assert colours == {"A": "#0072B2", "B": "#D55E00", "C": "#009E73", "No programme": "#7B8794"}


def test_members_may_be_parted_by_plus_signs(spec):
    plus = portfolio().with_columns(pl.col("members").str.replace_all(", ", "+"))
    assert _rows(_figure(plus)).equals(_rows(spec))


def test_strokes_reach_two_standard_errors(spec):
    rows = _rows(spec)
    # Six significant digits of each end.
    assert (rows["_high"] - rows["_low"]).to_list() == pytest.approx(
        [4.0 * error for error in portfolio()["npv_mc_error"]], abs=0.2
    )


def test_of_many_sets_only_those_that_matter_are_named():
    table = portfolio()
    other = table.filter(members="points, coupon")
    many = pl.concat([table, *(other.with_columns(npv=pl.lit(float(n))) for n in range(9))])
    figure = _figure(many)
    named = [label for label in _rows(figure)["_label"] if label]
    assert sorted(named) == ["A", "A + B", "B", "C", "No programme"]
    assert "Of 17 sets, those on the line and single strategies are named" in " ".join(figure["title"]["subtitle"])


def test_without_one_choice_the_table_is_refused():
    with pytest.raises(TableError, match="PORTFOLIO: 0 of 8 sets are chosen; it must be one"):
        efficient_frontier(portfolio().with_columns(chosen=pl.lit(value=False)), "USD")


def test_letters_follow_the_places_of_strategies():
    # The scenario brings them the other way round.
    localise = portfolio().with_columns(place=2 - pl.col("place"))
    assert _rows(_figure(localise), "letter").select("letter", "strategy").rows() == list(
        zip("ABC", reversed(STRATEGIES.values()), strict=True)
    )


def test_a_strategy_without_a_place_is_refused():
    lost = portfolio().with_columns(place=pl.when(pl.col("name") != "points").then("place"))
    with pytest.raises(TableError, match="strategy 'points' has no place of its own; possible: free-shipping, coupon"):
        efficient_frontier(lost, "USD")


def test_letters_of_points_that_lie_close_do_not_cover_each_other_and_stay_inside():
    close = portfolio().with_columns(cvar=pl.col("cvar") / 20.0, npv=pl.col("npv") / 20.0, npv_mc_error=500.0)
    far = close.head(1).with_columns(cvar=-60_000.0, npv=60_000.0, chosen=pl.lit(value=False))
    rows = _rows(_figure(pl.concat([close, far])))
    # Letters are 7.2 wide and 14 high, the figure 570 and 340.
    words = [(x, y, 3.6 * len(label)) for x, y, label in rows["_x", "_y", "_label"].rows()]
    for (x, y, half), (other_x, other_y, other_half) in itertools.combinations(words, 2):
        assert abs(x - other_x) >= half + other_half - 0.1 or abs(y - other_y) >= 13.9
    assert all(half - 0.1 <= x <= 570.1 - half and 6.9 <= y <= 333.1 for x, y, half in words)
