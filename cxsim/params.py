"""The one door for numbers: a YAML file under params/ in, a frozen dataclass out, or an error naming file and key."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import math
import os
import re
import types
import unicodedata
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Self, TypeVar, Union, get_args, get_origin, get_type_hints

import pydantic
import yaml
from pydantic_core import ErrorDetails

from cxsim.errors import ParamError, ReportError, choices, refuse_unknown
from cxsim.library import SOURCES_FILE, layers, shown
from cxsim.wording import UNSEEN

Plain = str | int | float | bool | date | None | list["Plain"] | dict[str, "Plain"]
_WIDTH = 118
# What readers of a report see, in which a tag can be nothing but a mistake. Conditions, names of files and what
# stands in somebody's exports may hold such signs.
_FOR_READERS = frozenset(
    (
        *("title", "description", "harms", "owner", "note", "verdict", "authors", "where", "measured", "reason"),
        *("definition", "numerator", "denominator", "window", "scale", "pitfalls", "variant"),
    )
)
# HTML takes this sign for the beginning of a tag, a comment or an instruction, but not before a space or a digit.
_TAG = re.compile("<[A-Za-z/!?][^<>]{0,30}>?")
_TAG_FOUND = (
    "found '{}', which a page takes for a tag; possible: words without tags, and a space after the sign of a "
    "comparison, as in 'orders < limit'."
)
_UNSEEN_FOUND = (
    "found {!r}, with U+{:04X} ({}), which nobody sees and which changes how the rest is shown; possible: letters, "
    "digits, signs, spaces, tabs and ends of lines."
)


def content_of(text: str) -> Any:
    """Return what a text says: mappings with keys of text, lists, texts, numbers and days."""
    try:
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as cause:
        line = "" if cause.problem_mark is None else f"line {cause.problem_mark.line + 1}: "
        raise ValueError(f"{line}not readable as YAML: {cause.problem or cause.context}.") from cause
    except (yaml.YAMLError, ValueError, RecursionError) as cause:
        raise ValueError(f"not readable as YAML: {' '.join(str(cause).split())}.") from cause


def text_of(content: Mapping[str, Plain]) -> str:
    """Return plain content as YAML text, keys in their order; the same content is always the same text."""
    text: str = yaml.dump(
        dict(content), Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=_WIDTH, default_flow_style=False
    )
    return text


class _StrictLoader(yaml.SafeLoader):
    """A safe loader that refuses what YAML would let pass in silence.

    A key written twice, of which it keeps the last; a key that is not text, such as `on`, which it reads as true; and
    references from one place of a file to another, by which a short file can stand for an endless one.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "a reference (*); write it out", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - the signature is yaml's
        seen: set[str] = set()
        for key, _ in node.value:
            name = self.construct_object(key, deep=True)
            if not isinstance(name, str):
                raise yaml.constructor.ConstructorError(None, None, f"the key {name!r} is not text", key.start_mark)
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key '{name}' is written twice", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep=deep)


def _moment(loader: _StrictLoader, node: yaml.ScalarNode) -> Any:
    try:
        return loader.construct_yaml_timestamp(node)
    except ValueError as cause:  # in words that differ between Pythons, and without the line
        raise yaml.constructor.ConstructorError(
            None, None, f"there is no day or time {node.value}", node.start_mark
        ) from cause


_StrictLoader.add_constructor("tag:yaml.org,2002:timestamp", _moment)


class _PlainDumper(yaml.SafeDumper):
    """A safe dumper that writes lists of numbers on one line, and everything out."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is yaml's
        return True


def _list(dumper: _PlainDumper, content: list[Any]) -> yaml.Node:
    flat = all(isinstance(one, int | float) for one in content)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", content, flow_style=flat)


_PlainDumper.add_representer(list, _list)


def _text(dumper: _PlainDumper, content: str) -> yaml.Node:
    # Left to itself yaml takes some characters that cannot be seen for ends of lines.
    return dumper.represent_scalar("tag:yaml.org,2002:str", content, style=None if content.isprintable() else '"')


_PlainDumper.add_representer(str, _text)


T = TypeVar("T")
# Chooses among the members of a union of dataclasses by their field `kind`.
BY_KIND = pydantic.Discriminator("kind")
# Chooses between a text and a list, tagged so; a mistake is then reported of the one that was meant.
BY_TYPE = pydantic.Discriminator(lambda found: "text" if isinstance(found, str) else "list")
TEXT, LIST = pydantic.Tag("text"), pydantic.Tag("list")


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where a published or measured number comes from.

    Attributes
    ----------
    authors, year, title, where
        The reference.
    measured
        What was measured, on whom.
    grade
        A: several experiments or a meta-analysis; B: one strong experiment; C: observational with controls; D: survey
        or vendor; E: none found.
    """

    authors: str
    year: int
    title: str
    where: str
    measured: str
    grade: Literal["A", "B", "C", "D", "E"]


