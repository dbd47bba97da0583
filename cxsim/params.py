"""The one door for numbers: a YAML file under params/ in, a frozen dataclass out, or an error naming file and key."""

from __future__ import annotations

import dataclasses
import json
import os
import types
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import pydantic
import yaml
from pydantic_core import ErrorDetails

from cxsim.errors import ParamError, choices

T = TypeVar("T")
Kind = Literal["scenarios", "strategies", "economics"]
SOURCES_FILE = "sources.yaml"
# Chooses among the members of a union of dataclasses by their field `kind`.
BY_KIND = pydantic.Discriminator("kind")


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
    """Return the project folder: the nearest one above the working folder that has params/, else the checkout's own.

    Raises
    ------
    ParamError
        When there is neither.
    """
    here = Path.cwd()
    checkout = Path(__file__).resolve().parent.parent
    for folder in (here, *here.parents, checkout):
        if (folder / "params" / "scenarios").is_dir():
            return folder
    raise ParamError(
        f"no folder params/scenarios in {here} or above it; run cxsim inside a project that has one, such as a checkout of cxsim."
    )


def names(kind: Kind) -> list[str]:
    """Return the names of all files of one kind, sorted."""
    return sorted(path.stem for path in (root() / "params" / kind).glob("*.yaml"))


def locate(kind: Kind, name: str) -> Path:
    """Return the file of a name, or of a path that ends in .yaml.

    Raises
    ------
    ParamError
        When there is no such file; the message lists the choices.
    """
    if name.endswith((".yaml", ".yml")):
        path = Path(name)
        if path.is_file():
            return path
        raise ParamError(f"no file {name}; {choices(path.stem, names(kind))}")
    path = root() / "params" / kind / f"{name}.yaml"
    if not path.is_file():
        raise ParamError(f"params/{kind}: no '{name}'; {choices(name, names(kind))}")
    return path


def read(path: Path, shape: type[T]) -> T:
    """Return the content of a YAML file as the dataclass `shape`, whose field `name` is the file's name.

    Raises
    ------
    ParamError
        One line per mistake: file, key, what is wrong, what was found, what is possible.
    """
    content = _content(path)
    if "name" in content:
        raise ParamError(f"{shown(path)}: name: unknown key; the name is the file's own, '{path.stem}'.")
    return _validated({"name": path.stem} | content, shape, path)


def sources() -> dict[str, Source]:
    """Return all sources by their identifier."""
    path = root() / "params" / SOURCES_FILE
    content = _content(path)
    return {str(key): _validated(entry, Source, path, at=str(key)) for key, entry in content.items()}


def schema(shape: type[Any]) -> dict[str, Any]:
    """Return the JSON schema of a file that is read as `shape`, for editors that complete and check YAML."""
    return pydantic.TypeAdapter(shape).json_schema()


class _UniqueKeys(yaml.SafeLoader):
    """A safe loader that refuses a key written twice, of which YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - the signature is yaml's
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(self.construct_object(key, deep=True))  # type: ignore[no-untyped-call]
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key '{name}' is written twice", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep=deep)


def _content(path: Path) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeys)  # noqa: S506 - a subclass of SafeLoader
    except FileNotFoundError as cause:
        raise ParamError(f"{shown(path)}: no such file.") from cause
    except (yaml.YAMLError, UnicodeDecodeError) as cause:
        raise ParamError(f"{shown(path)}: not readable as YAML: {cause}") from cause
    if not isinstance(content, dict):
        raise ParamError(f"{shown(path)}: found {type(content).__name__}; the file must be a mapping of keys to values.")
    return content


def shown(path: Path) -> str:
    """Return a path as messages show it: relative to the project where it can be, with forward slashes."""
    resolved = path.resolve()
    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / "params").is_dir() and resolved.is_relative_to(folder):
            return resolved.relative_to(folder).as_posix()
    return os.fspath(path)


def _validated(content: Mapping[str, Any], shape: type[T], path: Path, at: str = "") -> T:
    adapter = pydantic.TypeAdapter(shape)
    try:
        # By way of JSON, where strict means strict: a number in quotes is refused, a list may be a tuple.
        return adapter.validate_json(json.dumps(content, default=str), strict=True, extra="forbid")
    except pydantic.ValidationError as cause:
        lines = [f"{shown(path)}: {_message(error, shape, at)}" for error in cause.errors(include_url=False)]
        raise ParamError("\n".join(lines)) from cause


def _message(error: ErrorDetails, shape: type[Any], at: str) -> str:
    steps = tuple(step for step in error["loc"])
    key = ".".join(str(step) for step in ((at,) if at else ()) + steps)
    found = error.get("input")
    match error["type"]:
        case "unexpected_keyword_argument" | "extra_forbidden":
            known = [field.name for field in _fields_at(shape, steps[:-1])]
            return f"{key}: unknown key; {choices(str(steps[-1]), known)}"
        case "missing" | "missing_argument":
            return f"{key}: missing; write it."
        case "value_error":
            return f"{key}: {error['msg'].removeprefix('Value error, ')}"
        case "enum" | "literal_error":
            expected = str(error["ctx"]["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
            return f"{key}: '{found}' is not possible; {choices(str(found), expected)}"
        case "union_tag_invalid":
            tags = str(error["ctx"]["expected_tags"]).replace("'", "").split(", ")
            return f"{key}: kind '{error['ctx']['tag']}' is not possible; {choices(str(error['ctx']['tag']), tags)}"
        case "union_tag_not_found":
            return f"{key}: the key 'kind' is missing; write which kind it is."
        case _:
            return f"{key}: {error['msg'][0].lower()}{error['msg'][1:]}; found {found!r}."


def _fields_at(shape: Any, steps: tuple[int | str, ...]) -> tuple[dataclasses.Field[Any], ...]:
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
