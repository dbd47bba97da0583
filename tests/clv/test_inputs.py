"""Whatever is handed in, there comes out a right number or an error that helps: never NaN, never a library's own error.

An error helps if it says what was wrong, what was found and what is possible.
"""

from __future__ import annotations

import math

import polars as pl
import pytest

from cxsim.clv.customer_value import customer_value
from cxsim.clv.diagnose import diagnose
from cxsim.clv.fit import fit, fit_spend
from cxsim.clv.forecast import predict
from cxsim.clv.posterior import posterior
from cxsim.errors import DataError, EstimationError, TableError
from tests.clv.shops import RATE, SHOPS, answers, assert_right


def rfm_of(*rows):
    """Return customers from (frequency, recency_days, age_days, monetary_value), named by their place."""
    columns = ("frequency", "recency_days", "age_days", "monetary_value")
    types = (pl.Int64, pl.Int64, pl.Int64, pl.Float64)
    table = pl.DataFrame(list(rows), schema=dict(zip(columns, types, strict=True)), orient="row")
    return table.with_row_index("customer_id").with_columns(pl.col("customer_id").cast(pl.Int64), log_gaps=0.0)


# A million orders, ages of nought, a day, a century and a thousand years; free, tiny, huge and unknown amounts.
EXTREME = rfm_of(
    (1_000_000, 36_000, 36_524, 20.0),
    (1_000_000, 36_524, 36_524, 1e9),
    (1_000_000, 5, 365_240, 1e-9),
    (1, 1, 1, 0.01),
    (5, 1, 36_524, 25.0),
    (3, 30, 31, 0.0),
    (3, 30, 31, None),
    (0, 0, 0, None),
    (0, 0, 1, 0.0),
    (0, 0, 365_240, None),
)


@pytest.mark.parametrize("model", SHOPS)
def test_a_million_orders_ages_of_a_day_and_of_a_thousand_years_have_finite_answers(healthy, model):
    _, purchases, spend = healthy[model]
    assert_right(answers(EXTREME, purchases, spend))


@pytest.mark.parametrize("model", SHOPS)
def test_nobody_is_answered_with_an_empty_table_and_one_customer_with_one_row(healthy, model):
    _, purchases, spend = healthy[model]
    for few in (EXTREME.clear(), EXTREME[4:5]):
        tables = answers(few, purchases, spend)
        assert_right(tables)
        assert tables["now"].height == tables["next"].height == tables["for ever"].height == few.height
        assert tables["counts"].height == 4 * few.height


@pytest.mark.parametrize("model", SHOPS)
def test_predictions_are_finite_for_them_too(healthy, model):
    _, purchases, spend = healthy[model]
    calm = EXTREME.filter(pl.col("frequency") < 100)
    predicted = predict(calm, [purchases.params] * 20, [spend.params] * 20, days=30)
    assert_right({"predicted": predicted.customers})


def test_a_name_that_comes_twice_is_answered_twice_but_not_predicted(healthy, posteriors):
    rfm, purchases, _ = healthy["bgnbd"]
    twice = pl.concat([rfm.head(2)] * 2)
    assert purchases.prob_alive(twice)["customer_id"].to_list() == [0, 1, 0, 1]
    with pytest.raises(EstimationError, match="4 rows, but 2 different customer_id; each customer must have one row"):
        predict(twice, *posteriors, days=30)


PASTS = {
    "a negative frequency": ((-1, 5, 9, 1.0), EstimationError, "frequency -1, recency_days 5, age_days 9. It must be"),
    "an order after the end": ((1, 10, 9, 1.0), EstimationError, "recency_days 10, age_days 9. It must be"),
    "a negative age": ((0, 0, -1, None), EstimationError, "age_days -1. It must be"),
    "a recency without orders": ((0, 5, 9, None), EstimationError, "recency_days is 0 if and only if frequency is 0"),
    "orders without a recency": ((2, 0, 9, 1.0), EstimationError, "recency_days is 0 if and only if frequency is 0"),
}
COLUMNS = {
    "a frequency that is no whole number": (pl.col("frequency") + 0.5, TableError, "'frequency' is Float64; it must"),
    "a frequency in words": (pl.lit("two").alias("frequency"), TableError, "'frequency' is String; it must be Int64"),
    "a missing name": (pl.lit(None, pl.Int64).alias("customer_id"), TableError, "'customer_id' misses 201 of 201"),
    "a missing frequency": (pl.lit(None, pl.Int64).alias("frequency"), TableError, "'frequency' misses 201 of 201"),
    "a missing recency": (pl.lit(None, pl.Int64).alias("recency_days"), TableError, "'recency_days' misses 201"),
    "a missing age": (pl.lit(None, pl.Int64).alias("age_days"), TableError, "'age_days' misses 201 of 201 values"),
}


