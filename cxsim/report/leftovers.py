"""A folder of reports in; the folders that a killed process left half-written in it, removed."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

_NAME = re.compile(r"\..+-(?P<process>\d+)-[a-z0-9_]{8}", re.ASCII)
_HELD = frozenset({"page.html", "tables", "old"})


def staging_prefix(name: str) -> str:
    """Return how the folder begins in which this process prepares a report; `remove_leftovers` knows it by that."""
    return f".{name}-{os.getpid()}-"


def remove_leftovers(folder: Path) -> None:
    """Remove the folders in which processes that are no more have prepared reports."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        found = _NAME.fullmatch(path.name)
        if found is None or path.is_symlink() or not path.is_dir() or _lives(int(found["process"])):
            continue
        if {inside.name for inside in path.iterdir()} <= _HELD:
            shutil.rmtree(path, ignore_errors=True)


def _lives(process: int) -> bool:
    if os.name != "posix":
        return True  # elsewhere, asking would end it
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OverflowError, PermissionError):
        return True
    return True
