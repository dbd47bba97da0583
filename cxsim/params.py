"""The one door for numbers: a YAML file under params/ in, a frozen dataclass out, or an error naming file and key."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import pydantic
from pydantic_core import ErrorDetails

from cxsim.errors import ParamError, choices
from cxsim.yaml_text import content_of

T = TypeVar("T")
Kind = Literal["scenarios", "strategies", "economics", "behaviour", "valuations"]
SOURCES_FILE, LEVERS_FILE = "sources.yaml", "levers.yaml"
# Chooses among the members of a union of dataclasses by their field `kind`.
BY_KIND = pydantic.Discriminator("kind")
# Chooses between a text and a list, tagged so; a mistake is then told of the one that was meant.
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


def root() -> Path:
    """Return the project folder: the nearest one above the working folder that has params/, else the checkout's own."""
    here = Path.cwd()
    for folder in (here, *here.parents, Path(__file__).resolve().parent.parent):
        if (folder / "params" / "scenarios").is_dir():
            return folder
    raise ParamError(
        f"no folder params/scenarios in {here} or above it; run cxsim inside a project that has one, such as a "
        "checkout of cxsim."
    )


def names(kind: Kind) -> list[str]:
    """Return the names of all files of one kind, sorted."""
    return sorted(path.stem for path in (root() / "params" / kind).glob("*.yaml"))


def locate(kind: Kind, name: str) -> Path:
    """Return the file of a name, or of a path that ends in .yaml."""
    if name.endswith((".yaml", ".yml")):
        path = Path(name)
        if path.is_file():
            return path
        raise ParamError(f"no file {name}; {choices(path.stem, names(kind))}")
    return named(kind, name)


def named(kind: Kind, name: str) -> Path:
    """Return the file of a name alone."""
    if name not in names(kind):
        raise ParamError(f"params/{kind}: no '{name}'; {choices(name, names(kind))}")
    return root() / "params" / kind / f"{name}.yaml"


def read(path: Path, shape: type[T]) -> T:
    """Return the content of a YAML file as the dataclass `shape`, whose field `name` is the file's name."""
    content = _content(path)
    if "name" in content:
        raise ParamError(f"{shown(path)}: name: unknown key; the name is the file's own, '{path.stem}'.")
    return _validated({"name": path.stem} | content, shape, path)


def source_names() -> list[str]:
    """Return the identifiers of all sources, whether or not their entries are sound."""
    return list(_content(root() / "params" / SOURCES_FILE))


def sources(path: Path | None = None) -> dict[str, Source]:
    """Return all sources by their identifier, from the project's own file when `path` is None; see `entries`."""
    return entries(root() / "params" / SOURCES_FILE if path is None else path, Source)


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


def schema_text(shapes: Mapping[str, type[object]]) -> str:
    """Return the JSON schemas of several kinds of files as one text, for editors that complete and check YAML."""
    content = {kind: pydantic.TypeAdapter(shape).json_schema() for kind, shape in shapes.items()}
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def shown(path: Path) -> str:
    """Return a path as messages show it: relative to the project where it can be, with forward slashes."""
    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / "params").is_dir() and path.resolve().is_relative_to(folder):
            return path.resolve().relative_to(folder).as_posix()
    return os.fspath(path)


# Every file that is checked asks for the catalogue and the sources; nobody changes what is parsed.
_parsed = functools.lru_cache(maxsize=128)(content_of)
_adapter: Callable[[Any], Any] = functools.cache(pydantic.TypeAdapter)


def _content(path: Path) -> dict[str, Any]:
    text = _text(path)
    try:
        content = _parsed(text)
    except ValueError as cause:
        raise ParamError(f"{shown(path)}: {cause}") from cause
    if content is None:
        raise ParamError(f"{shown(path)}: the file is empty.")
    if not isinstance(content, dict):
        raise ParamError(
            f"{shown(path)}: found {type(content).__name__}; the file must be a mapping of keys to values."
        )
    return content


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as cause:
        raise ParamError(f"{shown(path)}: not UTF-8; save the file as UTF-8.") from cause
    except OSError as cause:
        raise ParamError(f"{shown(path)}: cannot be read ({cause.strerror}).") from cause


def _validated(content: Mapping[str, Any], shape: type[T], path: Path, at: str = "") -> T:
    try:
        # By way of JSON, where strict means strict: a number in quotes is refused, a list may be a tuple.
        sound: T = _adapter(shape).validate_json(json.dumps(content, default=str), strict=True, extra="forbid")
    except pydantic.ValidationError as cause:
        lines = [f"{shown(path)}: {_message(error, shape, at)}" for error in cause.errors(include_url=False)]
        raise ParamError("\n".join(lines)) from cause
    return sound


def _message(error: ErrorDetails, shape: type[Any], at: str) -> str:
    key = ".".join(str(step) for step in ((at,) if at else ()) + error["loc"])
    said = _FIXED.get(error["type"]) or _said(error, shape)
    return f"{key}: {said}" if key else said


def _said(error: ErrorDetails, shape: type[Any]) -> str:
    found, context = error.get("input"), error.get("ctx", {})
    match error["type"]:
        case "unexpected_keyword_argument":
            *steps, name = error["loc"]
            known = [field.name for field in _fields_at(shape, steps) if field.name != "name"]
            return f"unknown key; {choices(str(name), known)}"
        case "value_error":
            return error["msg"].removeprefix("Value error, ")
        case "enum" | "literal_error":
            return f"'{found}' is not possible; {choices(str(found), _listed(context['expected']))}"
        case "union_tag_invalid":
            return (
                f"kind '{context['tag']}' is not possible; {choices(context['tag'], _listed(context['expected_tags']))}"
            )
        case _:
            return f"{_PLAIN.get(error['type']) or error['msg'].replace('Input should', 'must')}; found {found!r}."


_FIXED = {
    "missing": "missing; write it.",
    "union_tag_not_found": "the key 'kind' is missing; write which kind it is.",
}
_PLAIN = {
    # YAML reads 1e3 as text as well.
    "float_type": "must be a number, without quotes, and with a point where it has an exponent (1.0e+3)",
    "int_type": "must be a whole number, without quotes and without a point",
}


def _listed(expected: str) -> list[str]:
    return expected.replace("'", "").replace(" or ", ", ").split(", ")


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
