"""Two JSON contents in; the paths at which they differ out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from cxsim.audit.difference import Difference

_ABSENT = object()


def json_differences(said: object, made: object, where: str, path: str = "") -> Iterator[Difference]:
    """Yield where two JSON contents differ, in the order of the first one."""
    if isinstance(said, Mapping) and isinstance(made, Mapping):
        for key in dict.fromkeys([*said, *made]):
            inner = f"{path}.{key}" if path else str(key)
            yield from json_differences(said.get(key, _ABSENT), made.get(key, _ABSENT), where, inner)
    elif isinstance(said, list) and isinstance(made, list):
        for place in range(max(len(said), len(made))):
            one, other = (content[place] if place < len(content) else _ABSENT for content in (said, made))
            yield from json_differences(one, other, where, f"{path}[{place}]")
    elif type(said) is not type(made) or said != made:
        yield Difference(where=f"{where}, {path}" if path else where, said=_text(said), made=_text(made))


def _text(content: object) -> str | None:
    if content is _ABSENT:
        return None
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, sort_keys=True)
