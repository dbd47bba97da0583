"""A shop's tables and what somebody answers in; the questions of `start`, and answers that are possible, out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from cxsim.data.shop import Shop
from cxsim.errors import ParamError, refuse_unknown
from cxsim.finance.economics import refuse_no_code
from cxsim.library import at, names
from cxsim.params import Unit, content_of
from cxsim.strategies.effects import EXPERIENCED
from cxsim.strategies.strategy import Strategy, load_strategy

# The library's economics as which a shop's own begin.
ECONOMICS = "online-shop"
# Questions for a number of the economics: the number there, and what is asked.
ECONOMIC: dict[str, tuple[str, str]] = {
    "gross_margin": ("gross_margin", "Gross margin: share of the price left after the cost of goods"),
    "cost_per_order": ("fulfilment_per_order", "Cost per order: picking, packing, shipping, less shipping fees paid"),
    "annual_discount_rate": ("annual_discount_rate", "Discount rate per year: the return on your other investments"),
}
# Programmes that most shops consider first; those of them that the data support are proposed.
_USUAL = ("points-programme", "faster-delivery", "service-recovery", "win-back-coupon", "targeted-discount")
_PROPOSED = 3
# Complete months of orders, and the horizon in months that is proposed for so many.
_HORIZONS = ((18, 36), (9, 24), (0, 12))
_MOST_MONTHS = 600
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)%?"
_ANSWER = re.compile(rf"({_NUMBER})(?:\s+({_NUMBER})\s+to\s+({_NUMBER}))?(?:\s+(measured|assumed))?", re.ASCII)
_NONE = "none"
_NO_CURRENCY = "assumed; the exports name none"


class Choice(NamedTuple):
    """A strategy of the library, and what speaks against it for this shop, if anything does."""

    name: str
    title: str
    against: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One question of `start`.

    Attributes
    ----------
    key
        Its name, as in `--answer KEY=VALUE`.
    words
        What is asked.
    default, why
        The answer that counts if none is given, and where it comes from.
    choices
        What can be chosen.
    problem
        What was wrong with the last answer, when it is asked again.
    """

    key: str
    words: str
    default: str
    why: str
    choices: tuple[Choice, ...] = ()
    problem: str = ""


class Answer(NamedTuple):
    """An answer as text, the number or the names that it means, a number's range, and how well it is known."""

    text: str
    value: Any
    range: tuple[float, float] | None = None
    evidence: Literal["measured", "assumed", "choice"] = "assumed"
    answered_on: str = ""


def questions(shop: Shop, months: int, earlier: Mapping[str, Any]) -> tuple[Question, ...]:
    """Return the questions of `start`, with the answers that count if none is given.

    `months`: complete months of orders; `earlier`: answers of a project, as they were recorded.
    """
    economics, known = library_file("economics", ECONOMICS), shop.currency
    offered = tuple(_choice(load_strategy(name), shop) for name in names("strategies"))
    fitting = [one.name for one in offered if not one.against]
    why = "from the exports" if known else _NO_CURRENCY
    asked = [Question(key="currency", words="Currency of the amounts", default=known or "EUR", why=why)]
    for key, (name, words) in ECONOMIC.items():
        why = "assumed; replace it by your own"
        asked.append(Question(key=key, words=words, default=f"{economics[name]['value']:g}", why=why))
    proposed = ",".join([name for name in _USUAL if name in fitting][:_PROPOSED])
    words = "Strategies to compare, separated by commas"
    asked.append(
        Question(key="strategies", words=words, default=proposed, why="supported by your data", choices=offered)
    )
    ahead = next(ahead for observed, ahead in _HORIZONS if months >= observed)
    why = f"for {months} complete months of orders"
    asked.append(Question(key="horizon_months", words="Horizon in months", default=str(ahead), why=why))
    words = f"Most that may be invested in all strategies, or {_NONE}"
    asked.append(Question(key="budget", words=words, default=_NONE, why="no limit"))
    return tuple(
        replace(one, default=str(earlier[one.key]["answer"]), why=f"as of {earlier[one.key]['answered_on']}")
        if one.key in earlier
        else one
        for one in asked
    )


