"""Numbers are written once, as the locale in force writes them; words are English everywhere."""

from __future__ import annotations

from threading import Thread

import pytest
from hypothesis import assume, given, strategies as st

from cxsim.errors import ParamError
from cxsim.wording import (
    STYLES,
    chance,
    counted,
    figure,
    figure_against,
    in_html,
    in_markdown,
    in_terminal,
    in_words,
    labelled,
    measured,
    measured_span,
    minor_digits,
    money,
    number,
    percent,
    priced,
    sized,
    style,
    unlabelled,
    write_as,
    written_as,
)

NBSP, NNBSP, MINUS = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}", "\N{MINUS SIGN}"
APOSTROPHE = "\N{RIGHT SINGLE QUOTATION MARK}"


@given(
    st.floats(min_value=-1e12, max_value=1e12, allow_nan=False),
    st.integers(min_value=0, max_value=4),
    st.sampled_from(sorted(STYLES)),
)
def test_a_figure_is_the_same_number_in_every_locale(amount, places, locale):
    english = f"{round(amount, places) + 0.0:,.{places}f}".replace("-", MINUS)
    with written_as(locale):
        written = figure(amount, f",.{places}f")
    # The two separators are distinguished, since they differ in every locale.
    marks = {STYLES[locale].group: ",", STYLES[locale].decimal: "."}
    assert "".join(marks.get(letter, letter) for letter in written) == english


@pytest.mark.parametrize(
    ("locale", "exact", "short"),
    [
        ("en", f"USD{NBSP}44,900.5", f"USD{NBSP}{MINUS}9,480"),
        ("de", f"44.900,5{NBSP}USD", f"{MINUS}9.480{NBSP}USD"),
        ("fr", f"44{NNBSP}900,5{NBSP}USD", f"{MINUS}9{NNBSP}480{NBSP}USD"),
        ("ch", f"USD{NBSP}44{APOSTROPHE}900.5", f"USD{NBSP}{MINUS}9{APOSTROPHE}480"),
    ],
)
def test_each_locale_has_separators_and_a_place_for_the_currency(locale, exact, short):
    with written_as(locale):
        assert priced(figure(44_900.5, ",.1f"), "USD") == exact
        assert money(-9_480.0, "USD") == short


@pytest.mark.parametrize(("locale", "written"), [("en", "1.23"), ("de", "1,23"), ("fr", "1,23"), ("ch", "1.23")])
def test_words_stay_english(locale, written):
    with written_as(locale):
        assert number(1_234_567.0) == f"{written}{NBSP}million"


def test_everything_that_is_worded_is_written_the_german_way():
    with written_as("de"):
        assert in_words(-1_934.8, -3_264.4, -998.3, currency="USD") == (
            f"{MINUS}1.930{NBSP}USD ({MINUS}3.260 to {MINUS}998)"
        )
        assert [percent(share) for share in (0.44, 0.0071, 1.0, 0.0)] == [
            f"44{NBSP}%", f"0,7{NBSP}%", f"more than 99,5{NBSP}%", f"less than 0,5{NBSP}%"
        ]  # fmt: skip
        assert counted(1_300) == "1.300"
        assert sized(0.0514, "share", 0.2) == f"5,1{NBSP}%"
        assert measured(-0.0421, "share", "", of="change") == f"{MINUS}4,2{NBSP}pp"
        assert measured(1_252.34, "money", "EUR", of="change") == f"+1.250{NBSP}EUR"
        assert measured_span(-1.25, 2.0, "hours", of="change") == f"{MINUS}1,2 to +2,0{NBSP}h"


@given(st.integers(0, 5_000), st.integers(1, 5_000), st.integers(1, 99))
def test_a_chance_as_it_is_read_is_on_its_side_of_every_whole_per_cent(some, draws, limit):
    share = min(some, draws) / draws
    read = float(chance(share).rstrip("%").removeprefix("more than ").removeprefix("less than "))
    # "less than 0.5 %" is below and "more than 99.5 %" above every limit from 1 to 99.
    assert (read >= limit) == (100 * min(some, draws) >= limit * draws)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_a_number_is_never_written_on_the_other_side_of_its_bound(value, bound):
    assume(abs(value - bound) > 1e-6)
    written = float(figure_against(value, bound).replace(",", "").replace(MINUS, "-"))
    assert (written > bound, written < bound) == (value > bound, value < bound)


def test_a_number_says_what_it_measures_in_html_and_nowhere_else():
    words = f"NPV of {labelled(f'USD{NBSP}−5 to 3 (90{NBSP}%)', 'npv', 'points', 'quantiles')} & more"
    assert in_html(words) == (
        f'NPV of USD{NBSP}<span data-quantity="npv" data-strategy="points" data-estimator="quantiles">−5 to 3 '
        f"(90{NBSP}%</span>) &amp; more"
    )
    assert unlabelled(words) == in_terminal(words) == f"NPV of USD{NBSP}−5 to 3 (90{NBSP}%) & more"
    assert in_markdown(words) == f"NPV of USD{NBSP}−5 to 3 (90{NBSP}%) &amp; more"


def test_nothing_has_no_sign_in_any_locale():
    for locale in STYLES:
        with written_as(locale):
            assert measured(0.0, "share", "", of="change")[0] == "0"
            assert figure(-0.04, ",.1f")[0] == "0"


def test_a_block_ends_with_the_style_that_it_began_with():
    with written_as("de"):
        with written_as("fr"):
            assert figure(1.5, ".1f") == "1,5"
        assert figure(1_000) == "1.000"
    assert style() == STYLES["en"]


def test_a_block_ends_so_after_an_error_too():
    with pytest.raises(ZeroDivisionError), written_as("de"):
        _ = 1 / 0
    assert style() == STYLES["en"]


def test_what_a_session_chose_holds_in_its_threads_and_a_block_is_stronger():
    found = []
    try:
        write_as("ch")
        thread = Thread(target=lambda: found.append(figure(1_000)))
        thread.start()
        thread.join()
        with written_as("en"):
            found.append(figure(1_000))
    finally:
        write_as("en")
    assert found == [f"1{APOSTROPHE}000", "1,000"]


@pytest.mark.parametrize("choose", [write_as, lambda locale: written_as(locale).__enter__()])
def test_an_unknown_locale_is_refused_with_those_that_are_known(choose):
    with pytest.raises(ParamError, match=r"^no locale 'it'; .*ossible: en, de, fr, ch\.$"):
        choose("it")
    assert style() == STYLES["en"]


# ISO 4217: the yen and the won have no minor unit, a dinar of Bahrain or Kuwait has a thousand fils.
@pytest.mark.parametrize(
    ("currency", "digits"), [("JPY", 0), ("KRW", 0), ("BHD", 3), ("KWD", 3), ("USD", 2), ("EUR", 2), ("CHF", 2)]
)
def test_an_amount_on_a_bill_has_the_digits_of_its_currency(currency, digits):
    assert minor_digits(currency) == digits
