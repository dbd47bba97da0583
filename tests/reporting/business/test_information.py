"""What is worth testing first: figures and tables of the value of information."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.business.information import (
    information_table,
    test_plan_table as plan_table,
    value_of_information,
    variance_split,
)
from cxsim.study.business.experiments import TEST_PLAN
from cxsim.study.business.information import INFORMATION
from cxsim.tables import empty
from tests.reporting.business.cases import STRATEGIES, information, split

NBSP = "\N{NO-BREAK SPACE}"
_DROPOUT = {
    "decision": "points",
    "title": "Points",
    "id": "strategies/points/effects.dropout_1.ratio",
    "description": "Members' chance of leaving. Measured elsewhere.",
    "worth": 1_234.0,
    "mc_error": 100.0,
    "share_of_everything": 0.4,
    "rank": 1,
}
_ALL = _DROPOUT | {
    "id": "everything",
    "description": "Everything",
    "worth": 3_000.0,
    "share_of_everything": None,
    "rank": 0,
}


def _table(*rows):
    return information_table(pl.DataFrame(list(rows), schema=empty(INFORMATION).schema), "USD")


def test_the_title_names_the_answer_that_is_worth_most():
    assert _table(_ALL, _DROPOUT).title.replace(NBSP, " ") == (
        "If Points is decided on alone, perfect information on “Members' chance of leaving” is worth USD 1,230"
    )


def test_a_worth_within_two_errors_of_nothing_is_not_claimed():
    # 150 is 1.5 times its error of 100.
    assert _table(_DROPOUT | {"worth": 150.0}, _ALL).title.replace(NBSP, " ") == (
        "No single measurement is worth paying for before deciding; even perfect information is worth at most USD 3,000"
    )


def test_rows_stand_by_rank_with_their_error_and_share_and_groups_are_no_single_answer(as_text, snapshot):
    group = _DROPOUT | {"id": "effects of points", "description": "All effects", "worth": 2_000.0, "rank": 0}
    table = _table(_ALL, group, _DROPOUT)
    html = table.html().replace(NBSP, " ")
    assert html.index(">3,000 ± 100<") < html.index(">All effects<") < html.index(">1,230 ± 100<")
    assert "chance of leaving" in table.title
    assert as_text(table) == snapshot


def test_an_answer_that_changes_nothing_is_not_listed_but_everything_is():
    html = _table(_ALL | {"worth": 0.0}, _DROPOUT | {"worth": 0.0}).html()
    assert html.count(">0 ± 100<") == 1
    assert "chance of leaving" not in html


def test_three_of_a_decision_are_shown_and_the_twin_has_all():
    rows = [_DROPOUT | {"id": f"number {rank}", "description": f"Number {rank}", "rank": rank} for rank in range(1, 9)]
    table = _table(*rows)
    assert ">Number 3<" in table.html()
    assert ">Number 4<" not in table.html()
    assert len(table.machine()["rows"]) == 8


def test_without_uncertainty_there_is_a_sentence():
    assert "nothing is worth measuring" in _table().text


_POINTS = {
    "strategy": "points",
    "title": "Points",
    "id": "strategies/points/effects.dropout_1.ratio",
    "description": "Members' chance of leaving. Measured elsewhere.",
    "outcome": "Margin per customer",
    "follow_up_days": 180,
    "mean": 12.34,
    "sd": 40.06,
    "difference": 1.5,
    "alpha": 0.05,
    "power": 0.8,
    "per_group": 11_200,
    "available": 30_000,
    "reached": 40_000,
    "weeks": 51.7,
    "worth": 1_234.0,
    "value": 800.0,
    "cost": 150.0,
    "net_benefit": 650.0,
    "verdict": "Worth running",
    "chosen": True,
}


def _table_plan_of_tests(*rows):
    return plan_table(pl.DataFrame(list(rows), schema=empty(TEST_PLAN).schema), "USD")


def test_the_title_says_which_test_comes_first_and_what_it_takes():
    # Two groups of 11,200.
    assert _table_plan_of_tests(_POINTS, _POINTS | {"title": "Coupon", "net_benefit": 10.0}).title.replace(
        NBSP, " "
    ) == ("Test Points first: 22,400 customers and 52 weeks for an expected net benefit of USD 650")


def test_a_test_that_too_few_customers_allow_has_a_dash_and_is_not_first():
    table = _table_plan_of_tests(_POINTS | dict.fromkeys(("weeks", "value", "cost", "net_benefit")))
    assert table.title == "No test on contribution alone is feasible: too few customers are available"
    assert ">–<" in table.html()


def test_chances_of_error_stand_above_the_figures(as_text, snapshot):
    table = _table_plan_of_tests(_POINTS, _POINTS | {"follow_up_days": 364, "chosen": False})
    html = table.html().replace(NBSP, " ")
    # Only the best length of follow-up is shown, with its verdict below the table.
    assert (
        html.lower().count("margin per customer") == html.count("Points: worth running") == html.count(">1,230<") == 1
    )
    assert as_text(table) == snapshot


def test_without_a_test_there_is_a_sentence():
    assert "No test is planned here" in _table_plan_of_tests().text


def _figure(decision):
    return value_of_information(information(), "USD", decision).to_dict()


def _rows(figure, column="place"):
    return next(pl.DataFrame(rows) for rows in figure["datasets"].values() if column in rows[0])


def _finding(figure):
    return " ".join(figure["title"]["text"])


@pytest.fixture(scope="module")
def whole(specs):
    return specs["worth_of_knowing"]


def test_the_title_names_the_number_to_test_first_not_a_group(whole):
    assert _finding(whole) == (
        "Highest value of perfect information on a single assumption: “Members' chance of leaving against what it "
        f"would be without the programme”, USD{NBSP}5,310"
    )
    assert f"Perfect information: USD{NBSP}8,420. Members' chance of leaving" in whole["description"]


def test_where_nothing_is_worth_knowing_the_title_says_so():
    assert _finding(_figure("free-shipping")) == (
        "Better information on any one assumption would not clearly change the decision, nor would perfect information"
    )


def test_a_worth_within_two_errors_of_nothing_is_not_clear():
    small = information().with_columns(mc_error=pl.lit(3_000.0))
    title = value_of_information(small, "USD").to_dict()["title"]["text"]
    assert " ".join(title) == "Better information on any one assumption would not clearly change the decision"


def test_numbers_come_by_rank_and_groups_after_them_by_worth(whole):
    rows = _rows(whole)
    assert rows["kind"].to_list() == ["number"] * 6 + ["group"] * 2
    assert rows["worth"].to_list() == [5_310.0, 1_240.0, 310.0, 60.0, 0.0, 0.0, 5_720.0, 420.0]
    # Numbers of the same words are told apart by what they belong to.
    words = set(rows["description"])
    assert {"Free shipping: order rate, against before", "Coupon: order rate, against before"} <= words
    # Two errors of 20 + 0.05 * 5,310 = 285.5, rounded like the value of everything.
    assert rows["_value"].to_list()[:3] == ["5,310 ± 290", "1,240 ± 80", "310 ± 40"]
    assert _rows(whole, "_worth").row(0) == (8_420.0, f"Perfect information: USD{NBSP}8,420")


def test_no_more_than_ten_numbers_are_drawn():
    number = information().filter(decision="portfolio", rank=1)
    many = [number.with_columns(id=pl.lit(f"a/b/{rank}"), rank=pl.lit(rank, pl.Int64)) for rank in range(2, 12)]
    figure = value_of_information(pl.concat([information().filter(rank=1), information().filter(rank=0), *many]), "USD")
    assert _rows(figure.to_dict())["kind"].to_list() == ["number"] * 10 + ["group"] * 2
    assert "The first 10 of 11 assumptions." in " ".join(figure.to_dict()["title"]["subtitle"])


def test_a_strategy_by_itself_has_its_colour():
    assert _figure("points")["layer"][0]["mark"]["color"] == "#D55E00"


def test_an_unknown_decision_is_answered_with_the_nearest():
    with pytest.raises(TableError, match="INFORMATION: no decision 'point'; did you mean 'points'"):
        _figure("point")


def test_a_decision_without_the_worth_of_everything_is_refused():
    lacking = information().filter(pl.col("id") != "everything")
    with pytest.raises(TableError, match="decision 'portfolio' has 0 rows 'everything' and 8 others"):
        value_of_information(lacking, "USD")


def _rows_split(figure):
    return pl.DataFrame(next(iter(figure["datasets"].values())))


@pytest.fixture(scope="module")
def parts(specs):
    return _rows_split(specs["variance_split"])


def _finding_split(split):
    return " ".join(variance_split(split).to_dict()["title"]["text"])


def _with(part, share):
    at = (pl.col("strategy") == "coupon") & (pl.col("part") == part)
    return pl.when(at).then(share).otherwise(pl.col("share"))


def test_the_title_tells_the_largest_part_of_each_strategy(specs):
    assert _finding(specs["variance_split"]) == (
        "Largest source of uncertainty: effects and costs of the programme for Free shipping from a threshold on and "
        f"Points programme (58 to 64{NBSP}%); prices and costs of the shop for Win-back coupon (52{NBSP}%)"
    )


def test_more_than_three_strategies_of_one_part_are_counted():
    more = [split().filter(strategy="points").with_columns(title=pl.lit(f"Points {n}")) for n in range(4)]
    assert _finding_split(pl.concat(more)) == (
        f"Largest source of uncertainty: effects and costs of the programme for 4 strategies (64{NBSP}%)"
    )


def test_parts_fill_the_whole_width_one_after_the_other_with_shares_beside_their_names(parts):
    for name in STRATEGIES.values():
        own = parts.filter(name=name)
        assert own["_start"].to_list() == [0.0, *own["_end"].to_list()[:-1]]
        assert own["_end"][-1] == 640.0
    assert own["_percent"].to_list() == [f"{share}{NBSP}%" for share in (33, 52, 3, 0, 9, 3)]


def test_parts_are_named_in_words_in_one_order():
    own = _rows_split(variance_split(split().reverse()).to_dict()).filter(name="Points programme")
    assert own["part"].to_list() == [
        "Effects and costs of the programme",
        "Prices and costs of the shop",
        "Parameters of fitted models",
        "Choice of dropout model",
        "Sampling variation",
        "Interactions of these",
    ]


def test_a_share_below_zero_stands_left_of_zero_and_is_explained():
    below = split().with_columns(share=_with("together", -0.04)).with_columns(share=_with("sampling", 0.16))
    figure = variance_split(below).to_dict()
    own = _rows_split(figure).filter(name="Win-back coupon")
    # The bar spans -0.04 to 1.04 in 640 pixels: zero is at 0.04 / 1.08 * 640 = 23.7.
    assert own.select("_start", "_end").row(5) == (23.7, 0.0)
    assert own["_percent"][5] == f"−4{NBSP}%"
    assert "Left of zero: negative within simulation error." in " ".join(figure["title"]["subtitle"])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (
            {"share": _with("sampling", 0.0)},
            r"the shares of 'Win-back coupon' add up to 0\.9100; they must add up to 1",
        ),
        ({"part": pl.col("part").replace("sampling", "samplin")}, "SPLIT: no part 'samplin'; did you mean 'sampling'"),
        (
            {"part": pl.col("part").replace("sampling", "models")},
            "SPLIT: a part of 'Free shipping from a threshold on' stands twice",
        ),
    ],
)
def test_a_split_that_is_none_is_refused(wrong, words):
    with pytest.raises(TableError, match=words):
        variance_split(split().with_columns(**wrong))
