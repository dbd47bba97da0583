"""A study and a folder in; its tables and manifest as files out, each written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from cxsim.errors import ReportError
from cxsim.study.result import Study


def prepare_folder(folder: Path) -> None:
    """Make the folder if need be.

    Raises
    ------
    ReportError
        When it cannot be made or written to; said before anything is simulated.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".cxsim-probe"
        probe.touch()
        probe.unlink()
    except OSError as cause:
        raise ReportError(f"{folder}: cannot be written to ({cause.strerror}); choose another folder with --out.") from cause


def save_study(study: Study, folder: Path) -> tuple[Path, ...]:
    """Write returns.parquet, statement.parquet and manifest.json into a folder.

    Returns
    -------
    tuple of pathlib.Path
        What was written.

    Raises
    ------
    ReportError
        When a file cannot be written; an older one is then still whole.
    """
    writers: dict[str, Callable[[Path], object]] = {
        "returns.parquet": study.returns.write_parquet,
        "statement.parquet": study.statement.write_parquet,
        "manifest.json": lambda path: path.write_text(
            json.dumps(dict(study.manifest), indent=1, sort_keys=True) + "\n", encoding="utf-8"
        ),
    }
    prepare_folder(folder)
    for name, write in writers.items():
        half = folder / f".{name}.half-written"
        try:
            write(half)
            os.replace(half, folder / name)  # noqa: PTH105 - atomic, also over an older file
        except OSError as cause:
            half.unlink(missing_ok=True)
            raise ReportError(f"{folder / name}: cannot be written ({cause.strerror}).") from cause
    return tuple(folder / name for name in writers)