def read(path: Path, shape: type[T]) -> T:
    """Return the content of a YAML file as the dataclass `shape`, whose field `name` is the file's name."""
    content = _content(path)
    if "name" in content:
        raise ParamError(f"{shown(path)}: name: unknown key; the name is the file's own, '{path.stem}'.")
    return _validated({"name": path.stem} | content, shape, path)


def source_names() -> list[str]:
    """Return the identifiers of all sources, whether or not their entries are sound."""
    return list(dict.fromkeys(key for path in layers(f"params/{SOURCES_FILE}") for key in _content(path)))


def sources(path: Path | None = None) -> dict[str, Source]:
    """Return all sources by their identifier, or those of one file; see `entries`."""
    return entries_of(SOURCES_FILE, Source) if path is None else entries(path, Source)


def entries_of(file: str, shape: type[T]) -> dict[str, T]:
    """Return the entries of a file of params/ in the library, with the project's own in their place; see `entries`."""
    return {key: entry for path in layers(f"params/{file}") for key, entry in entries(path, shape).items()}


def entries(path: Path, shape: type[T]) -> dict[str, T]:
    """Return the content of a YAML file of many entries, each under a key of its own, by these keys."""
    found: dict[str, T] = {}
    problems = []
    for key, entry in _content(path).items():
        try:
            found[key] = _validated(entry, shape, path, at=key)
        except ParamError as cause:
            problems.append(str(cause))
    if problems:
        raise ParamError("\n".join(problems))
    return found


def sound(shape: type[T], content: object, what: str) -> T:
    """Return content that is no file in its shape, or say what of it has another one."""
    try:
        found: T = _adapter(shape).validate_json(json.dumps(content, allow_nan=False), strict=True, extra="forbid")
    except pydantic.ValidationError as cause:
        raise ReportError(_with_place(what, "", cause.errors(include_url=False)[0], shape)) from cause
    except ValueError as cause:
        raise ReportError(f"{what}: {cause}.") from cause
    return found


def schema_text(shapes: Mapping[str, type[object]]) -> str:
    """Return the JSON schemas of several kinds of files as one text, for editors that complete and check YAML."""
    content = {kind: pydantic.TypeAdapter(shape).json_schema() for kind, shape in shapes.items()}
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield another name to write to, which becomes the file's at the end: nobody ever reads half of it."""
    # The process in the name keeps two writers apart; the last one wins.
    half = path.with_name(f".{path.name}.{os.getpid()}.half-written")
    try:
        yield half
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


# Every file that is checked asks for the catalogue and the sources; nobody changes what is parsed.
_parsed = functools.lru_cache(maxsize=128)(content_of)
_adapter: Callable[[Any], Any] = functools.cache(pydantic.TypeAdapter)


