"""The waterfall of pathways adds up, and a table that does not is refused."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.business.statement import benefit_waterfall
from tests.charts.cases import STRATEGIES, pathways


def _rows(pathways):
    figure = benefit_waterfall(pathways, "USD").to_dict()
    return pl.DataFrame(next(iter(figure["datasets"].values())), infer_schema_length=None)


def _finding(pathways):
    return " ".join(benefit_waterfall(pathways, "USD").to_dict()["title"]["text"]).replace("\N{NO-BREAK SPACE}", " ")


def _moved(kind, amount):
    points = pl.col("strategy") == "points"
    return pathways().with_columns(amount=pl.when(points & (pl.col("kind") == kind)).then(amount).otherwise("amount"))


def test_the_title_tells_how_much_of_the_gains_is_eaten_up():
    # 36.7 of 77.7, 29.1 of 35.2 and 17.1 of 7.6 thousand.
    assert _finding(pathways()) == (
        "Costs and giveaways eat up 47 % of the gains for Free shipping from a threshold on, "
        "83 % for Points programme and 225 % for Win-back coupon"
    )


def test_of_more_than_three_strategies_the_least_and_the_most_are_alt_text():
    more = pathways().filter(strategy="points").with_columns(title=pl.lit("Points again"))
    assert _finding(pl.concat([pathways(), more])) == (
        "Costs and giveaways eat up from 47 % of the gains (Free shipping from a threshold on) "
        "to 225 % (Win-back coupon)"
    )


def test_a_strategy_that_only_takes_has_no_share_of_gains():
    only = pathways().filter((pl.col("strategy") == "coupon") & (pl.col("kind") != "gives"))
    # -11,900 - 2,800 - 2,400.
    summed = pl.col("kind").is_in(["base", "mean"])
    alt_text = only.with_columns(amount=pl.when(summed).then(-17_100.0).otherwise("amount"))
    assert _finding(alt_text) == "Win-back coupon gains by no way"


def test_each_bar_starts_where_the_one_before_ends():
    for name in STRATEGIES.values():
        parts = _rows(pathways()).filter((pl.col("name") == name) & (pl.col("kind") != "sum"))
        assert parts["_start"].to_list() == [0.0, *parts["_end"].to_list()[:-1]]


def test_sums_start_at_zero_and_end_at_their_amount():
    sums = _rows(pathways()).filter(kind="sum")
    assert sums["_start"].to_list() == [0.0] * 6
    assert sums["_end"].to_list() == [41_000.0, 39_100.0, 6_100.0, 7_500.0, -9_500.0, -9_500.0]


def test_a_part_of_nothing_is_left_out():
    # The coupon's uncertainty adds nothing.
    assert "What uncertainty adds" not in _rows(pathways()).filter(name="Win-back coupon")["label"].to_list()


def test_amounts_of_parts_have_a_sign_and_sums_have_none():
    written = _rows(pathways()).filter(name="Points programme")["_written"].to_list()
    assert written == ["+31,000", "+4,200", "−14,100", "−15,000", "6,100", "+1,400", "7,500"]


def test_parts_that_do_not_lead_to_the_base_case_are_refused():
    with pytest.raises(TableError, match=r"the parts of 'Points programme' add up to 6,100\.00; its base is 6,101\.00"):
        benefit_waterfall(_moved("base", 6_101.0), "USD")


def test_a_base_case_that_does_not_lead_to_the_mean_is_refused():
    with pytest.raises(TableError, match=r"add up to 7,500\.00; its mean is 7,600\.00"):
        benefit_waterfall(_moved("mean", 7_600.0), "USD")


def test_a_strategy_without_its_mean_is_refused():
    with pytest.raises(
        TableError, match="'Free shipping from a threshold on' has 0 rows of kind 'mean'; one is needed"
    ):
        benefit_waterfall(pathways().filter(pl.col("kind") != "mean"), "USD")


def test_the_description_reads_all_parts():
    described = benefit_waterfall(pathways(), "USD").to_dict()["description"]
    assert "Points programme: Fewer customers leave +31,000; Customers order more often +4,200;" in described
