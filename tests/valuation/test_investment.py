"""A strategy as an investment: every figure by hand, on flows that are small enough for it."""

from __future__ import annotations

import numpy as np
import pytest

from cxsim.errors import ParamError
from cxsim.finance.contracts import INVESTMENT
from cxsim.finance.economics import ACCOUNTS
from cxsim.finance.ledger import Account
from cxsim.finance.returns import Rule, investment, returns
from cxsim.finance.statement import Flows
from cxsim.tables import check

YEAR = 365.25


@pytest.fixture
def row_of(flows_of):
    """Return a function of gain, cost and what is asked: the one row; each month is a year long."""

    def make(gain, cost, rate=0.0, **asked):
        flows = flows_of(gain, cost)
        draws, months = np.shape(gain)
        days = np.arange(months) * YEAR
        weights = np.tile((1.0 + rate) ** -(days / YEAR), (draws, 1))
        given = {"hurdle": 0.2, "benefit_haircut": 0.2, "cost_uplift": 0.1, "structures": 1, "customers": 40} | asked
        return investment(flows, weights, titles={"plan": "Plan"}, days=days, annual_discount_rate=rate, **given).row(
            0, named=True
        )

    return make


# -100, then +230 - 120 = 110, in two draws that are alike.
GAIN, COST = [[0.0, 230.0]] * 2, [[100.0, 120.0]] * 2


def test_one_row_per_strategy_under_its_contract(flows_of):
    flows = flows_of(GAIN, COST)
    found = investment(
        flows,
        np.ones((2, 2)),
        titles={"plan": "Plan"},
        customers=40,
        days=np.array([15.5, 45.0]),
        hurdle=0.0,
        benefit_haircut=0.0,
        cost_uplift=0.0,
        structures=1,
        annual_discount_rate=0.1,
    )
    assert check(found, INVESTMENT)["title"].to_list() == ["Plan"]
    assert found.columns == list(INVESTMENT.columns)


def test_benefits_and_costs_are_present_values_that_make_up_the_npv(row_of):
    row = row_of(GAIN, COST, rate=0.15)
    # Costs 100 + 120 / 1.15 = 204.347826; benefits 230 / 1.15 = 200; NPV 110 / 1.15 - 100 = -4.347826.
    assert row["costs_pv"] == pytest.approx(204.347826, abs=1e-6)
    assert row["benefits_pv"] == pytest.approx(200.0, abs=1e-9)
    # 200 * 0.8 - 204.347826 * 1.1 = 160 - 224.782609 = -64.782609; over 224.782609: -0.288201
    assert row["risk_adjusted_npv"] == pytest.approx(-64.782609, abs=1e-6)
    assert row["risk_adjusted_roi"] == pytest.approx(-0.288201, abs=1e-6)
    assert row["npv_per_customer"] == pytest.approx(-4.347826 / 40, abs=1e-8)


def test_without_haircut_and_uplift_the_risk_adjusted_case_is_the_mean(row_of):
    row = row_of(GAIN, COST, rate=0.15, benefit_haircut=0.0, cost_uplift=0.0)
    assert row["risk_adjusted_npv"] == pytest.approx(110 / 1.15 - 100, abs=1e-9)


def test_a_haircut_makes_harm_worse_not_better(row_of):
    # Benefits -50, costs 10: -50 * 1.2 - 10 * 1.1 = -71
    row = row_of([[-50.0]] * 2, [[10.0]] * 2)
    assert row["risk_adjusted_npv"] == pytest.approx(-71.0, abs=1e-12)


def test_an_uplift_cuts_what_is_saved(row_of):
    # Benefits 20, costs -10, a saving: 20 * 0.8 + 10 * 0.9 = 25
    row = row_of([[20.0]] * 2, [[-10.0]] * 2)
    assert row["risk_adjusted_npv"] == pytest.approx(25.0, abs=1e-12)
    assert row["risk_adjusted_roi"] is None


def test_an_uplift_of_more_than_all_leaves_no_saving(row_of):
    assert row_of([[20.0]] * 2, [[-10.0]] * 2, cost_uplift=1.5)["risk_adjusted_npv"] == pytest.approx(16.0, abs=1e-12)


def test_rates_are_those_of_mean_cash(row_of):
    # Mean cash -100 and 110, from draws of 100 and 120.
    row = row_of([[0.0, 100.0], [0.0, 120.0]], [[100.0, 0.0]] * 2, rate=0.05)
    assert row["irr"] == pytest.approx(0.10, abs=1e-12)
    assert row["irr_remark"] == "one rate"
    assert row["mirr"] == pytest.approx(0.10, abs=1e-12)  # one outflow first, one inflow last: the same


def test_discounted_payback_is_later_than_payback_or_never(row_of):
    # -100, 60, 60 at 25 %: -100, 48, 38.4: never; at 0 %: 2 + 40 / 60 months.
    gain, cost = [[0.0, 60.0, 60.0]] * 2, [[100.0, 0.0, 0.0]] * 2
    assert row_of(gain, cost, rate=0.25)["discounted_payback_months"] is None
    assert row_of(gain, cost, rate=0.0)["discounted_payback_months"] == pytest.approx(2 + 40 / 60, abs=1e-12)
    # At 10 %: -100, 54.545455, 49.586777: 2 + 45.454545 / 49.586777 = 2.916667
    assert row_of(gain, cost, rate=0.10)["discounted_payback_months"] == pytest.approx(2.916667, abs=1e-6)


