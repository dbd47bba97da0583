"""A study's manifest goes in, the audit trail comes out: labelled entries for a reader, JSON for a machine."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from nbformat import NotebookNode

from cxsim.errors import ReportError
from cxsim.mimes import MANIFEST

Kind = Literal["text", "code", "command", "group"]

_HASH = re.compile(r"[0-9a-f]{32,}|[0-9a-f]{7,}(\+dirty|-dirty)|sha256:[0-9a-f]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One line of the audit trail.

    Attributes
    ----------
    label
        What the line is about.
    value
        Empty for a group.
    kind
        How it is set: as prose, as code, as a command to type, or as a group of further entries.
    entries
        The entries of a group.
    """

    label: str
    value: str
    kind: Kind
    entries: tuple[Entry, ...] = ()


def trail(manifest: Mapping[str, object]) -> tuple[Entry, ...]:
    """Return a manifest as entries that a reader understands, in the manifest's order."""
    entries = [_entry(str(name), _label(str(name)), value) for name, value in manifest.items()]
    return tuple(sorted(entries, key=lambda entry: entry.kind == "command"))


def manifest_in(notebook: NotebookNode) -> dict[str, object]:
    """Return what an executed notebook says of its study in outputs of kind MANIFEST; empty when it says nothing."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    found = [output["data"][MANIFEST] for output in outputs if MANIFEST in output.get("data", {})]
    return {str(name): value for manifest in found for name, value in manifest.items()}


def manifest_json(manifest: Mapping[str, object], *, indent: int | None = None) -> str:
    """Return a manifest as JSON with sorted keys."""
    separators = (",", ":") if indent is None else (",", ": ")
    try:
        return json.dumps(
            manifest, sort_keys=True, indent=indent, separators=separators, ensure_ascii=False, allow_nan=False
        )
    except (TypeError, ValueError) as error:
        raise ReportError(f"the manifest cannot be written as JSON: {error}.") from error


def _label(name: str) -> str:
    return name.replace("_", " ").strip().capitalize()


def _entry(name: str, label: str, value: object) -> Entry:
    if isinstance(value, Mapping):
        # Inside a group stand names that are somebody's own: of files, of packages, of parameters.
        inner = tuple(_entry(str(key), str(key), value[key]) for key in value)
        return Entry(label=label, value="" if inner else "none", kind="group" if inner else "text", entries=inner)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return Entry(label=label, value=", ".join(map(_shown, value)) or "none", kind="text")
    shown = _shown(value)
    if name == "command":
        return Entry(label="Command to reproduce", value=shown, kind="command")
    return Entry(label=label, value=shown, kind="code" if _HASH.fullmatch(shown) else "text")


def _shown(value: object) -> str:
    if value is None:
        return "not recorded"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
