"""A calibrated behaviour in; its file under params/behaviour and its entry in params/sources.yaml out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date
from enum import Enum
from pathlib import Path

from cxsim.behaviour import Behaviour
from cxsim.errors import ParamError
from cxsim.overview.calibration import Calibration
from cxsim.params import SOURCES_FILE, Source, root, shown, source_names
from cxsim.yaml_text import Plain, text_of


def behaviour_yaml(behaviour: Behaviour) -> str:
    """Return the text of a behaviour's file; read again, it is an equal behaviour."""
    content = _plain(behaviour)
    return text_of({key: value for key, value in content.items() if key != "name"})


def source_yaml(calibration: Calibration) -> str:
    """Return the text that params/sources.yaml takes on with a calibration."""
    return text_of({calibration.source_name: dict(_plain(calibration.source))})


def require_new_behaviour(name: str) -> Path:
    """Return the file that a behaviour of this name would have."""
    file = root() / "params" / "behaviour" / f"{name}.yaml"
    if file.exists():
        raise ParamError(f"{shown(file)}: there is such a behaviour already; choose another name, or remove the file.")
    if f"{name}-tables" in source_names():
        raise ParamError(
            f"params/{SOURCES_FILE}: there is a source '{name}-tables' already; choose another name, or "
            "remove the entry."
        )
    return file


def write_behaviour(calibration: Calibration) -> tuple[Path, Path]:
    """Write a calibrated behaviour and add its source, each file as a whole or not at all."""
    file = require_new_behaviour(calibration.behaviour.name)
    sources = root() / "params" / SOURCES_FILE
    try:
        before = sources.read_bytes()
        line = b"" if before.endswith(b"\n") else b"\n"
        # The source first: a source that nothing cites does no harm, a citation of nothing is refused.
        _replace(sources, before + line + source_yaml(calibration).encode())
        _replace(file, behaviour_yaml(calibration.behaviour).encode())
    except OSError as cause:
        raise ParamError(f"{shown(file)}: cannot be written ({cause.strerror}).") from cause
    return file, sources


def _replace(file: Path, content: bytes) -> None:
    half = file.with_name(f".{file.name}.half-written")
    try:
        half.write_bytes(content)
        half.replace(file)
    finally:
        half.unlink(missing_ok=True)


def _plain(holder: Behaviour | Source) -> Mapping[str, Plain]:
    found = _content(holder)
    if not isinstance(found, dict):
        raise TypeError(type(holder).__name__)
    return found


def _content(value: object) -> Plain:
    """Return a dataclass as a mapping of what it has, without parts that are None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {name: _content(part) for name, part in parts.items() if part is not None}
    if isinstance(value, tuple):
        return [_content(part) for part in value]
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, str | int | float | date):
        return value
    raise TypeError(type(value).__name__)
