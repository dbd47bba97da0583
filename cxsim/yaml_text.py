"""YAML as text in, what it says out, refusing what YAML lets pass in silence; and plain content in, YAML text out."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import date
from typing import Any

import yaml

Plain = str | int | float | bool | date | None | list["Plain"] | dict[str, "Plain"]
_WIDTH = 118


def content_of(text: str) -> Any:
    """Return what a text says: mappings with keys of text, lists, texts, numbers and days."""
    try:
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as cause:
        line = "" if cause.problem_mark is None else f"line {cause.problem_mark.line + 1}: "
        raise ValueError(f"{line}not readable as YAML: {cause.problem or cause.context}.") from cause
    except (yaml.YAMLError, ValueError, RecursionError) as cause:  # a day such as 2024-02-30 is a ValueError
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