def _choice(strategy: Strategy, shop: Shop) -> Choice:
    kinds: set[str] = {effect.kind for effect in strategy.effects}
    per_ticket = any(cost.kind == "per_ticket" for cost in strategy.costs)
    against = ""
    if (kinds.intersection(EXPERIENCED) or per_ticket) and shop.missing("tickets") and shop.missing("surveys"):
        against = "needs the export of a help desk or of surveys"
    elif "returns" in kinds and shop.missing("returns"):
        against = "needs an export of returns"
    elif strategy.mode == "break-even":
        against = "nobody has measured its effect, so only the size at which it breaks even could be computed"
    return Choice(strategy.name, strategy.title, against)


def answered(
    asked: Sequence[Question],
    given: Mapping[str, object],
    ask: Callable[[Question], str] | None,
    *,
    earlier: Mapping[str, Any],
    day: str,
) -> dict[str, Answer]:
    """Return an answer to each question: as given, as asked for, or the default."""
    for key in given:
        refuse_unknown(key, [one.key for one in asked], f"answer '{key}': there is no such question")
    found = {}
    for one in asked:
        if one.key in given:
            answer = _parsed(one, _text(given[one.key]))
        elif ask is None:
            answer = _parsed(one, one.default)
            answer = answer._replace(evidence="assumed") if one.why == _NO_CURRENCY else answer
        else:
            answer = _asked(one, ask)
        before = earlier.get(one.key, {})
        same = before.get("answer") == answer.text
        kept = same and (one.key not in given or before.get("evidence") == "measured")
        evidence = before.get("evidence", answer.evidence) if kept else answer.evidence
        found[one.key] = answer._replace(evidence=evidence, answered_on=before["answered_on"] if same else day)
    return found


def _text(given: object) -> str:
    return ",".join(map(str, given)) if isinstance(given, list | tuple) else str(given).strip()


def _asked(question: Question, ask: Callable[[Question], str]) -> Answer:
    """Ask until the answer is possible."""
    while True:
        try:
            return _parsed(question, ask(question).strip() or question.default)
        except ParamError as cause:
            question = replace(question, problem=str(cause))


def _parsed(question: Question, text: str) -> Answer:
    key = question.key
    if key == "currency":
        refuse_no_code(text)
        return Answer(text, text, evidence="choice")
    if key == "strategies":
        return Answer(text, _strategies(question, text), evidence="choice")
    if key == "budget" and text == _NONE:
        return Answer(text, None, evidence="choice")
    parts = _ANSWER.fullmatch(text)
    if parts is None:
        example = 40_000 if key == "budget" else question.default
        raise ParamError(
            f"{key}: '{text}' is not a number with a point, such as {example}; "
            "a range and a grade may follow, as in '0.55 0.5 to 0.6 measured'."
        )
    value, *ends = (_number(part) for part in parts.groups()[:3] if part is not None)
    if key == "horizon_months":
        if value != int(value) or not 1 <= value <= _MOST_MONTHS:
            raise ParamError(f"{key}: must be a whole number of months from 1 to {_MOST_MONTHS}; found '{text}'.")
        return Answer(text, int(value), evidence="choice")
    unit = Unit.MONEY if key == "budget" else Unit(library_file("economics", ECONOMICS)[ECONOMIC[key][0]]["unit"])
    for number in (value, *ends):
        if not unit.low <= number <= unit.high:
            share = f"; for {number:g} % write {number / 100:g} or {number:g}%" if unit.high == 1.0 else ""
            raise ParamError(f"{key}: {number:g} is not possible; it lies from {unit.low:g} to {unit.high:g}{share}.")
    if ends and not ends[0] <= value <= ends[1]:
        raise ParamError(
            f"{key}: {value:g} lies outside its range, {ends[0]:g} to {ends[1]:g}; write a range around it."
        )
    span = (ends[0], ends[1]) if ends else None
    return Answer(text, value, span, "measured" if parts[4] == "measured" else "assumed")


def _number(text: str) -> float:
    return round(float(text[:-1]) / 100, 12) if text.endswith("%") else float(text)


def _strategies(question: Question, text: str) -> list[str]:
    known = {one.name: one for one in question.choices}
    chosen = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not chosen:
        raise ParamError("strategies: name at least one, such as points-programme,faster-delivery.")
    for name in chosen:
        refuse_unknown(name, known, f"strategies: no '{name}'")
        if known[name].against:
            raise ParamError(
                f"strategies: {name} {known[name].against}. Leave it out, or add it to the scenario by hand."
            )
    return chosen


def library_file(kind: str, name: str) -> Any:
    """Return the content of a file under params/, as plain values."""
    return content_of(at(f"params/{kind}/{name}.yaml").read_text(encoding="utf-8"))