def _content(path: Path) -> dict[str, Any]:
    try:
        content = _parsed(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as cause:
        raise ParamError(f"{shown(path)}: not UTF-8; save the file as UTF-8.") from cause
    except OSError as cause:
        raise ParamError(f"{shown(path)}: cannot be read ({cause.strerror}).") from cause
    except ValueError as cause:
        raise ParamError(f"{shown(path)}: {cause}") from cause
    if content is None:
        raise ParamError(f"{shown(path)}: the file is empty.")
    if not isinstance(content, dict):
        raise ParamError(
            f"{shown(path)}: found {type(content).__name__}; the file must be a mapping of keys to values."
        )
    if faults := [f"{shown(path)}: {place}: {fault}" for place, fault in _no_text(content)]:
        raise ParamError("\n".join(faults))
    return content


def _no_text(content: Any, place: str = "", key: str = "") -> Iterator[tuple[str, str]]:
    """Yield where a text, or a key, holds what acts on a screen or on a page instead of being read there, and what."""
    if isinstance(content, dict):
        for name, inside in content.items():
            yield from _no_text(name, f"{place}{name!r}.")
            yield from _no_text(inside, f"{place}{name}.", name)
    elif isinstance(content, list):
        for number, inside in enumerate(content):
            yield from _no_text(inside, f"{place}{number}.", key)
    elif isinstance(content, str):
        if found := UNSEEN.search(content):
            yield place[:-1], _UNSEEN_FOUND.format(content, ord(found[0]), unicodedata.name(found[0], "a control"))
        if key in _FOR_READERS and (found := _TAG.search(content)):
            yield place[:-1], _TAG_FOUND.format(found[0])


def _validated(content: Mapping[str, Any], shape: type[T], path: Path, at: str = "") -> T:
    try:
        # By way of JSON, where strict means strict: a number in quotes is refused, a list may be a tuple.
        sound: T = _adapter(shape).validate_json(json.dumps(content, default=str), strict=True, extra="forbid")
    except pydantic.ValidationError as cause:
        lines = [_with_place(shown(path), at, error, shape) for error in cause.errors(include_url=False)]
        raise ParamError("\n".join(lines)) from cause
    return sound


def _with_place(what: str, at: str, error: ErrorDetails, shape: type[Any]) -> str:
    key = ".".join(map(str, ((at,) if at else ()) + error["loc"]))
    return ": ".join(filter(None, (what, key, _message(error, shape))))


def _message(error: ErrorDetails, shape: type[Any]) -> str:
    found, context = error.get("input"), error.get("ctx", {})
    match error["type"]:
        case "missing":
            return "missing; write it."
        case "union_tag_not_found":
            return "the key 'kind' is missing; write which kind it is."
        case "unexpected_keyword_argument":
            *steps, name = error["loc"]
            known = [field.name for field in _fields_at(shape, steps) if field.name != "name"]
            retired = getattr(shape, "retired", {}).get(name)
            return f"{retired}." if retired else f"unknown key; {choices(str(name), known, all_in=_KEYS)}"
        case "value_error":
            return error["msg"].removeprefix("Value error, ")
        case "enum" | "literal_error" | "union_tag_invalid":
            tag = str(context.get("tag", found))
            listed = (context.get("expected_tags") or context["expected"]).replace("'", "").replace(" or ", ", ")
            kind = "kind " if "tag" in context else ""
            return f"{kind}'{tag}' is not possible; {choices(tag, listed.split(', '), all_in=_KEYS)}"
        case other:
            return f"{_PLAIN.get(other) or error['msg'].replace('Input should', 'must')}; found {found!r}."


_KEYS = "params/schema.json"
_PLAIN = {
    # YAML reads 1e3 as text as well.
    "float_type": "must be a number, without quotes, and with a point where it has an exponent (1.0e+3)",
    "int_type": "must be a whole number, without quotes and without a point",
}


def _fields_at(shape: Any, steps: Sequence[int | str]) -> tuple[dataclasses.Field[Any], ...]:
    """Return the fields of the dataclass at a place inside `shape`, to name them in a message."""
    for step in steps:
        shape = _inside(shape, step)
    found = [member for member in _members(shape) if dataclasses.is_dataclass(member)]
    return dataclasses.fields(found[0]) if found else ()


def _inside(shape: Any, step: int | str) -> Any:
    for member in _members(shape):
        if dataclasses.is_dataclass(member) and isinstance(member, type):
            hints = get_type_hints(member, include_extras=True)
            if step in hints:
                return hints[str(step)]
            if step in get_args(hints.get("kind")):
                return member
        elif isinstance(step, int) and get_origin(member) is tuple:
            return get_args(member)[0]
    return shape


def _members(shape: Any) -> Iterator[Any]:
    if hasattr(shape, "__metadata__"):
        yield from _members(shape.__origin__)
    elif get_origin(shape) in (Union, types.UnionType):
        for member in get_args(shape):
            yield from _members(member)
    else:
        yield shape


DAYS_PER_YEAR = 365.25
DAYS_PER_MONTH = DAYS_PER_YEAR / 12
CENTS = 100
# A ledger amount is an integer number of millionths of the currency unit: an integer number of cents times a
# share held to a hundredth of a percent is then an integer too, so sums never depend on their order.
MICROS = 1_000_000
MICROS_PER_CENT = MICROS // CENTS
SHARE_STEPS = 10_000


Scale = Literal["log", "logit", "linear"]


class Unit(StrEnum):
    """What a number in params/ is measured in."""

    # The smallest and the largest value that is possible, and the scale on which uncertainty is spread.
    low: float
    high: float
    scale: Scale

    def __new__(cls, text: str, low: float = 0.0, high: float = 1e5, scale: Scale = "log") -> Self:
        """Return the unit of this text; without bounds, for what is paid for each of something."""
        unit = str.__new__(cls, text)
        unit._value_ = text
        unit.low, unit.high, unit.scale = low, high, scale
        return unit

    RATIO = "ratio", 0.01, 100.0
    SHARE = "share", 0.0, 1.0, "logit"
    SHARE_PER_YEAR = "share per year", 0.0, 1.0, "logit"
    ELASTICITY = "elasticity", -10.0, 0.0, "linear"
    DAYS = "days", 0.0, 36_525.0
    MONEY = "money", 0.0, 1e9
    MONEY_PER_MONTH = "money per month", 0.0, 1e9
    MONEY_PER_ORDER = "money per order"
    MONEY_PER_CONTACT = "money per contact"
    MONEY_PER_MEMBER_MONTH = "money per member and month"
    MONEY_PER_CUSTOMER = "money per customer"
    MONEY_PER_REDEMPTION = "money per redemption"
    MONEY_PER_TICKET = "money per ticket"
    MONEY_PER_REFERRAL = "money per referral"
    MONEY_PER_RETURN = "money per return"
    MONEY_PER_YEAR = "money per year", 0.0, 1e9
    HOURS = "hours", 0.0, 8_766.0
    PER_YEAR = "per year", 0.0, 1_000.0
    PER_MONTH = "per month", 0.0, 100.0
    DEVIATIONS = "standard deviations", -10.0, 10.0, "linear"
    SCORE = "score", -100.0, 100.0, "linear"
    CORRELATION = "correlation", -1.0, 1.0, "linear"
    EXPONENT = "exponent", 0.0, 10.0, "linear"
    POINTS = "points", 1.0, 1e7
    POINTS_PER_MONEY = "points per unit of money", 0.0, 1e4

    def on_scale(self, value: float) -> float:
        """Return a number on the scale of its prior; infinite at its ends."""
        if self.scale == "linear":
            return value
        if value <= 0.0:
            return -math.inf
        if self.scale == "log":
            return math.log(value)
        return math.log(value) - math.log1p(-value) if value < 1.0 else math.inf

    def from_scale(self, number: float) -> float:
        """Return the value of a number on the scale."""
        if self.scale == "linear":
            return number
        return _exp(number) if self.scale == "log" else 1.0 / (1.0 + _exp(-number))


def _exp(number: float) -> float:
    # 700 is far beyond every unit's bounds, and just inside what a float can hold.
    return math.exp(min(number, 700.0))


def micros(amount: float) -> int:
    """Return an amount of money as the nearest whole number of millionths.

    >>> micros(0.35)
    350000
    """
    return round(amount * MICROS)


def share_steps(share: float) -> int:
    """Return a share as the nearest whole number of hundredths of a percent.

    >>> share_steps(0.29)
    2900
    """
    return round(share * SHARE_STEPS)


Evidence = Literal["measured", "published", "assumed"]
# The range of a quantity is read as its 5 % and 95 % quantiles; this is the standard normal's 95 % quantile.
Z95 = 1.6448536269514722


@dataclass(frozen=True, kw_only=True, slots=True)
class Quantity:
    """One sourced number of a strategy or of a shop's economics.

    Attributes
    ----------
    description
        What the number means, in words a reader outside the trade understands.
    unit
        One of the closed vocabulary of `cxsim.params.Unit`.
    value
        The central value: the median of the prior.
    range
        Low and high: the 5 % and the 95 % quantile of the prior; low <= value <= high.
    evidence
        `measured` in this shop, `published` elsewhere, or `assumed`.
    source
        Identifier in params/sources.yaml; required unless `assumed`.
    """

    description: str
    unit: Unit
    value: float
    range: tuple[float, float]
    evidence: Evidence
    source: str | None = None

    def __post_init__(self) -> None:
        for name, given, known in (("unit", self.unit, list(Unit)), ("evidence", self.evidence, get_args(Evidence))):
            refuse_unknown(given, known, f"{name}: no '{given}'")
        (low, high), unit = self.range, self.unit
        numbers = (low, self.value, high)
        if not all(map(math.isfinite, numbers)):
            raise ParamError(f"value and range must be finite numbers; found {numbers}.")
        if not low <= self.value <= high:
            raise ParamError(f"value {self.value:g} is outside its range [{low:g}, {high:g}].")
        possible = f"{unit.low:g} to {unit.high:g}"
        if low < unit.low or high > unit.high:
            raise ParamError(f"range [{low:g}, {high:g}] is outside what the unit '{unit}' allows: {possible}.")
        if low < high and not all(math.isfinite(unit.on_scale(end)) for end in self.range):
            raise ParamError(
                f"range [{low:g}, {high:g}] touches the edge of the unit '{unit}', where no spread can be "
                f"drawn; move the ends inside {possible}, or make the range a single value."
            )
        if self.evidence != "assumed" and not self.source:
            raise ParamError(f"evidence '{self.evidence}' needs a source; write one, or say evidence: assumed.")

    def quantile(self, z: float) -> float:
        """Return the value at standard normal score `z`: median at 0, the range's ends at -1.645 and 1.645.

        Two half normals on the unit's scale (log, logit or linear), which meet at the median, so that an
        asymmetric range is kept as it is written.
        """
        end, unit = self.range[0 if z < 0.0 else 1], self.unit
        if end == self.value:
            return self.value
        middle = unit.on_scale(self.value)
        drawn = unit.from_scale(middle + abs(z) / Z95 * (unit.on_scale(end) - middle))
        return min(max(drawn, unit.low), unit.high)

    def require(self, unit: Unit, name: str) -> None:
        """Refuse another unit than `unit`; `name` says in the message which number it is."""
        if self.unit != unit:
            raise ParamError(f"{name}: wrong unit '{self.unit}'; it must be '{unit}'.")

    def at(self, value: float) -> Quantity:
        """Return the same quantity, known to be `value`."""
        return dataclasses.replace(self, value=value, range=(value, value))


def require_together(holder: object, names: Sequence[str], kind: str) -> None:
    """Refuse a `holder` that has some of the fields `names` and lacks others."""
    given = [name for name in names if getattr(holder, name) is not None]
    if given and len(given) < len(names):
        absent = [name for name in names if name not in given]
        raise ParamError(
            f"{kind}: {', '.join(names)} belong together; {', '.join(absent)} missing; write all of them or none."
        )


def quantities(holder: Any, path: str = "") -> Iterator[tuple[str, Quantity]]:
    """Yield every quantity inside dataclasses and tuples, its path behind `path`, in the order of the fields."""
    for step, child in _children(holder):
        if isinstance(child, Quantity):
            yield f"{path}{step}", child
        else:
            yield from quantities(child, f"{path}{step}.")


def with_values(holder: T, values: Mapping[str, float]) -> T:
    """Return `holder` with each quantity whose path is in `values` fixed at that value."""
    fixed = {name: quantity.at(values[name]) for name, quantity in quantities(holder) if name in values}
    return with_quantities(holder, fixed)


def with_quantities(holder: T, others: Mapping[str, Quantity], path: str = "") -> T:
    """Return `holder` with another quantity at each path, behind `path`, that is in `others`."""
    changed = {
        step: others.get(f"{path}{step}", child)
        if isinstance(child, Quantity)
        else with_quantities(child, others, f"{path}{step}.")
        for step, child in _children(holder)
    }
    if isinstance(holder, tuple):
        return type(holder)(changed.values())
    return dataclasses.replace(holder, **changed) if changed else holder  # type: ignore[type-var]


def _children(holder: Any) -> Iterator[tuple[str, Any]]:
    """Yield the parts that can hold quantities; a tuple's parts are named by their `kind` and place."""
    if isinstance(holder, tuple):
        for place, child in enumerate(holder, start=1):
            yield f"{getattr(child, 'kind', 'item')}_{place}", child
    elif dataclasses.is_dataclass(holder):
        for field in dataclasses.fields(holder):
            child = getattr(holder, field.name)
            if isinstance(child, tuple) or dataclasses.is_dataclass(child):
                yield field.name, child