def questions(rfm, fitted, posteriors):
    """Return every way to ask about customers."""
    _, purchases, spend = fitted
    return {
        "fit": lambda: fit(rfm),
        "fit, k by likelihood": lambda: fit(rfm, model="mbgcnbd"),
        "fit_spend": lambda: fit_spend(rfm),
        "prob_alive": lambda: purchases.prob_alive(rfm),
        "expected_purchases": lambda: purchases.expected_purchases(rfm, 30),
        "purchase_distribution": lambda: purchases.purchase_distribution(rfm, days=30),
        "days_to_next_purchase": lambda: purchases.days_to_next_purchase(rfm),
        "clv": lambda: purchases.clv(rfm, spend, **RATE),
        "expected_spend": lambda: spend.expected_spend(rfm),
        "customer_value": lambda: customer_value(rfm, purchases, spend, horizon_days=30, **RATE),
        "posterior": lambda: posterior(purchases, rfm),
        "posterior of spend": lambda: posterior(spend, rfm),
        "predict": lambda: predict(rfm, *posteriors, days=30),
        "diagnose": lambda: diagnose(rfm, purchases, spend),
    }


@pytest.mark.parametrize("wrong", [*PASTS, *COLUMNS])
def test_a_table_that_cannot_be_is_refused_by_every_question(healthy, posteriors, wrong):
    rfm = healthy["bgnbd"][0]
    if wrong in PASTS:
        row, error, words = PASTS[wrong]
        rfm = pl.concat([rfm, rfm_of(row).with_columns(pl.col("customer_id") + 1000).select(rfm.columns)])
    else:
        change, error, words = COLUMNS[wrong]
        rfm = pl.concat([rfm, rfm[:1]]).with_columns(change)
    for name, question in questions(rfm, healthy["bgnbd"], posteriors).items():
        with pytest.raises(error) as refused:
            question()
        assert words in str(refused.value), f"{name}: {refused.value}"


def test_what_is_no_table_is_refused_by_every_question(healthy, posteriors):
    for name, question in questions(healthy["bgnbd"][0].lazy(), healthy["bgnbd"], posteriors).items():
        with pytest.raises(TableError) as refused:
            question()
        assert "found a LazyFrame; it must be a polars DataFrame" in str(refused.value), name


@pytest.mark.parametrize("amount", [math.nan, math.inf, -math.inf])
def test_amounts_that_are_no_number_are_refused_wherever_money_counts(healthy, posteriors, amount):
    broken = healthy["bgnbd"][0].with_columns(monetary_value=pl.lit(amount))
    asked = questions(broken, healthy["bgnbd"], posteriors)
    money = ("fit_spend", "clv", "expected_spend", "customer_value", "posterior of spend", "predict", "diagnose")
    for name in money:
        with pytest.raises(EstimationError, match=r"200 of 200 monetary values are .*; leave"):
            asked[name]()
    assert_right({"orders": asked["prob_alive"]()})


def test_a_negative_amount_is_refused_where_it_is_used_and_left_out_where_it_says_nothing(healthy, posteriors):
    rfm, _, _ = healthy["bgnbd"]
    value = pl.when(pl.col("customer_id") == 0).then(-5.0).otherwise("monetary_value")
    refunds = rfm.with_columns(monetary_value=value)
    asked = questions(refunds, healthy["bgnbd"], posteriors)
    for name in ("clv", "expected_spend", "customer_value"):
        with pytest.raises(DataError, match=r"monetary_value must be finite and not negative; found -5.0 \(1 of 200\)"):
            asked[name]()
    with pytest.raises(EstimationError, match="1 of 200 monetary values are negative or not finite"):
        asked["predict"]()
    assert asked["fit_spend"]().n_left_out >= rfm.filter(pl.col("frequency") == 0).height


