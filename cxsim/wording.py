"""Numbers in words: values go in, text that a finance reader understands comes out, as the locale in force writes it.

Words are English everywhere. A number is written once, where its sentence is made, and is to three digits at most.
Text from files and data passes `in_html` and its like on its way out, each at the one place where a page, a table or a
terminal would take some of its characters for more than text.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from typing import Literal

from cxsim.errors import ParamError, choices

Locale = Literal["en", "de", "fr", "ch"]
Of = Literal["value", "change"]

NBSP = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
MISSING = "\N{EN DASH}"
INTERVAL = f"90{NBSP}% interval"
INTERVAL_95 = f"95{NBSP}% interval"
WORST = f"worst 10{NBSP}%"
# Decisions, and purchase and dropout models, as readers know them.
BADGES: Mapping[str, str] = {"fund": "Fund", "pilot": "Pilot first", "reject": "Do not fund"}
MODELS = {"bgnbd": "BG/NBD", "mbgnbd": "MBG/NBD", "paretonbd": "Pareto/NBD"}

_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_SCALES = ((999_500_000.0, 1e9, "billion"), (999_500.0, 1e6, "million"), (0.0, 1.0, ""))
# So the files of strategies say that nobody believes a number; readers find other words for it beside the number.
_SEARCHED = "; searched, not assumed"
# By unit of a metric: what it is multiplied by, its decimals, and what stands behind it.
_UNITS = {
    "share": (100.0, 1, "%"),
    "score": (1.0, 1, ""),
    "hours": (1.0, 1, "h"),
    "days": (1.0, 1, "days"),
    "months": (1.0, 1, "months"),
    "ratio": (1.0, 2, ""),
    "count": (1.0, 0, ""),
}
# ISO 4217: currencies whose minor unit is not a hundredth.
_MINOR_DIGITS = dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0
) | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberStyle:
    """What stands between thousands and before decimals, and where the code of a currency stands."""

    group: str
    decimal: str
    currency: Literal["before", "after"]

    def figure(self, value: float, spec: str = ",.0f") -> str:
        """Return a number by a format of Python's; a negative one begins with a minus sign, and zero has no sign.

        >>> STYLES["de"].figure(-44_900.5, ",.1f")
        '−44.900,5'
        """
        sign = "+z" if spec.startswith("+") else "z"
        return self.separated(f"{value:{sign}{spec.removeprefix('+')}}".replace("-", MINUS))

    def separated(self, english: str) -> str:
        """Return an English number with the separators of this style."""
        return english.translate({ord(","): self.group, ord("."): self.decimal})

    def priced(self, figure: str, currency: str) -> str:
        """Return a number that is in this style already with the code of its currency."""
        return f"{currency}{NBSP}{figure}" if self.currency == "before" else f"{figure}{NBSP}{currency}"


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


def style() -> NumberStyle:
    """Return the style in which numbers are written at the moment: English unless another was asked for."""
    return _WITHIN.get() or _SESSION["style"]


def write_as(locale: Locale) -> None:
    """Write numbers as a locale does, from now on and in the whole session."""
    _SESSION["style"] = _style_of(locale)


@contextmanager
def written_as(locale: Locale) -> Iterator[None]:
    """Write numbers as a locale does, inside of the block alone."""
    before = _WITHIN.set(_style_of(locale))
    try:
        yield
    finally:
        _WITHIN.reset(before)


def _style_of(locale: str) -> NumberStyle:
    if locale not in STYLES:
        raise ParamError(f"no locale '{locale}'; {choices(locale, STYLES)}")
    return STYLES[locale]


def figure(value: float, spec: str = ",.0f") -> str:
    """Return a number by a format of Python's, in the style in force.

    >>> figure(1_234.56), figure(-0.04, ",.1f"), figure(-0.25, "+.1f")
    ('1,235', '0.0', '−0.2')
    """
    return style().figure(value, spec)


def priced(figure: str, currency: str) -> str:
    r"""Return a number that is written already with the code of its currency.

    >>> priced("1,234.5", "USD")
    'USD\xa01,234.5'
    """
    return style().priced(figure, currency)


def minor_digits(currency: str) -> int:
    """Return how many decimals an amount on a bill has.

    >>> minor_digits("USD"), minor_digits("JPY"), minor_digits("KWD")
    (2, 0, 3)
    """
    return _MINOR_DIGITS.get(currency, 2)


@dataclass(frozen=True, kw_only=True, slots=True)
class Precision:
    """How amounts that are read together are rounded: divided by `divisor`, whose name is `word`, to `decimals`."""

    decimals: int
    divisor: float
    word: str

    def is_nothing(self, amount: float) -> bool:
        """Return whether the amount is rounded to zero."""
        return round(amount / self.divisor, self.decimals) == 0.0

    def bare(self, amount: float) -> str:
        """Return the amount without the word."""
        return figure(round(amount / self.divisor, self.decimals), f",.{max(self.decimals, 0)}f")

    def text(self, amount: float) -> str:
        """Return the amount with the word."""
        return f"{self.bare(amount)}{NBSP}{self.word}" if self.word else self.bare(amount)

    def span(self, low: float, high: float) -> str:
        """Return an interval, with the word once."""
        return f"{self.bare(low)} to {self.text(high)}"


def precision(amounts: Sequence[float]) -> Precision:
    """Return the rounding that leaves three significant digits to the largest of the amounts.

    >>> together = precision([41_234.5, -812.0])
    >>> together.text(41_234.5), together.text(-812.0)
    ('41,200', '−800')
    """
    largest = max(abs(amount) for amount in amounts)
    divisor, word = next((d, w) for least, d, w in _SCALES if largest >= least)
    scaled = largest / divisor
    decimals = 2 - math.floor(math.log10(scaled)) if scaled > 0.0 else 0
    return Precision(decimals=decimals, divisor=divisor, word=word)


def money(amount: float, currency: str) -> str:
    r"""Return an amount with its currency, to three significant digits.

    >>> money(-9_480.0, "USD"), money(1_234_567.0, "EUR")
    ('USD\xa0−9,480', 'EUR\xa01.23\xa0million')
    """
    return priced(number(amount), currency)


def number(amount: float) -> str:
    """Return an amount to three significant digits.

    >>> number(121_340.0), number(0.0314)
    ('121,000', '0.0314')
    """
    return precision([amount]).text(amount)


def between(low: float, high: float) -> str:
    r"""Return an interval, each end to three significant digits; a scale that both share is named once.

    >>> between(-3_264.4, 998.3), between(1_240_000.0, 2e6)
    ('−3,260 to 998', '1.24 to 2.00\xa0million')
    """
    first, last = precision([low]), precision([high])
    return f"{first.bare(low) if first.word == last.word else first.text(low)} to {last.text(high)}"


def in_words(mean: float, low: float, high: float, *, currency: str) -> str:
    r"""Return an amount and its interval.

    >>> in_words(-1_934.8, -3_264.4, -998.3, currency="USD")
    'USD\xa0−1,930 (−3,260 to −998)'
    """
    return f"{money(mean, currency)} ({between(low, high)})"


def percent(share: float) -> str:
    r"""Return a share as a percentage; it never claims certainty.

    >>> percent(0.974), percent(1.0), percent(0.0)
    ('97\xa0%', 'more than 99.5\xa0%', 'less than 0.5\xa0%')
    """
    if share > 0.995:
        return f"more than {figure(99.5, '.1f')}{NBSP}%"
    if share < 0.005:
        return f"less than {figure(0.5, '.1f')}{NBSP}%"
    return f"{figure(100 * share, '.0f' if 0.01 <= share <= 0.99 else '.1f')}{NBSP}%"


def chance(share: float) -> str:
    r"""Return a chance in whole per cent, rounded down to reach no limit above it; 100 times 0.29 is not quite 29.

    >>> chance(0.8999), chance(0.9), chance(0.999), chance(0.0)
    ('89\xa0%', '90\xa0%', 'more than 99.5\xa0%', 'less than 0.5\xa0%')
    """
    return percent(math.floor(100.0 * share + 1e-9) / 100.0 if 0.01 <= share <= 0.995 else share)


def chance_and_error(share: float, error: float) -> tuple[str, str]:
    """Return a chance, and its simulation error in percentage points; a chance at an end of the scale has none."""
    likely = chance(share)
    none = " than " in likely or error < 0.0005
    return likely, "" if none else f"{figure(100.0 * error, '.1f')}{NBSP}pp"


def figure_against(value: float, bound: float, decimals: int = 0) -> str:
    """Return a number to some decimals, or to as many more as it takes to lie on its side of a bound.

    >>> figure_against(99.8, 100.0), figure_against(44.0, 100.0), figure_against(-0.2, 0.0)
    ('99.8', '44', '−0.2')
    """
    side = (value > bound, value < bound)
    tried = range(decimals, decimals + 9)
    near = (most for most in tried if ((shown := round(value, most)) > bound, shown < bound) == side)
    return figure(value, f",.{next(near, decimals)}f")


def months(duration: float) -> str:
    r"""Return a duration in months.

    >>> months(13.6), months(1.2), months(0.2)
    ('14\xa0months', '1\xa0month', 'less than a month')
    """
    whole = round(duration)
    if whole < 1:
        return "less than a month"
    return f"{whole}{NBSP}month{'' if whole == 1 else 's'}"


def day_in_words(day: date) -> str:
    r"""Return a day as it is read aloud.

    >>> day_in_words(date(1997, 9, 30))
    '30\xa0September\xa01997'
    """
    # Not strftime or calendar: their names of the months follow the machine's locale.
    return f"{day.day}{NBSP}{_MONTHS[day.month - 1]}{NBSP}{day.year}"


def counted(count: int) -> str:
    """Return a small count in letters, a larger one in digits.

    >>> counted(3), counted(1_300)
    ('three', '1,300')
    """
    return _COUNTS[count] if count < len(_COUNTS) else figure(count)


def joined(names: Sequence[str], last: str = "and") -> str:
    """Return the names as a list in prose.

    >>> joined(["a"]), joined(["a", "b", "c"]), joined(["a", "b"], "or")
    ('a', 'a, b and c', 'a or b')
    """
    return f" {last} ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def first_sentence(description: str) -> str:
    """Return what a number means, without what its file says further on."""
    return description.split(". ", maxsplit=1)[0].removesuffix(".")


def lowered(words: str) -> str:
    """Return words that go on a sentence: a small first letter, but where the first word is a name of capitals."""
    return words if words[1:2].isupper() else words[:1].lower() + words[1:]


def sized(size: float, unit: str, span: float) -> str:
    r"""Return a size that was searched over a range of so much, to what such a search can tell apart.

    >>> sized(0.87631, "ratio", 0.5), sized(0.0514, "share", 0.2), sized(3.21, "days", 30.0)
    ('0.88', '5.1\xa0%', '3')
    """
    scale, sign = (100.0, f"{NBSP}%") if unit.startswith("share") else (1.0, "")
    step = scale * span / 200.0
    decimals = max(0, -math.ceil(math.log10(step))) if step > 0.0 else 2
    return f"{figure(scale * size, f',.{decimals}f')}{sign}"


def searched(description: str) -> str:
    """Return what a number means without what its file says of the search.

    >>> searched("Chance of leaving, against before; searched, not assumed. The interval says where to look.")
    'Chance of leaving, against before'
    """
    return description.split(_SEARCHED, maxsplit=1)[0].removesuffix(".")


def measured(value: float, unit: str, currency: str, *, of: Of = "value", beside: Sequence[float | None] = ()) -> str:
    """Return what a metric measures, or by how much it changed, with its unit."""
    if unit == "money":
        together = precision([value, *(end for end in beside if end is not None)])
        return priced(_signed(together.text(value), of), currency).strip()
    return f"{_in_unit(value, unit, of)}{_suffix(unit, of)}"


def measured_span(low: float | None, high: float | None, unit: str, *, of: Of = "value") -> str:
    r"""Return the interval of what a metric measures, rounded together; an end may be out of reach.

    >>> measured_span(0.031, 0.052, "share"), measured_span(-1.25, 2.0, "hours", of="change")
    ('3.1 to 5.2\xa0%', '−1.2 to +2.0\xa0h')
    >>> measured_span(4.0, None, "hours"), measured_span(None, None, "hours")
    ('4.0\xa0h or more', '–')
    """
    ends = [end for end in (low, high) if end is not None]
    if not ends:
        return MISSING
    if unit == "money":
        together = precision(ends)
        texts = [*map(together.bare, ends[:-1]), together.text(ends[-1])]
        span = " to ".join(_signed(text, of) for text in texts)
    else:
        span = f"{' to '.join(_in_unit(end, unit, of) for end in ends)}{_suffix(unit, of)}"
    return span if len(ends) == 2 else f"{span} or {'less' if low is None else 'more'}"


def compared(low: float | None, high: float | None, direction: str) -> str:
    r"""Return in words what the interval of a change says, and whether that is better.

    >>> compared(0.1, 0.3, "lower"), compared(-0.3, -0.1, "neither"), compared(-0.1, 0.3, "higher")
    ('higher (worse)', 'lower', 'interval includes zero')
    """
    if low is None or high is None:
        return MISSING
    if low <= 0.0 <= high:
        return "interval includes zero"
    way = "higher" if low > 0.0 else "lower"
    judged = "" if direction == "neither" else " (better)" if direction == way else " (worse)"
    return f"{way}{judged}"


def _in_unit(value: float, unit: str, of: Of) -> str:
    scale, decimals, _ = _UNITS[unit]
    return _signed(figure(scale * value, f",.{decimals}f"), of)


def _signed(figure: str, of: Of) -> str:
    bare = of == "value" or figure.startswith(MINUS) or not figure.strip("0.,")
    return figure if bare else f"+{figure}"


def _suffix(unit: str, of: Of) -> str:
    word = "pp" if unit == "share" and of == "change" else _UNITS[unit][2]
    return f"{NBSP}{word}" if word else ""


# What acts on a screen instead of being seen on it: controls but tabs and line feeds, ends of lines that editors do not
# show, what turns the direction of the text that follows (Unicode, "Bidirectional Algorithm", 2), and marks of our own.
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ue000-\ue003]")
# A spreadsheet runs a cell as a formula that begins with one of = + - @, in any width, or with a blank that it skips
# (OWASP, "CSV Injection"). A text can begin a cell of its own where a program cuts at semicolons, tabs or line ends.
_CELL = r"(^|[;\t\r\n])"
_SIGN = r"[\s\x1c-\x1f\u200b-\u200f\u2060\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b]"
_FORMULA = re.compile(rf"^(?=[\t\r\n])|{_CELL}(?={_SIGN})")
# The same as a question, also for engines that cannot look ahead.
FORMULAS = rf"^[\t\r\n]|{_CELL}{_SIGN}"
# Of JSON: two backslashes, or what XML 1.0 allows in no document, on which the library that draws ends the process.
_NOT_XML = re.compile(r"(\\\\)|\\[bf]|\\u00(?:0[0-8bcef]|1[0-9a-f])|[\ufffe\uffff]")
# Not a space that keeps a number and its unit together.
BLANKS = re.compile("[\x00-\x20\x7f\x85\u2028\u2029]+")
# An underscore inside a word is no markup; the last sign of a text may stand before a link.
_ACTIVE = re.compile(r"[\\`*\[\]|~$#]|(?<![^\W_])_|_(?![^\W_])|!$")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
# Before a number stands what it measures, of which strategy and how it was found, in characters of private use.
_LABEL = "([^|\ue001-\ue003]*)"
LABELLED = re.compile(f"\ue001{_LABEL}[|]{_LABEL}[|]{_LABEL}\ue002([^\ue001-\ue003]*)\ue003")
_NUMBERS = re.compile(rf"[{MINUS}+]?\d(?:.*\d)?(?:{NBSP}(?:%|million|billion))?", flags=re.DOTALL)


def in_html(text: str) -> str:
    """Return plain text as HTML that shows exactly this text, between elements or inside a quoted attribute.

    >>> in_html("Orders > 2 & <b>")
    'Orders &gt; 2 &amp; &lt;b&gt;'
    """
    return LABELLED.sub(r'<span data-quantity="\1" data-strategy="\2" data-estimator="\3">\4</span>', html.escape(text))


def labelled(text: str, quantity: str, strategy: str = "", estimator: str = "given") -> str:
    """Return words whose numbers, from the first to the last, say what they measure: HTML has it as attributes.

    Without a strategy they are those of the shop without a programme. Words that are labelled already stay as they are.
    """
    if "\ue001" in text:
        return text
    label = f"\ue001{quantity}|{strategy or 'no-programme'}|{estimator}\ue002"
    return _NUMBERS.sub(lambda found: f"{label}{found[0]}\ue003", text)


def unlabelled(text: str) -> str:
    """Return words as they are read."""
    return LABELLED.sub(r"\4", text)


def in_script(json: str) -> str:
    r"""Return JSON as it may stand inside a script element, which no text in it can end.

    >>> in_script('["</script>"]')
    '["\\u003c/script>"]'
    """
    return json.replace("<", "\\u003c")


def in_drawing(json: str) -> str:
    r"""Return JSON of a chart whose texts a drawing can hold: a mark stands for what XML does not know.

    >>> in_drawing('["\\u001b[31m"]')
    '["\ufffd[31m"]'
    """
    # A sign of its own after a backslash that is itself escaped.
    return _NOT_XML.sub(lambda found: found[1] or "\ufffd", json)


def in_markdown(text: str) -> str:
    r"""Return plain text as Markdown that shows exactly this text.

    >>> in_markdown("[x](y) | <b>")
    '\\[x\\](y) \\| &lt;b&gt;'
    """
    return _ACTIVE.sub(r"\\\g<0>", BLANKS.sub(" ", unlabelled(text))).translate(_ENTITIES)


def in_csv(text: str) -> str:
    """Return text as a cell of a CSV file that no spreadsheet runs: an apostrophe before what would be a formula.

    >>> in_csv("=HYPERLINK(A1)"), in_csv("a-b")
    ("'=HYPERLINK(A1)", 'a-b')
    """
    return _FORMULA.sub(r"\g<0>'", text)


def in_terminal(text: str, instead: Callable[[str], str] = lambda _: "?") -> str:
    r"""Return text without what would act on a terminal, in whose place stands what `instead` makes of it.

    >>> in_terminal("\x1b[31mred")
    '?[31mred'
    """
    return UNSEEN.sub(lambda found: instead(found[0]), unlabelled(text))
