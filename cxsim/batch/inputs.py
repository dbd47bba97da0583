"""Everything that a report depends on in; one hash, which changes when any of it does, out."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import platform
import re
from collections.abc import Iterable
from pathlib import Path

from cxsim.params import root
from cxsim.report.render import Code
from cxsim.scenario import Scenario, Valuation, case_files

_PACKAGE = Path(__file__).resolve().parent.parent
_REQUIRED = re.compile(r"[A-Za-z0-9._-]+")


def report_inputs(case: Scenario | Valuation, given: str, *, notebook: Path, code: Code) -> str:
    """Return the hash of everything that a report depends on.

    The commit of the project is not part of it: whether a report is still right depends on files, not on their history.
    """
    return _hash({**_of_case(case, given), "kind": "report", "notebook": _file_hash(notebook), "code": code})


def study_inputs(case: Scenario, given: str) -> str:
    """Return the hash of everything that the returns of a scenario depend on; arguments as in `report_inputs`."""
    return _hash({**_of_case(case, given), "kind": "study"})


def _of_case(case: Scenario | Valuation, given: str) -> dict[str, object]:
    return {
        "case": json.dumps(dataclasses.asdict(case), sort_keys=True, default=str),
        # A file's bytes too: the audit trail of a report names their hashes.
        "params": {f"{path.parent.name}/{path.name}": _file_hash(path) for path in case_files(given)},
        # The bundled orders are files of the package.
        "orders": _file_hash(root() / case.orders),
        "package": _package_hash(),
        "versions": _versions(),
    }


def _hash(content: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _file_hash(path: Path) -> str | None:
    """Return the hash of a file; None where there is none, which whoever reads it will tell."""
    try:
        found = path.stat()
        return _content_hash(path, found.st_size, found.st_mtime_ns) if path.is_file() else None
    except OSError:
        return None


@functools.lru_cache(maxsize=4096)
def _content_hash(path: Path, size: int, changed_at: int) -> str:  # noqa: ARG001 - read once while neither changes
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@functools.cache
def _package_hash() -> str:
    """Return the hash of the names and contents of cxsim's own files, whatever they are."""
    files = {path.relative_to(_PACKAGE).as_posix(): _file_hash(path) for path in sorted(_own(_PACKAGE.rglob("*")))}
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def _own(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"]


@functools.cache
def _versions() -> dict[str, str]:
    """Return the version of Python, and of every package that cxsim asks for itself."""
    asked = [entry for entry in importlib.metadata.requires("cxsim") or [] if "extra ==" not in entry]
    names = sorted({found[0] for entry in asked if (found := _REQUIRED.match(entry))})
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in names}
