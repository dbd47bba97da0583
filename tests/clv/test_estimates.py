"""What a fit answers about customers, how it reads, and how it is kept in a file."""

from __future__ import annotations

import json
import math

import pytest
from numpy.testing import assert_allclose

from cxsim.clv.customer_value import customer_value
from cxsim.clv.fit import fit, load_fit, save_fit
from cxsim.clv.models.gamma_gamma import GammaGammaParams, population_mean
from cxsim.clv.models.purchases import Outlook
from cxsim.clv.spend_fit import GammaGammaFit
from cxsim.errors import CxsimError, EstimationError


def test_prob_alive_is_answered_in_the_order_of_the_customers(sample, purchases):
    shuffled = sample.sample(fraction=1.0, shuffle=True, seed=2)
    found = purchases.prob_alive(shuffled)
    assert found.columns == ["customer_id", "prob_alive"]
    assert found["customer_id"].equals(shuffled["customer_id"])
    past = (shuffled[name].to_numpy() for name in ("frequency", "recency_days", "age_days"))
    assert_allclose(found["prob_alive"], Outlook(purchases.params, *past).prob_alive(), rtol=1e-15)
    assert found["prob_alive"].mean() == pytest.approx(0.813, abs=5e-4)  # recomputed, three decimals


def test_expected_spend_of_the_holdout_adds_up_to_the_known_total(sample, purchases, spend):
    orders = purchases.expected_purchases(sample, 273)["expected_purchases"]
    total = (orders * spend.expected_spend(sample)["expected_spend"]).sum()
    assert total == pytest.approx(59_931.6, abs=0.0501)  # recomputed, one decimal


def test_value_without_discounting_is_orders_times_spend(sample, purchases, spend):
    found = customer_value(sample, purchases, spend, horizon_days=273, annual_discount_rate=0.0)
    # Both are the same integral; the last bits differ by the order of the sum.
    assert_allclose(found["expected_value"], found["expected_orders"] * found["expected_spend"], rtol=1e-12)
    assert found["expected_value"].sum() == pytest.approx(59_931.6, abs=0.0501)


def test_value_of_a_short_horizon_is_discounted_by_its_middle(sample, purchases, spend):
    plain = customer_value(sample, purchases, spend, horizon_days=10, annual_discount_rate=0.0)
    found = customer_value(sample, purchases, spend, horizon_days=10, annual_discount_rate=0.1)
    both = plain.join(found, on="customer_id")
    # Orders thin out within ten days, by less than a third, so their middle is at 4 to 5 days: 0.00026 of the value
    # a day at 10 % a year.
    ratio = both["expected_value_right"] / both["expected_value"]
    assert_allclose(ratio, 1.1 ** (-4.8 / 365.25), rtol=3e-4)


def test_customers_are_listed_by_value_and_then_by_name(sample, purchases, spend):
    found = customer_value(sample, purchases, spend, horizon_days=365, annual_discount_rate=0.1)
    assert found.columns == ["customer_id", "prob_alive", "expected_orders", "expected_spend", "expected_value"]
    assert found.equals(found.sort(["expected_value", "customer_id"], descending=[True, False]))
    assert found["expected_value"].is_duplicated().any()  # customers with the same past, or the names decide nothing


def test_value_over_thirty_years_comes_near_value_for_ever(sample, purchases, spend):
    found = customer_value(sample, purchases, spend, horizon_days=30 * 365.25, annual_discount_rate=0.15)
    past = (sample[name].to_numpy() for name in ("frequency", "recency_days", "age_days"))
    rate = math.log(1.15) / 365.25
    for_ever = Outlook(purchases.params, *past).discounted_purchases(rate=rate)
    total = (for_ever * spend.expected_spend(sample)["expected_spend"]).sum()
    # 1.15 ** -30 = 0.015 of a steady stream is left after thirty years, and less of one that thins out.
    assert total * 0.985 < found["expected_value"].sum() < total


def test_a_fit_reads_on_one_line_in_tables_and_as_a_page_like_one_of_statsmodels(purchases, spend):
    assert repr(purchases) == "PurchaseFit(BG/NBD: r=0.2426, alpha=30.9, a=0.7929, b=2.426; 2357 customers)"
    assert repr(spend) == "GammaGammaFit(Gamma-Gamma: p=6.25, q=3.744, v=15.44; 946 customers)"
    page = " ".join(str(purchases.summary()).split())
    assert page.startswith("BG/NBD Results ====")
    for words in ("Log-Likelihood: -14,363.530", "Observed until: 1997-09-30", "coef std err [0.025 0.975]"):
        assert words in page
    assert "alpha 30.895 2.6476 26.118 36.546" in page
    assert "No. Left Out: 1,411" in " ".join(str(spend.summary()).split())
    assert purchases.estimates().columns == ["parameter", "estimate", "std_error"]
    assert purchases.estimates()["parameter"].to_list() == ["r", "alpha", "a", "b"]
    assert spend.estimates()["parameter"].to_list() == ["p", "q", "v"]


