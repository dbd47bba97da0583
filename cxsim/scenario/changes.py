"""A scenario and changes typed as one text in; the scenario with these numbers known, and back to that text, out."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from cxsim.errors import ParamError, choices
from cxsim.quantity import Quantity
from cxsim.scenario.assumptions import assumptions, with_quantities_in
from cxsim.scenario.scenario import Scenario
from cxsim.scenario.written import Structure

_WHOLE = ("draws", "horizon_months", "seed")
_ARRIVALS, _LEAVING = "new_customers.per_month", "dropout"
_SETTINGS = (*_WHOLE, _LEAVING, _ARRIVALS)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)

Value = float | int | str


def parsed_changes(text: str) -> dict[str, str]:
    """Return keys and values of a text such as `economics.gross_margin=0.5; draws=40`, in its order."""
    found: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(";"))):
        key, sign, value = (piece.strip() for piece in part.partition("="))
        if not (key and sign and value):
            raise ParamError(f"change '{part}': it must be KEY=VALUE, such as economics.gross_margin=0.5.")
        if key in found:
            raise ParamError(f"change '{key}': it is written twice, as {found[key]} and as {value}; write it once.")
        found[key] = value
    return found


def changed(scenario: Scenario, changes: str) -> Scenario:
    """Return a scenario with some of its numbers set by hand."""
    wanted = parsed_changes(changes)
    if not wanted:
        return scenario
    known = _identifiers(scenario)
    quantities: dict[str, Quantity] = {}
    settings: dict[str, Any] = {}
    for key, text in wanted.items():
        if key in known:
            identifier, quantity = known[key]
            _refuse_searched(scenario, key)
            quantities[identifier] = _by_hand(quantity, key, text)
        else:
            settings |= _setting(scenario, key, text, known)
    try:
        return dataclasses.replace(with_quantities_in(scenario, quantities), **settings)
    except ParamError as cause:
        raise ParamError(f"{scenario.name} with {canonical(changes)}: {cause}") from cause


def canonical(changes: str) -> str:
    """Return changes in the one order and spelling that stands for them: by key, numbers without needless digits."""
    return _text(parsed_changes(changes).items())


def changes_between(before: Scenario, after: Scenario) -> str | None:
    """Return the changes by which one scenario becomes another; empty when they are equal, None when there are none."""
    if before == after:
        return ""
    old, new = _identifiers(before), _identifiers(after)
    found = {key: repr(one.value) for key, (_, one) in new.items() if key in old and old[key][1] != one}
    for key in _SETTINGS:
        value = _value_of(after, key)
        if value is not None and value != _value_of(before, key):
            found[key] = str(value)
    try:
        text = _text(found.items())
        return text if changed(before, text) == after else None
    except ParamError:
        return None


def _text(pairs: Iterable[tuple[str, str]]) -> str:
    return "; ".join(f"{key}={_spelt(key, value)}" for key, value in sorted(pairs))


def _spelt(key: str, text: str) -> str:
    if key in (*_WHOLE, _ARRIVALS):
        return str(int(text)) if _INTEGER.fullmatch(text) else text
    if not _NUMBER.fullmatch(text):
        return text
    return repr(float(text) + 0.0).removesuffix(".0")


def _identifiers(scenario: Scenario) -> dict[str, tuple[str, Quantity]]:
    """Return identifier and quantity of each assumption by its short form."""
    return {_short(identifier): (identifier, quantity) for identifier, _, quantity in assumptions(scenario)}


def _short(identifier: str) -> str:
    kind, name, path = identifier.split("/", 2)
    if kind == "scenarios":
        return path
    return f"{kind}.{name}.{path}" if kind == "strategies" else f"{kind}.{path}"


def _refuse_searched(scenario: Scenario, key: str) -> None:
    for one in scenario.searched:
        if key == f"strategies.{one.name}.{one.searches}":
            raise ParamError(
                f"change '{key}': nobody believes a size of it, it is searched (mode: break-even); change another "
                "number of the strategy, or the range in its file."
            )


def _by_hand(quantity: Quantity, key: str, text: str) -> Quantity:
    if not _NUMBER.fullmatch(text):
        raise ParamError(f"change '{key}': must be a number with a point, such as {quantity.value:g}; found '{text}'.")
    value = float(text) + 0.0
    low, high = quantity.range
    given = quantity.evidence if quantity.source is None else f"{quantity.evidence} ({quantity.source})"
    before = f"{quantity.value:g}" if low == high else f"{quantity.value:g}, 90 % range {low:g} to {high:g}"
    try:
        return dataclasses.replace(
            quantity,
            value=value,
            range=(value, value),
            evidence="assumed",
            source=None,
            description=f"{quantity.description} Set by hand; in the file stands {before}, {given}.",
        )
    except ParamError as cause:
        raise ParamError(f"change '{key}={text}': {cause}") from cause


def _setting(
    scenario: Scenario, key: str, text: str, known: Mapping[str, tuple[str, Quantity]]
) -> dict[str, int | str | object]:
    if key == _LEAVING:
        if text not in get_args(Structure):
            raise ParamError(f"change '{key}': '{text}' is not possible; {choices(text, get_args(Structure))}")
        return {key: text}
    if key not in _SETTINGS:
        raise ParamError(f"change '{key}': {scenario.name} has no such number; {_possible(key, known)}")
    if not _INTEGER.fullmatch(text):
        raise ParamError(f"change '{key}': must be a whole number, such as {_example(scenario, key)}; found '{text}'.")
    if key != _ARRIVALS:
        return {key: int(text)}
    if scenario.new_customers is None:
        raise ParamError(f"change '{key}': {scenario.name} has no new customers; write new_customers in its file.")
    try:
        return {"new_customers": dataclasses.replace(scenario.new_customers, per_month=int(text))}
    except ParamError as cause:
        raise ParamError(f"change '{key}={text}': {cause}") from cause


def _possible(key: str, known: Mapping[str, object]) -> str:
    """Return what is possible instead: of the same part of the scenario where there is such a part."""
    every = [*known, *_SETTINGS]
    head = key.rpartition(".")[0]
    while head:
        beside = [name for name in every if name.startswith(f"{head}.")]
        if beside:
            return choices(key, beside)
        head = head.rpartition(".")[0]
    return choices(key, every)


def _value_of(scenario: Scenario, key: str) -> Value | None:
    if key == _ARRIVALS:
        return None if scenario.new_customers is None else scenario.new_customers.per_month
    value: Value = getattr(scenario, key)
    return value


def _example(scenario: Scenario, key: str) -> Value:
    return _value_of(scenario, key) or 1000
