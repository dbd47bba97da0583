"""The figures of repeat buying say how far the model is from what was observed."""

from __future__ import annotations

from cxsim.reporting.shop.clv_fit import frequency_histogram, holdout_by_frequency

NBSP = "\N{NO-BREAK SPACE}"


def test_the_histogram_counts_the_customers_in_another_class(frequencies):
    # Half of |600-610| + |200-190| + |120-130| + |80-70| is 20 of 1,000.
    assert f"98{NBSP}% of customers" in frequency_histogram(frequencies).to_dict()["description"]


def test_the_holdout_counts_the_classes_whose_interval_holds_the_model(holdout):
    assert "in 2 of 3 classes" in holdout_by_frequency(holdout).to_dict()["description"]


def test_classes_are_drawn_in_the_order_of_the_table(frequencies):
    assert '"sort": ["0", "1", "2", "3+"]' in frequency_histogram(frequencies).to_json(indent=None)


def test_the_histogram_tells_observed_and_expected_of_each_class(frequencies):
    described = frequency_histogram(frequencies).to_dict()["description"]
    assert "3+: 80 observed, 70 expected" in described
