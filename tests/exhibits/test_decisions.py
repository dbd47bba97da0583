"""Decisions are told in sentences that are right for every sign, number and gap."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim import exhibits
from cxsim.errors import TableError

NBSP = "\N{NO-BREAK SPACE}"


def _told(returns, **changes):
    """The sentences on the first strategy alone, after some of its numbers are changed."""
    types = returns.schema
    one = returns.head(1).with_columns(pl.lit(value, dtype=types[name]).alias(name) for name, value in changes.items())
    return exhibits.decisions(one, "USD").text.replace(NBSP, " ")


def _lead(returns, *decided):
    table = returns.head(len(decided)).with_columns(
        decision=pl.Series(decided), title=pl.Series(["Ann", "Ben", "Cy"][: len(decided)])
    )
    return exhibits.decisions(table, "USD").text.splitlines()[0]


@pytest.mark.parametrize(
    ("decided", "sentence"),
    [
        (["fund"], "Ann is worth funding now."),
        (["reject"], "Ann is not worth funding."),
        (["fund", "fund"], "Both strategies are worth funding now."),
        (["reject", "reject"], "Neither strategy is worth funding."),
        (["reject"] * 3, "None of the three strategies is worth funding."),
        (["pilot"] * 3, "All three strategies are worth a pilot first."),
        (
            ["fund", "reject", "reject"],
            "Of three strategies, one is worth funding now (Ann) and two are not worth funding (Ben and Cy).",
        ),
        (
            ["pilot", "fund", "reject"],
            (
                "Of three strategies, one is worth funding now (Ben), one is worth a pilot first (Ann) "
                "and one is not worth funding (Cy)."
            ),
        ),
    ],
)
def test_the_lead_counts_the_decisions(returns, decided, sentence):
    assert _lead(returns, *decided) == sentence


def test_a_gain_is_told_with_outlay_interval_and_simulation_error(returns):
    assert (
        "For an outlay of USD 121,000, net present value rises by USD 41,200 "
        "(90 % interval USD 8,100 to 92,400; simulation error USD 1,210)."
    ) in _told(returns)


def test_a_loss_is_told_as_a_fall_without_a_second_minus(returns):
    told = _told(returns, incremental_npv=-9_480.0, npv_low=-15_020.0, npv_high=-2_950.0)
    assert "falls by USD 9,500 (90 % interval USD −15,000 to −3,000;" in told


def test_a_value_that_rounds_to_nothing_neither_rises_nor_falls(returns):
    told = _told(returns, incremental_npv=-3.0, npv_low=-41_000.0, npv_high=40_000.0)
    assert "net present value does not change (90 % interval USD −41,000 to 40,000;" in told


def test_millions_are_told_in_words(returns):
    told = _told(returns, incremental_npv=1_234_567.0, npv_low=-210_000.0, npv_high=2_840_000.0)
    assert "rises by USD 1.23 million (90 % interval USD −0.21 to 2.84 million;" in told


def test_a_strategy_that_costs_nothing_has_no_outlay(returns):
    assert "Without any outlay, net present value rises" in _told(returns, outlay=0.0)


@pytest.mark.parametrize(
    ("chance", "error", "sentence"),
    [
        (0.5, 0.01, "It gains in 50 % of draws (simulation error 1 percentage point)."),
        (0.5, 0.03, "It gains in 50 % of draws (simulation error 3 percentage points)."),
        (0.005, 0.004, "It gains in 0.5 % of draws."),
        (1.0, 0.0, "It gains in more than 99.5 % of draws."),
        (0.0, 0.0, "It gains in less than 0.5 % of draws."),
    ],
)
def test_the_chance_of_a_gain_never_claims_certainty(returns, chance, error, sentence):
    assert sentence in _told(returns, prob_npv_positive=chance, prob_mc_error=error)


@pytest.mark.parametrize(
    ("median", "late", "share", "sentence"),
    [
        (13.6, 30.9, 0.95, "back after 14 months in half of the draws and after 31 months in nine of ten."),
        (1.2, 1.4, 1.0, "back after 1 month in half of the draws and after 1 month in nine of ten."),
        (0.2, 2.0, 1.0, "back after less than a month in half of the draws and after 2 months in nine of ten."),
        (
            28.0,
            None,
            0.6,
            "back after 28 months in half of the draws, and not within the horizon in the slowest tenth.",
        ),
        (None, None, 0.23, "The money comes back within the horizon in 23 % of draws only."),
        (None, None, 0.0, "The money does not come back within the horizon."),
    ],
)
def test_payback_is_told_as_far_as_there_is_one(returns, median, late, share, sentence):
    assert sentence in _told(returns, payback_months=median, payback_months_late=late, prob_payback=share)


@pytest.mark.parametrize(
    ("scale", "sentence"),
    [
        (1.34, "It would still break even if the outlay were 1.34 times as large."),
        (1.001, "It just breaks even."),
        (0.49, "It would break even only if the same gain cost 49 % of that outlay."),
        (0.003, "It would break even only if the same gain cost less than 1 % of that outlay."),
        (-0.2, "It would lose money even if the outlay were nothing."),
    ],
)
def test_break_even_is_told_on_either_side_of_the_planned_outlay(returns, scale, sentence):
    assert sentence in _told(returns, break_even_scale=scale)


def test_without_outlay_nothing_is_told_of_break_even(returns):
    assert "break even" not in _told(returns, break_even_scale=None)


def test_markup_in_a_title_is_shown_and_not_obeyed(returns):
    markup = exhibits.decisions(returns, "USD").markup
    assert "Points &lt;b&gt;&amp; more&lt;/b&gt;" in markup
    assert "<b>" not in markup


def test_each_strategy_is_an_article_that_carries_its_decision(returns):
    markup = exhibits.decisions(returns, "USD").markup
    assert [part.split('"')[0] for part in markup.split('<article class="cx-decision" data-decision="')[1:]] == [
        "fund",
        "pilot",
        "reject",
    ]


def test_the_last_line_says_how_to_read_the_numbers(returns):
    aid = exhibits.decisions(returns, "USD").text.replace(NBSP, " ").splitlines()[-1]
    assert "20,000 customers" in aid
    assert "400 draws" in aid
    assert "a 90 % interval holds nine draws of ten" in aid


def test_an_unknown_decision_is_answered_with_the_nearest(returns):
    with pytest.raises(TableError, match="no decision 'funded'; did you mean 'fund'"):
        exhibits.decisions(returns.with_columns(decision=pl.lit("funded")), "USD")


def test_no_strategy_at_all_is_refused(returns):
    with pytest.raises(TableError, match="at least one row"):
        exhibits.decisions(returns.clear(), "USD")
