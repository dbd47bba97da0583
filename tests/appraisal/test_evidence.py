"""Which model the sentence recommends, and what it does not hide."""

from __future__ import annotations

import pytest

from cxsim.clv.validation.contestants import (
    Candidate,
    Verdict,
    advice,
    bias_sentence,
    choice,
    fit_sentence,
    forecast_sentence,
)

TITLES = {"bgnbd": "BG/NBD", "mbgnbd": "MBG/NBD", "paretonbd": "Pareto/NBD"}


def candidates(fit, forecast=None):
    predicted = {} if forecast is None else forecast
    return [
        Candidate(
            name=name,
            title=TITLES[name],
            fit=Verdict(z=0.0, prob_better=chance),
            forecast=Verdict(z=0.0, prob_better=predicted[name]) if name in predicted else None,
        )
        for name, chance in fit.items()
    ]


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_of_models_that_cannot_be_sentence_apart_one_that_can_lose_one_time_buyers_is_used():
    found = candidates({"bgnbd": 0.55, "mbgnbd": 0.45, "paretonbd": 0.02})
    assert choice(found).name == "mbgnbd"
    assert fit_sentence(found, 2357) == (
        "2,357 customers cannot tell BG/NBD from MBG/NBD (P = 0.55 that BG/NBD is the better one); they speak against "
        "Pareto/NBD (P = 0.02)."
    )
    assert advice(found, 1411) == "Use MBG/NBD; BG/NBD takes all 1,411 one-time buyers for alive."


def test_a_model_that_customers_speak_for_is_used_with_a_word_on_one_time_buyers():
    found = candidates({"bgnbd": 0.999, "mbgnbd": 0.001, "paretonbd": 0.0})
    assert fit_sentence(found, 50_000) == "50,000 customers speak for BG/NBD against MBG/NBD and Pareto/NBD (P > 0.99)."
    assert advice(found, 30_000) == (
        "Use BG/NBD for forecasts, but ask MBG/NBD who is still alive, for BG/NBD takes all 30,000 one-time buyers for "
        "alive."
    )


def test_what_was_foretold_counts_before_what_was_fitted():
    fit = {"bgnbd": 0.3, "mbgnbd": 0.99, "paretonbd": 0.01}
    assert choice(candidates(fit, {"bgnbd": 0.01, "mbgnbd": 0.01, "paretonbd": 0.99})).name == "paretonbd"


def test_without_one_time_buyers_nothing_is_said_of_them():
    assert advice(candidates({"bgnbd": 0.99, "mbgnbd": 0.01}), 0) == "Use BG/NBD."


def test_bg_nbd_alone_is_not_to_be_asked_who_is_alive():
    alone = [Candidate(name="bgnbd", title="BG/NBD")]
    assert advice(alone, 9).startswith("Use BG/NBD for forecasts, but do not ask it who is still alive")
    assert fit_sentence(alone, 40) == "BG/NBD alone was fitted to 40 customers."
    assert forecast_sentence(alone) == ""


def test_a_clear_winner_of_the_forecast_is_named_with_its_probability():
    found = candidates({"bgnbd": 0.5, "mbgnbd": 0.5}, {"bgnbd": 0.02, "mbgnbd": 0.98})
    assert forecast_sentence(found) == "By the log score MBG/NBD foretold customers' orders best (P = 0.98)."


@pytest.mark.parametrize(
    ("gaps", "said"),
    [
        ((-0.115, -0.162), "11.5 to 16.2 % fewer"),
        ((0.02, -0.05), "5.0 % fewer to 2.0 % more"),
        ((0.02, 0.05), "2.0 to 5.0 % more"),
        ((-0.05, -0.05), "both models expected 5.0 % fewer"),
    ],
)
def test_the_bias_of_all_models_is_said_in_per_cent(gaps, said):
    rows = [(f"model {number}", gap, gap - 0.1, gap + 0.1) for number, gap in enumerate(gaps)]
    assert said in plain(bias_sentence(rows, came=1882.0, when="in the 273 days after"))