def test_intervals_are_normal_on_the_logarithm(purchases):
    found = purchases.conf_int(0.9).filter(parameter="alpha").row(0, named=True)
    reach = math.exp(1.6448536269514722 * math.sqrt(purchases.log_covariance[1][1]))
    assert_allclose([found["low"], found["high"]], [purchases.params.alpha / reach, purchases.params.alpha * reach])
    with pytest.raises(EstimationError, match="level must be above 0 and below 1; found 95"):
        purchases.conf_int(95)


def test_the_criteria_count_four_parameters_and_a_chosen_k_as_a_fifth(sample, purchases):
    assert purchases.aic == pytest.approx(8 - 2 * purchases.log_likelihood, rel=1e-15)
    assert purchases.bic == pytest.approx(4 * math.log(2357) - 2 * purchases.log_likelihood, rel=1e-15)
    regular = fit(sample, model="bgcnbd", k=1)
    assert regular.log_likelihood == purchases.log_likelihood
    assert regular.aic == pytest.approx(purchases.aic + 2, rel=1e-15)


def test_a_fit_comes_back_from_its_file_to_the_last_bit_and_a_failed_write_leaves_the_old_one(
    tmp_path, purchases, spend
):
    for fitted in (purchases, spend):
        save_fit(fitted, tmp_path / "fit.json")
        assert load_fit(tmp_path / "fit.json") == fitted
    (tmp_path / "other.json").mkdir()  # what a file cannot replace
    with pytest.raises(OSError, match=r"other\.json"):
        save_fit(purchases, tmp_path / "other.json")
    assert {path.name for path in tmp_path.iterdir()} == {"fit.json", "other.json"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"format": "other"}, "this JSON is not a fit; its field 'format' must be 'cxsim fit'"),
        ({"version": 1}, "this fit has version 1; this cxsim reads version 2"),
        ({"kind": "bgnb"}, "no kind of fit 'bgnb'; did you mean 'bgnbd'"),
        ({"params": {"r": 1.0}}, "a fit needs the field 'alpha'"),
        ({"n_customers": 2.5}, "'n_customers': it must be a whole number, not negative; found 2.5"),
        ({"log_likelihood": "high"}, "'log_likelihood': it must be a finite number; found 'high'"),
        ({"log_covariance": [[1.0]]}, "log_covariance must be a symmetric 4 by 4 matrix"),
        ({"basis": "guess"}, "'basis': it must be 'likelihood' or 'prior'; found 'guess'"),
        ({"k": 0}, "k is 0; it must be a whole number from 1 to 60"),
        ({"observed_until": "30.9.1997"}, "'observed_until': Invalid isoformat string: '30.9.1997'"),
    ],
)
def test_a_fit_that_was_tampered_with_is_refused(tmp_path, purchases, fields, message):
    save_fit(purchases, tmp_path / "fit.json")
    record = json.loads((tmp_path / "fit.json").read_text(encoding="utf-8"))
    (tmp_path / "fit.json").write_text(json.dumps(record | fields), encoding="utf-8")
    with pytest.raises(CxsimError, match=message):
        load_fit(tmp_path / "fit.json")


def test_a_missing_file_names_the_files_beside_it_and_a_file_that_is_no_fit_is_named(tmp_path, purchases):
    save_fit(purchases, tmp_path / "cdnow.json")
    with pytest.raises(EstimationError, match=r"did you mean 'cdnow\.json'"):
        load_fit(tmp_path / "cdnwo.json")
    for text, words in (("{}", "this JSON is not a fit"), ("pickled", "this is not JSON")):
        (tmp_path / "other.json").write_text(text, encoding="utf-8")
        with pytest.raises(EstimationError, match=rf"other\.json: {words}"):
            load_fit(tmp_path / "other.json")


def test_a_fit_whose_spend_has_no_mean_is_kept_but_answers_nothing(tmp_path, sample, spend):
    wild = GammaGammaFit(
        params=GammaGammaParams(p=6.0, q=0.9, v=15.0),
        log_covariance=spend.log_covariance,
        log_likelihood=-1.0,
        n_customers=946,
        n_left_out=1411,
        n_patterns=760,
        max_abs_gradient=0.0,
    )
    save_fit(wild, tmp_path / "wild.json")
    assert load_fit(tmp_path / "wild.json") == wild
    with pytest.raises(EstimationError, match="it needs q > 1"):
        wild.expected_spend(sample)
    with pytest.raises(EstimationError, match="it needs q > 1"):
        population_mean(wild.params)
