"""A number as English writes it goes in, the same as the report's locale writes it comes out; its words stay English.

Python and the browser first write every number in English, so that English is what they wrote, to the byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

from cxsim.errors import ParamError, choices

Locale = Literal["en", "de", "fr", "ch"]

_NBSP = "\N{NO-BREAK SPACE}"
# One number in a sentence: not part of a name, a version, a time or an address.
_NUMBER = r"(?<![\w.,:/])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?!\w|[.,:/]\w)"
_PRICED = re.compile(
    rf"\b(?P<currency>[A-Z]{{3}}){_NBSP}(?P<figure>[+\N{{MINUS SIGN}}]?{_NUMBER}(?:{_NBSP}(?:million|billion))?)"
)
_BARE = re.compile(_NUMBER)


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberStyle:
    """How numbers are written. A negative one begins with a minus sign everywhere.

    Attributes
    ----------
    group
        Stands between thousands.
    decimal
        Stands before decimals.
    currency
        Where the code of the currency stands.
    """

    group: str
    decimal: str
    currency: Literal["before", "after"]

    def figure(self, english: str) -> str:
        """Return a number, or several without a sentence around them, in this style.

        >>> STYLES["de"].figure("−44,900.5")
        '−44.900,5'
        """
        return english.translate({ord(","): self.group, ord("."): self.decimal})

    def priced(self, figure: str, currency: str) -> str:
        r"""Return a number that is in this style already with the code of its currency.

        >>> STYLES["de"].priced("44.900,5", "USD"), STYLES["ch"].priced("44’900.5", "CHF")
        ('44.900,5\xa0USD', 'CHF\xa044’900.5')
        """
        return f"{currency}{_NBSP}{figure}" if self.currency == "before" else f"{figure}{_NBSP}{currency}"

    def sentence(self, english: str) -> str:
        r"""Return a sentence with its numbers in this style; versions, times and addresses stay as they are.

        >>> STYLES["de"].sentence("It costs USD\xa01,500.5, 2.5 times as much, by polars 1.36.1.")
        'It costs 1.500,5\xa0USD, 2,5 times as much, by polars 1.36.1.'
        """
        ordered = _PRICED.sub(lambda found: self.priced(found["figure"], found["currency"]), english)
        return _BARE.sub(lambda found: self.figure(found[0]), ordered)


ENGLISH = NumberStyle(group=",", decimal=".", currency="before")
STYLES: Mapping[str, NumberStyle] = {
    "en": ENGLISH,
    "de": NumberStyle(group=".", decimal=",", currency="after"),
    "fr": NumberStyle(group="\N{NARROW NO-BREAK SPACE}", decimal=",", currency="after"),
    "ch": NumberStyle(group="\N{RIGHT SINGLE QUOTATION MARK}", decimal=".", currency="before"),
}

# A session's own choice holds in every thread and cell of it; a cell that awaits runs in a context of its own, so that
# what it chose in a context variable would be gone in the next cell.
_SESSION = {"style": ENGLISH}
_WITHIN: ContextVar[NumberStyle | None] = ContextVar("style of numbers", default=None)

# ISO 4217: currencies whose minor unit is not a hundredth.
_MINOR_DIGITS = dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0
) | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)


def style_of(locale: str) -> NumberStyle:
    """Return how a locale writes numbers."""
    if locale not in STYLES:
        raise ParamError(f"no locale '{locale}'; {choices(locale, STYLES)}")
    return STYLES[locale]


def style() -> NumberStyle:
    """Return the style in which numbers are written at the moment: English unless another was asked for."""
    return _WITHIN.get() or _SESSION["style"]


def write_as(locale: Locale) -> None:
    """Write numbers as a locale does, from now on and in the whole session."""
    _SESSION["style"] = style_of(locale)


@contextmanager
def written_as(locale: Locale) -> Iterator[None]:
    """Write numbers as a locale does, inside of the block alone."""
    before = _WITHIN.set(style_of(locale))
    try:
        yield
    finally:
        _WITHIN.reset(before)


def turned(english: str) -> str:
    """Return a number written in English as it is written at the moment; words beside it hold no comma or full stop.

    >>> turned("1,234.5")
    '1,234.5'
    """
    return style().figure(english)


def priced(figure: str, currency: str) -> str:
    r"""Return a number as it is written at the moment, from `turned`, with the code of its currency.

    >>> priced("1,234.5", "USD")
    'USD\xa01,234.5'
    """
    return style().priced(figure, currency)


def retold(english: str) -> str:
    """Return a sentence of a table, in which the numbers are English, with its numbers as they are written now.

    >>> retold("Needs 1,234.5 of them.")
    'Needs 1,234.5 of them.'
    """
    return style().sentence(english)


def minor_digits(currency: str) -> int:
    """Return how many decimals an amount on a bill has.

    >>> minor_digits("USD"), minor_digits("JPY"), minor_digits("KWD")
    (2, 0, 3)
    """
    return _MINOR_DIGITS.get(currency, 2)