def test_free_orders_are_left_out_of_the_fit_and_counted(healthy):
    rfm = healthy["bgnbd"][0]
    value = pl.when(pl.col("customer_id") < 50).then(0.0).otherwise("monetary_value")
    found = fit_spend(rfm.with_columns(monetary_value=value))
    assert found.n_left_out == rfm.filter((pl.col("customer_id") < 50) | (pl.col("frequency") == 0)).height


NUMBERS = {
    "days": (math.inf, math.nan, -1.0),
    "levels": (0.0, 1.0, 95.0, -0.1, math.nan),
    "counts": (0, -1, 2.5, math.nan, math.inf, True),
    "seeds": (-1, 2.5, math.nan, 1 << 63),
    "horizons": (0.0, -1.0, math.nan),
    "rates": (-0.1, math.nan, math.inf),
    "margins": (2.0, -0.1, math.nan, math.inf),
}


def requests(fitted, posteriors):
    """Return each question that takes a number, by the kind of number, with the words that a refusal must hold."""
    rfm, p, s = fitted
    orders, _ = posteriors
    return [
        ("days", "must be finite and not negative; found", lambda x: p.prob_alive(rfm, x)),
        ("days", "must be finite and not negative; found", lambda x: p.expected_purchases(rfm, x)),
        ("days", "must be finite and not negative; found", lambda x: p.expected_purchases_new([1.0, x])),
        ("days", "0 <= from_days <= days, and finite; found", lambda x: p.purchase_distribution(rfm, days=x)),
        ("days", "0 <= from_days <= days", lambda x: p.purchase_distribution(days=30, from_days=x)),
        ("days", "must be finite and not negative; found", lambda x: predict(rfm, orders, days=x)),
        ("horizons", "must be finite and positive; found", lambda x: customer_value(rfm, p, s, horizon_days=x, **RATE)),
        ("horizons", "must be finite and positive; found", lambda x: p.clv(rfm, s, **RATE, horizon_days=x)),
        ("horizons", "must be finite and positive; found", lambda x: p.clv_new(s, **RATE, horizon_days=x)),
        ("rates", "must be finite and not negative; found", lambda x: p.clv(rfm, s, annual_discount_rate=x)),
        ("rates", "finite and not negative", lambda x: predict(rfm, orders, days=9, annual_discount_rate=x)),
        ("margins", "must be a share from 0 to 1; found", lambda x: p.clv(rfm, s, **RATE, margin=x)),
        ("margins", "must be a share from 0 to 1; found", lambda x: p.clv_new(s, **RATE, margin=x)),
        ("margins", "must be a share from 0 to 1; found", lambda x: predict(rfm, orders, days=9, margin=x)),
        ("rates", "must be finite and not negative; found", lambda x: p.clv_new(s, **RATE, acquisition_cost=x)),
        ("levels", "above 0 and below 1; found", p.conf_int),
        ("levels", "above 0 and below 1; found", s.conf_int),
        ("levels", "above 0 and below 1; found", orders.interval),
        ("levels", "above 0 and below 1; found", lambda x: p.days_to_next_purchase(rfm, [x])),
        ("levels", "above 0 and below 1; found", lambda x: predict(rfm, orders, days=9, level=x)),
        ("counts", "a whole number of at least 1; found", lambda x: p.purchase_distribution(days=30, most=x)),
        ("counts", "draws must be a whole number of at least 1", lambda x: posterior(p, rfm, draws=x)),
        ("counts", "possible: 1 to 40", lambda x: predict(rfm, orders, days=9, draws=x)),
        ("counts", "it must be a whole number from 1 to 60", lambda x: fit(rfm, model="bgcnbd", k=x)),
        ("counts", "it must be 1 or None", lambda x: fit(rfm, k=x)),
        ("seeds", "seed must be from 0 to", lambda x: predict(rfm, orders, days=9, seed=x)),
    ]