def test_peak_funding_is_the_lowest_point_of_cumulative_mean_cash(row_of):
    # -10, -30, 25, -20, 60: sums -10, -40, -15, -35, 25.
    row = row_of([[0.0, 0.0, 25.0, 0.0, 60.0]] * 2, [[10.0, 30.0, 0.0, 20.0, 0.0]] * 2)
    assert row["peak_funding"] == pytest.approx(40.0, abs=1e-12)
    # All that comes after the lowest point, 65, over 40.
    assert row["profitability_index"] == pytest.approx(65 / 40, abs=1e-12)


def test_where_no_money_is_ever_out_there_is_no_index(row_of):
    row = row_of([[10.0, 20.0]] * 2, [[1.0, 2.0]] * 2)
    assert row["peak_funding"] == 0.0
    assert row["profitability_index"] is None
    assert row["irr"] is None
    assert row["irr_remark"].startswith("no outflow")
    assert row["mirr"] is None
    assert row["discounted_payback_months"] == 0.0


def test_the_index_is_zero_where_nothing_comes_back(row_of):
    # Cash goes down to the end, by thirds, whose sum is not the same in every order of adding.
    assert row_of([[0.0, 0.0, 0.0]] * 3, [[1 / 3, 1 / 7, 1 / 11]] * 3, rate=0.1)[
        "profitability_index"
    ] == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.095, 0.105, 0.3])
def test_the_index_is_above_one_just_where_the_npv_is_above_zero(row_of, rate):
    row = row_of(GAIN, COST, rate=rate)
    assert (row["profitability_index"] > 1.0) == (110 / (1 + rate) - 100 > 0.0)


def test_the_chance_to_pass_the_hurdle_is_by_draw(row_of):
    # Returns on 100: 10 %, 20 %, 30 % and 40 %: two above 20 %, none that equals it counts.
    gain = [[110.0], [120.0], [130.0], [140.0]]
    assert row_of(gain, [[100.0]] * 4)["prob_above_hurdle"] == 0.5
    assert row_of(gain, [[100.0]] * 4, hurdle=0.0)["prob_above_hurdle"] == 1.0
    assert row_of(gain, [[100.0]] * 3 + [[0.0]])["prob_above_hurdle"] is None


def test_the_interval_holds_the_central_eighty_percent_and_the_worst_tenth_lies_below(row_of):
    # NPVs 0 to 20: quantiles 2 and 18; worst 2.1 draws: (0 + 1 + 0.1 * 2) / 2.1
    row = row_of(np.arange(21.0)[:, None], np.zeros((21, 1)))
    assert (row["npv_low_80"], row["npv_high_80"]) == pytest.approx((2.0, 18.0), abs=1e-12)
    assert row["cvar"] == pytest.approx(1.2 / 2.1, abs=1e-12)
    assert row["cvar_mc_error"] > 0.0


def test_costs_and_benefits_agree_with_returns():
    luck = np.random.default_rng(6)
    flows = Flows(arms=("baseline", "a", "b"), amounts=luck.normal(size=(20, 3, 24, len(ACCOUNTS))))
    flows.amounts[:, 1, :, ACCOUNTS.index(Account.PROGRAMME)] -= 50.0
    weights, titles = luck.uniform(0.8, 1.0, (20, 24)), {"a": "A", "b": "B"}
    known = returns(flows, weights, Rule(fund=0.9, reject=0.2), titles=titles, customers=7)
    found = investment(
        flows,
        weights,
        titles=titles,
        customers=7,
        days=np.arange(24.0) * 30,
        hurdle=0.0,
        benefit_haircut=0.1,
        cost_uplift=0.1,
        structures=1,
        annual_discount_rate=0.1,
    )
    # The same sums in another order: sixteen digits less three.
    assert found["costs_pv"].to_list() == pytest.approx(known["outlay"].to_list(), rel=1e-12)
    npv = (found["benefits_pv"] - found["costs_pv"]).to_list()
    assert npv == pytest.approx(known["incremental_npv"].to_list(), rel=1e-9)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"benefit_haircut": 1.2}, r"benefit_haircut: found 1.2; it is a share from 0 to 1"),
        ({"benefit_haircut": float("nan")}, r"benefit_haircut: found nan"),
        ({"cost_uplift": -0.1}, r"cost_uplift: found -0.1; it is a share of 0 or more"),
        ({"hurdle": float("inf")}, r"hurdle: found inf; it is a finite number"),
        ({"customers": 0}, r"customers: found 0; at least 1 is simulated"),
    ],
)
def test_what_cannot_be_asked_is_refused(row_of, asked, message):
    with pytest.raises(ParamError, match=message):
        row_of(GAIN, COST, **asked)


def test_days_of_other_months_are_refused(flows_of):
    with pytest.raises(ParamError, match=r"days: found shape \(3,\); there must be one for each of 2 months"):
        investment(
            flows_of(GAIN, COST),
            np.ones((2, 2)),
            titles={"plan": "Plan"},
            customers=1,
            days=np.zeros(3),
            hurdle=0.0,
            benefit_haircut=0.0,
            cost_uplift=0.0,
            structures=1,
            annual_discount_rate=0.1,
        )
