"""Numbers are written as a locale writes them, and nothing else of a text changes."""

from __future__ import annotations

from threading import Thread

import pytest
from hypothesis import given, strategies as st

from cxsim.errors import ParamError
from cxsim.wording import (
    STYLES,
    counted,
    in_words,
    localise,
    localised_texts,
    measured,
    measured_span,
    minor_digits,
    money,
    number,
    percent,
    priced,
    sized,
    style,
    write_as,
    written_as,
)

NBSP, NNBSP, MINUS = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}", "\N{MINUS SIGN}"
APOSTROPHE = "\N{RIGHT SINGLE QUOTATION MARK}"

locales = st.sampled_from(sorted(STYLES))
decimals = st.integers(min_value=0, max_value=4)
amounts = st.floats(min_value=-1e12, max_value=1e12, allow_nan=False)


def _english(amount: float, places: int) -> str:
    return f"{amount:,.{places}f}".replace("-", MINUS)


def _read(written: str, locale: str) -> str:
    """Return what English writes; the two separators are told apart, since they differ in every locale."""
    marks = {STYLES[locale].group: ",", STYLES[locale].decimal: "."}
    return "".join(marks.get(letter, letter) for letter in written)


@given(amounts, decimals, locales)
def test_a_number_turned_back_is_the_same_number(amount, places, locale):
    english = _english(amount, places)
    with written_as(locale):
        assert _read(localise(english), locale) == english


@given(amounts, decimals, locales)
def test_a_number_in_a_sentence_is_written_as_by_itself(amount, places, locale):
    english = _english(amount, places)
    with written_as(locale):
        assert localised_texts(f"It is {english}, no more.") == f"It is {localise(english)}, no more."


@given(st.text())
def test_english_is_the_identity(text):
    assert localise(text) == text
    assert localised_texts(text) == text


@pytest.mark.parametrize(
    ("locale", "written"),
    [
        ("en", f"USD{NBSP}44,900.5"),
        ("de", f"44.900,5{NBSP}USD"),
        ("fr", f"44{NNBSP}900,5{NBSP}USD"),
        ("ch", f"USD{NBSP}44{APOSTROPHE}900.5"),
    ],
)
def test_each_locale_has_separators_and_a_place_for_the_currency(locale, written):
    with written_as(locale):
        assert priced(localise("44,900.5"), "USD") == written
        assert localised_texts(f"It brings USD{NBSP}44,900.5.") == f"It brings {written}."


@pytest.mark.parametrize(
    ("locale", "written"),
    [
        ("en", f"USD{NBSP}{MINUS}9,480"),
        ("de", f"{MINUS}9.480{NBSP}USD"),
        ("fr", f"{MINUS}9{NNBSP}480{NBSP}USD"),
        ("ch", f"USD{NBSP}{MINUS}9{APOSTROPHE}480"),
    ],
)
def test_a_negative_amount_begins_with_a_minus_sign_everywhere(locale, written):
    with written_as(locale):
        assert money(-9_480.0, "USD") == written
        assert localised_texts(f"It brings USD{NBSP}{MINUS}9,480.") == f"It brings {written}."


@pytest.mark.parametrize(
    ("locale", "written"),
    [("en", "1.23"), ("de", "1,23"), ("fr", "1,23"), ("ch", "1.23")],
)
def test_words_stay_english(locale, written):
    with written_as(locale):
        assert number(1_234_567.0) == f"{written}{NBSP}million"
        assert localised_texts(f"About USD{NBSP}1.23{NBSP}million.") == f"About {money(1_234_567.0, 'USD')}."


def test_everything_that_is_worded_is_written_the_german_way():
    with written_as("de"):
        assert in_words(-1_934.8, -3_264.4, -998.3, currency="USD") == (
            f"{MINUS}1.930{NBSP}USD ({MINUS}3.260 to {MINUS}1.000)"
        )
        assert [percent(share) for share in (0.44, 0.0071, 1.0, 0.0)] == [
            f"44{NBSP}%", f"0,7{NBSP}%", f"more than 99,5{NBSP}%", f"less than 0,5{NBSP}%"
        ]  # fmt: skip
        assert counted(1_300) == "1.300"
        assert sized(0.0514, "share", 0.2) == f"5,1{NBSP}%"
        assert measured(-0.0421, "share", "", of="change") == f"{MINUS}4,2{NBSP}pp"
        assert measured(1_252.34, "money", "EUR", of="change") == f"+1.250{NBSP}EUR"
        assert measured_span(-1.25, 2.0, "hours", of="change") == f"{MINUS}1,2 to +2,0{NBSP}h"


def test_a_change_of_nothing_has_no_sign_in_any_locale():
    for locale in STYLES:
        with written_as(locale):
            assert measured(0.0, "share", "", of="change")[0] == "0"


def test_versions_times_addresses_and_lists_stay_as_they_are():
    text = "By polars 1.36.1 at 12:30:00.000, see https://doi.org/10.1287/mksc.1040 and v1.5, of 1998-07-01, in 3, 4."
    with written_as("de"):
        assert localised_texts(text) == text


def test_a_block_ends_with_the_style_that_it_began_with():
    with written_as("de"):
        with written_as("fr"):
            assert localise("1.5") == "1,5"
        assert localise("1,000") == "1.000"
    assert localise("1,000") == "1,000"


def test_a_block_ends_so_after_an_error_too():
    with pytest.raises(ZeroDivisionError), written_as("de"):
        _ = 1 / 0
    assert style() == STYLES["en"]


def test_what_a_session_chose_holds_in_its_threads_and_a_block_is_stronger():
    found = []
    try:
        write_as("ch")
        thread = Thread(target=lambda: found.append(localise("1,000")))
        thread.start()
        thread.join()
        with written_as("en"):
            found.append(localise("1,000"))
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
