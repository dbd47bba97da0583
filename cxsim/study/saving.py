"""A study and a folder in; its tables and manifest as files out, all of them or none."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from cxsim.errors import ReportError
from cxsim.study.result import Study

STUDY_FILES = ("returns.parquet", "statement.parquet", "manifest.json")


def require_writable(folder: Path, names: Sequence[str] = STUDY_FILES) -> None:
    """Refuse a folder that files could not be saved in, before anything is simulated; leave nothing behind."""
    for name in names:
        if (folder / name).is_dir():
            raise ReportError(f"{folder / name}: this is a folder, not a file; choose another folder with --out.")
    nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as cause:
        raise _refusal(folder, cause) from cause


def save_study(study: Study, folder: Path) -> tuple[Path, ...]:
    """Write returns.parquet, statement.parquet and manifest.json into a folder."""
    require_writable(folder)
    manifest = json.dumps(dict(study.manifest), indent=1, sort_keys=True, allow_nan=False) + "\n"
    contents = (_parquet(study.returns), _parquet(study.statement), manifest.encode())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".cxsim-", dir=folder) as staging:
            for name, content in zip(STUDY_FILES, contents, strict=True):
                (Path(staging) / name).write_bytes(content)
            for name in STUDY_FILES:
                (Path(staging) / name).replace(folder / name)
    except OSError as cause:
        raise _refusal(folder, cause) from cause
    return tuple(folder / name for name in STUDY_FILES)


def _parquet(table: pl.DataFrame) -> bytes:
    file = io.BytesIO()
    table.write_parquet(file)
    return file.getvalue()


def _refusal(folder: Path, cause: OSError) -> ReportError:
    return ReportError(f"{folder}: cannot be written to ({cause.strerror}); choose another folder with --out.")