@pytest.mark.parametrize("kind", NUMBERS)
def test_a_number_out_of_range_is_refused_with_what_was_found(healthy, posteriors, kind):
    for of, words, ask in requests(healthy["bgnbd"], posteriors):
        for number in NUMBERS[kind] if of == kind else ():
            with pytest.raises(EstimationError) as refused:
                ask(number)
            assert words in str(refused.value), f"{number}: {refused.value}"
            assert str(number) in str(refused.value), f"{number}: {refused.value}"


def test_customers_of_whom_none_came_back_are_refused_with_what_their_silence_says():
    # Hanley & Lippman-Hand (1983): at most 3 events where none was seen, as exp(-3) is less than 5 %. So 3 who come
    # back in 100 times 301 customer-days are one in 10,033, and 3 / 30,100 * 365 * 100 = 3.6 are at most 4 a year.
    assert math.exp(-3.0) < 0.05
    silent = rfm_of(*[(0, 0, 301, None)] * 100)
    for ask in (fit, fit_spend):
        with pytest.raises(EstimationError) as refused:
            ask(silent)
        said = str(refused.value)
        assert "found 100 customers, none with a second order within the 301 days or less" in said
        assert "at most one customer reorders per 10,033 customer-days (rule of three)" in said
        assert "at most 4 of them in the next 365 days" in said
    with pytest.raises(EstimationError, match="at most 100 of them in the next 365 days"):
        fit(rfm_of(*[(0, 0, 5, None)] * 100))
    with pytest.raises(EstimationError, match=r"can be made\. Check that customer_id") as refused:
        fit(rfm_of(*[(0, 0, 0, None)] * 100))
    assert "confidence" not in str(refused.value)


def test_an_infinite_horizon_needs_a_rate(healthy):
    rfm, purchases, spend = healthy["paretonbd"]
    for ask in (
        lambda: purchases.clv(rfm, spend, annual_discount_rate=0.0),
        lambda: purchases.clv_new(spend, annual_discount_rate=0),
    ):
        with pytest.raises(EstimationError, match="an infinite horizon needs an annual_discount_rate above 0; found 0"):
            ask()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": "bgnb"}, "no model 'bgnb'; did you mean 'bgnbd'"),
        ({"model": None}, "no model 'None'; possible: bgnbd, mbgnbd, paretonbd, bgcnbd, mbgcnbd"),
        ({"engine": "lifetime"}, "no engine 'lifetime'; did you mean 'lifetimes'"),
        ({"engine": None}, "no engine 'None'; possible: native, lifetimes"),
        ({"model": "bgcnbd", "k": "2"}, "k is '2'; it must be a whole number from 1 to 60, or None to choose it"),
        ({"model": "bgcnbd", "k": 61}, "k is 61; it must be a whole number from 1 to 60, or None to choose it"),
        ({"model": "paretonbd", "k": 2}, "Pareto/NBD: k is 2; it must be 1 or None"),
    ],
)
def test_what_a_fit_does_not_have_is_refused(healthy, options, words):
    with pytest.raises(EstimationError, match=words):
        fit(healthy["bgnbd"][0], **options)


@pytest.mark.parametrize("gaps", [math.nan, math.inf, -1.0, 1e300, None])
def test_logarithms_of_gaps_that_cannot_be_are_refused_where_k_is_chosen(healthy, gaps):
    rfm = healthy["bgcnbd"][0]
    with pytest.raises((EstimationError, TableError), match="log_gaps"):
        fit(rfm.with_columns(log_gaps=pl.lit(gaps, pl.Float64)), model="bgcnbd")


def test_without_logarithms_of_gaps_k_is_to_be_given(healthy):
    rfm = healthy["bgcnbd"][0].drop("log_gaps")
    with pytest.raises(EstimationError, match=r"no column 'log_gaps', without which k cannot be chosen; summarise\(\)"):
        fit(rfm, model="bgcnbd")
    assert fit(rfm, model="bgcnbd", k=2).params == healthy["bgcnbd"][1].params
