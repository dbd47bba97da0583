"""Flows, statements by month, period and cohort, and cumulative cash: one sum seen from several sides."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings, strategies as st

from cxsim.finance.economics import ACCOUNTS, INVESTMENT_ACCOUNTS, LADDER, PROGRAMME_ACCOUNTS, Account
from cxsim.finance.returns import Rule, returns
from cxsim.finance.statement import (
    COHORT_MONEY,
    FAN,
    PERIODS,
    Flows,
    cash,
    cohort_money,
    fan,
    flows,
    periods,
    statement,
    totals,
    weights,
)
from cxsim.tables import CASH, LEDGER, STATEMENT, TOTALS, check

ARMS = ("baseline", "plan", "other")
TITLES = {"plan": "The plan", "other": "Another"}
RESULT = LADDER[-1][0]
MEANS = ("baseline", "treated", "incremental", "discounted")
# Means of whole cents over a few draws, at most a million each: double precision keeps a hundred-thousandth of a cent.
CENT = 1e-7
STARTS = [date(1998, 7, 1), date(1998, 8, 1), date(1998, 9, 1)]
ENDS = [date(1998, 7, 31), date(1998, 8, 31), date(1998, 9, 30)]
SEVEN = [f"1998-{month:02d}" for month in range(7, 13)] + ["1999-01"]
PEOPLE = {"existing": 100.0, **dict.fromkeys(SEVEN, 10.0), "referred": 0.0}


def _ledger(*rows):
    schema = {name: kinds[0] for name, kinds in LEDGER.columns.items()}
    names = {"arm": pl.String, "cohort": pl.String, "account": pl.String}
    return pl.DataFrame(rows, schema=schema | names, orient="row")


def _made(months, seed=4, draws=5, cents=10**8):
    """Return flows of whole cents of every account for two strategies, and weights of the months."""
    generator = np.random.default_rng(seed)
    amounts = generator.integers(-cents, cents, (draws, 3, months, len(ACCOUNTS))) / 100
    return Flows(arms=ARMS, amounts=amounts), generator.uniform(0.5, 1.0, (draws, months))


def _starts(months):
    return [date(1998 + (6 + month) // 12, (6 + month) % 12 + 1, 1) for month in range(months)]


def _periods(flows, weights):
    # Every month's cash on its fifteenth day, each month of thirty.
    months = flows.amounts.shape[2]
    return periods(flows, weights, _starts(months), days=30.0 * np.arange(months) + 14.5, titles=TITLES)


LEDGER_ROWS = [
    (0, "baseline", "existing", 0, "gross sales", 10_000_000),
    (0, "plan", "existing", 0, "gross sales", 12_500_000),
    (0, "plan", "1998-07", 0, "gross sales", 1),
    (1, "plan", "shared", 1, "programme cost", -3_000_000),
    (1, "plan", "existing", 1, "discounts", -500_000),
]


def test_entries_are_summed_over_cohorts_and_missing_ones_are_zero():
    found = flows(_ledger(*LEDGER_ROWS), ARMS[:2], draws=2, months=2)
    assert found.amounts.shape == (2, 2, 2, len(ACCOUNTS))
    # A difference of two amounts of ten digits keeps six of the sixteen.
    assert found.incremental(1)[0, 0, ACCOUNTS.index(Account.GROSS_SALES)] == pytest.approx(2.500001, abs=1e-12)
    assert found.cash(1) == pytest.approx(np.array([[2.500001, 0.0], [0.0, -3.5]]), abs=1e-12)
    assert found.investment(1).tolist() == [[0.0, 0.0], [0.0, 3.5]]


def test_the_order_of_the_entries_does_not_matter():
    one, other = (flows(_ledger(*rows), ARMS[:2], draws=2, months=2) for rows in (LEDGER_ROWS, LEDGER_ROWS[::-1]))
    assert np.array_equal(one.amounts, other.amounts)


def test_timing_moves_the_cash_within_its_month():
    month = np.array([0, 31, 59])
    rate = np.array([0.10])
    found = {timing: weights(month, timing, rate)[0] for timing in ("start", "mid", "end")}
    # Powers of numpy and of Python may differ in the last digit.
    assert found["start"] == pytest.approx([1.0, 1.1 ** (-31 / 365.25)], rel=1e-15)
    assert found["mid"] == pytest.approx([1.1 ** (-15.5 / 365.25), 1.1 ** (-45 / 365.25)], rel=1e-15)
    assert found["end"] == pytest.approx([1.1 ** (-31 / 365.25), 1.1 ** (-59 / 365.25)], rel=1e-15)


def test_every_draw_has_its_own_rate_and_none_means_no_time_value():
    found = weights(np.array([0, 365]), "end", np.array([0.0, 0.10]))
    assert found[:, 0] == pytest.approx([1.0, 1.1 ** (-365 / 365.25)], rel=1e-15)


@pytest.fixture(scope="module")
def lines():
    return check(statement(_made(3, cents=10**6)[0], STARTS), STATEMENT)


def test_lines_stand_in_the_order_of_the_ladder(lines):
    expected = [name for subtotal, accounts in LADDER for name in (*map(str, accounts), subtotal)]
    for month in lines.partition_by("strategy", "month"):
        assert month["line"].to_list() == expected


def test_the_statement_is_that_of_the_periods_by_month(lines):
    flows, present = _made(3, cents=10**6)
    months = _periods(flows, present).filter(grain="month")
    assert lines.select("strategy", "month", "line").rows() == months.select("strategy", "period", "line").rows()
    for name in ("starts_on", "baseline", "treated", "incremental", "low", "high"):
        assert lines[name].to_list() == months[name].to_list()


def test_cumulative_cash_adds_up_the_last_line_of_the_statement(lines):
    found = check(cash(_made(3, cents=10**6)[0], ENDS), CASH)
    last = lines.filter(line=RESULT).with_columns(pl.col("incremental").cum_sum().over("strategy"))
    assert found["strategy"].to_list() == last["strategy"].to_list()
    assert found["mean"].to_list() == pytest.approx(last["incremental"].to_list(), abs=1e-9)


def test_quantiles_are_of_cumulative_cash_at_the_end_of_each_month(flows_of):
    # 101 draws of 0 to 100 in the first month, and as much again in the second: the q-quantile is 100 q, then 200 q.
    gain = np.arange(101.0)[::-1, None].repeat(2, axis=1)
    found = check(fan(flows_of(gain, np.zeros_like(gain)), ENDS[:2], TITLES), FAN)
    levels = [5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0]
    assert found.select("q05", "q10", "q25", "q50", "q75", "q90", "q95").row(0) == pytest.approx(levels, abs=1e-12)
    assert found.row(1, named=True)["q90"] == pytest.approx(180.0, abs=1e-12)
    assert found["mean"].to_list() == pytest.approx([50.0, 100.0], abs=1e-12)
    assert found.select("month", "ends_on", "title").rows() == [(m, ENDS[m], "The plan") for m in (0, 1)]


@pytest.mark.parametrize(
    ("months", "periods"),
    [
        (1, ["Total"]),
        (12, ["Total"]),
        (13, ["Year 1", "Year 2 (1 month)", "Total"]),
        (36, ["Year 1", "Year 2", "Year 3", "Total"]),
    ],
)
def test_years_are_those_of_the_scenario_and_the_total_comes_last(months, periods):
    found = check(totals(_made(months)[0]), TOTALS).filter(line=RESULT, strategy="plan")
    assert found["period"].to_list() == periods


def test_the_interval_of_a_year_is_that_of_the_sums_of_each_draw():
    flows, _ = _made(24, cents=10**6)
    row = totals(flows).filter(line=RESULT, period="Year 2", strategy="plan").row(0, named=True)
    sums = (flows.amounts[:, 1, 12:] - flows.amounts[:, 0, 12:]).sum(axis=(1, 2))
    assert (row["low"], row["high"]) == pytest.approx(tuple(np.quantile(sums, (0.05, 0.95))), abs=1e-8)
    assert row["treated"] - row["baseline"] == pytest.approx(sums.mean(), abs=1e-8)


@given(months=st.integers(1, 40), seed=st.integers(0, 10**6))
@settings(max_examples=8, deadline=None)
def test_months_quarters_and_years_add_up_to_the_total(months, seed):
    flows, weights = _made(months, seed)
    found = check(_periods(flows, weights), PERIODS)
    sums = found.group_by("strategy", "line", "grain", maintain_order=True).agg(pl.col(MEANS).sum())
    total = sums.filter(grain="total").drop("grain")
    for grain in ("month", "quarter", "year"):
        both = sums.filter(grain=grain).join(total, on=["strategy", "line"], suffix="_total")
        assert both.height == total.height == 2 * 29
        for name in MEANS:
            assert float((both[name] - both[f"{name}_total"]).abs().max()) < CENT


@given(months=st.integers(1, 40), seed=st.integers(0, 10**6))
@settings(max_examples=8, deadline=None)
def test_a_subtotal_is_the_sum_of_the_accounts_above_it(months, seed):
    flows, weights = _made(months, seed)
    found = _periods(flows, weights)
    above = []
    for subtotal, accounts in LADDER:
        above += [str(account) for account in accounts]
        keys = ["strategy", "grain", "period"]
        summed = found.filter(pl.col("line").is_in(above)).group_by(keys, maintain_order=True).agg(pl.col(MEANS).sum())
        found_lines = found.filter(line=subtotal)
        for name in MEANS:
            assert np.abs((summed[name] - found_lines[name]).to_numpy()).max() < CENT


def test_the_last_cumulative_present_value_is_the_npv():
    flows, weights = _made(30)
    found = _periods(flows, weights)
    npv = returns(flows, weights, Rule(fund=0.9), titles=TITLES, customers=1)
    last = found.filter(line=RESULT).group_by("strategy", "grain", maintain_order=True).last()
    for grain in ("month", "quarter", "year", "total"):
        found_lines = last.filter(grain=grain)["cumulative_discounted"].to_numpy()
        assert np.abs(found_lines - npv["incremental_npv"].to_numpy()).max() < CENT


def test_years_and_total_are_those_of_totals_with_their_intervals():
    flows, weights = _made(26)
    found = _periods(flows, weights).filter(pl.col("grain").is_in(["year", "total"]))
    known = totals(flows)
    both = known.join(found, left_on=["strategy", "period", "line"], right_on=["strategy", "label", "line"])
    assert both.height == known.height == 2 * 29 * 4
    for name in ("baseline", "treated", "incremental", "low", "high"):
        assert float((both[name] - both[f"{name}_right"]).abs().max()) < CENT


def test_sums_so_far_start_anew_in_each_strategy_grain_and_line(flows_of):
    # Gain 10, 20, 30, 40 less cost 5 each month: 5, 15, 25, 35; quarters 45 and 35; each discounted by a half.
    flows = flows_of([[10.0, 20.0, 30.0, 40.0]] * 2, [[5.0] * 4] * 2)
    found = _periods(flows, np.full((2, 4), 0.5)).filter(line=RESULT)
    assert found.filter(grain="month")["cumulative"].to_list() == [5.0, 20.0, 45.0, 80.0]
    assert found.filter(grain="quarter")["incremental"].to_list() == [45.0, 35.0]
    assert found.filter(grain="quarter")["cumulative"].to_list() == [45.0, 80.0]
    assert found.filter(grain="quarter")["cumulative_discounted"].to_list() == [22.5, 40.0]
    assert found.filter(grain="total").row(0, named=True)["cumulative"] == 80.0


def test_the_interval_of_a_quarter_is_that_of_the_sums_of_each_draw(flows_of):
    # Two draws whose months cancel: 10 - 10 + 0, so the quarter is certain although no month is.
    flows = flows_of([[10.0, -10.0, 0.0], [-10.0, 10.0, 0.0]], np.zeros((2, 3)))
    row = _periods(flows, np.ones((2, 3))).filter(line=RESULT, grain="quarter").row(0, named=True)
    assert (row["low"], row["high"]) == (0.0, 0.0)


def test_every_draw_is_discounted_by_its_own_weights(flows_of):
    # Draws of 100 and 200, discounted by 0.5 and 1: mean of 50 and 200 is 125, not 150 * 0.75.
    flows = flows_of([[100.0], [200.0]], np.zeros((2, 1)))
    found = _periods(flows, np.array([[0.5], [1.0]])).filter(line=RESULT)
    assert found["discounted"].to_list() == [125.0] * 4


def test_periods_are_named_and_a_short_one_says_how_long_it_is():
    found = _periods(*_made(14)).filter(line=RESULT, strategy="plan")
    labels = {grain: part["label"].to_list() for (grain,), part in found.group_by("grain", maintain_order=True)}
    assert labels["month"][:2] == ["1998-07", "1998-08"]
    assert labels["quarter"][-2:] == ["Quarter 4", "Quarter 5 (2 months)"]
    assert labels["year"] == ["Year 1", "Year 2 (2 months)"]
    assert labels["total"] == ["Total"]
    assert found.filter(grain="quarter")["starts_on"].to_list()[:2] == [date(1998, 7, 1), date(1998, 10, 1)]
    assert found.filter(grain="quarter")["period"].to_list() == [0, 1, 2, 3, 4]


def test_a_month_says_on_which_day_its_cash_flows_and_no_other_grain_does():
    found = _periods(*_made(3)).filter(line=RESULT, strategy="other")
    assert found["day"].to_list() == [14.5, 44.5, 74.5, None, None, None]
    assert found["title"].unique().to_list() == ["Another"]


def _entries(count=3_000, seed=7):
    generator = np.random.default_rng(seed)
    cohorts = [*PEOPLE, "shared"]
    return pl.DataFrame(
        {
            "draw": generator.integers(0, 4, count).astype(np.int32),
            "arm": pl.Series(generator.choice(ARMS, count)).cast(pl.Enum(ARMS)),
            "cohort": pl.Series(generator.choice(cohorts, count)).cast(pl.Enum(cohorts)),
            "month": generator.integers(0, 9, count).astype(np.int32),
            "account": pl.Series(generator.choice([str(account) for account in ACCOUNTS], count)),
            "amount": generator.integers(-(10**12), 10**12, count),
        }
    )


def _found(ledger, people=PEOPLE):
    return cohort_money(ledger, ARMS, draws=4, customers=people, titles=TITLES)


def test_the_sum_over_cohorts_is_the_statement():
    ledger = _entries()
    found = check(_found(ledger), COHORT_MONEY)
    summed = found.group_by("strategy", "line", maintain_order=True).agg(
        pl.col("baseline", "treated", "incremental").sum()
    )
    known = totals(flows(ledger, ARMS, draws=4, months=9))
    both = summed.join(known, on=["strategy", "line"], suffix="_known")
    assert both.height == 2 * 29
    for name in ("baseline", "treated", "incremental"):
        # Sums of about a hundred amounts of a million keep far more than a cent.
        assert float((both[name] - both[f"{name}_known"]).abs().max()) < 1e-6


GAPS = ["1998-01", "1998-02", "1998-04", "1998-07", "1998-09", "1998-12", "1999-01"]
THREES = ["existing", "1998-07 to 1998-09", "1998-10 to 1998-12", "1999-01", "referred", "shared"]


@pytest.mark.parametrize(
    ("people", "shown"),
    [
        pytest.param([*PEOPLE], THREES, id="many months in threes"),
        pytest.param(["existing", *SEVEN[:6]], ["existing", *SEVEN[:6], "shared"], id="few months by themselves"),
        pytest.param(
            GAPS,
            ["1998-01 to 1998-02", "1998-04", "1998-07 to 1998-09", "1998-12", "1999-01", "shared"],
            id="a gap does not shift the threes",
        ),
    ],
)
def test_many_months_of_arrival_are_shown_in_threes_and_few_by_themselves(people, shown):
    found = _found(_ledger(), dict.fromkeys(people, 1.0))
    assert found["cohort"].unique(maintain_order=True).to_list() == shown


def test_customers_are_summed_over_the_months_and_shared_costs_have_none():
    found = _found(_entries()).filter(strategy="plan", line="net revenue")
    assert found["customers"].to_list() == [100.0, 30.0, 30.0, 10.0, 0.0, 0.0]


def test_amounts_of_a_cohort_are_means_over_all_draws():
    ledger = _ledger(
        (0, "baseline", "existing", 0, "gross sales", 8_000_000),
        (0, "plan", "existing", 1, "gross sales", 20_000_000),
        (1, "plan", "existing", 0, "cost of goods", -4_000_000),
        (3, "plan", "shared", 0, "programme cost", -2_000_000),
    )
    found = _found(ledger).filter(strategy="plan")
    sales = found.filter(cohort="existing", line="gross sales").row(0, named=True)
    assert (sales["baseline"], sales["treated"], sales["incremental"]) == (2.0, 5.0, 3.0)  # 8 / 4, 20 / 4
    result = found.filter(cohort="existing", line="cash contribution").row(0, named=True)
    assert result["incremental"] == 2.0  # (12 - 4) / 4
    # Differences by draw 12, -4, 0, 0: the 5 % quantile lies 0.15 of the way from -4 to 0, the 95 % one 0.85 of that
    # from 0 to 12.
    assert (result["low"], result["high"]) == pytest.approx((-3.4, 10.2), abs=1e-12)
    assert found.filter(cohort="shared", line="cash contribution")["incremental"].item() == -0.5


def test_the_ladder_holds_every_account_once_and_what_a_programme_costs_below_the_third_margin():
    assert [account for _, accounts in LADDER for account in accounts] == list(Account)
    assert dict(LADDER)["cash contribution"] == (*PROGRAMME_ACCOUNTS, Account.RETAINED)


def test_investment_is_what_the_strategy_gives_away_whom_it_attracts_and_what_it_costs():
    given_away = {Account.DISCOUNTS, Account.REWARDS, Account.POINTS_LIABILITY, Account.COMPENSATION}
    assert set(INVESTMENT_ACCOUNTS) == given_away | {Account.ACQUISITION} | set(PROGRAMME_ACCOUNTS)
    assert len(set(INVESTMENT_ACCOUNTS)) == len(INVESTMENT_ACCOUNTS)
