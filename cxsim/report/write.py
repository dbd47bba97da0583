"""Finished files go in, a report on disk comes out: the page and the folder of its tables, both or neither."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from cxsim.errors import ReportError
from cxsim.report.leftovers import staging_prefix

# What lies beside the page, but for files of tables.
_WHOLE = frozenset({"report.md", "workbook.xlsx"})
_PAGE, _TABLES, _OLD = "page.html", "tables", "old"


@contextlib.contextmanager
def staging(out: Path) -> Iterator[Path]:
    """Open an empty folder beside a report that is to be written, and remove it afterwards."""
    out = out.absolute()
    _require_own(out)
    made = [folder for folder in (out.parent, *out.parent.parents) if not folder.exists()]
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=staging_prefix(out.stem), dir=out.parent))
    except OSError as error:
        _remove_empty(made)
        raise ReportError(f"{out}: the report cannot be written into {out.parent}: {error.strerror}.") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _remove_empty(made)


def publish(folder: Path, out: Path, *, page: str, files: Mapping[str, str | bytes]) -> tuple[Path, ...]:
    """Write a report into its staging folder and put it in the place of an older one."""
    try:
        _write(folder / _PAGE, page)
        (folder / _TABLES).mkdir()
        for name, content in files.items():
            _write(folder / _TABLES / name, content)
        _swap(folder, out)
    except OSError as error:
        raise ReportError(f"{out}: the report cannot be written: {error.strerror}.") from error
    return tuple(out.with_suffix("") / name for name in files)


def _require_own(out: Path) -> None:
    if out.suffix != ".html":
        raise ReportError(f"{out}: a report's name must end with .html.")
    if out.is_dir():
        raise ReportError(f"{out}: this is a folder; a report is a file.")
    beside = out.with_suffix("")
    if beside.exists() and not _is_ours(beside):
        raise ReportError(
            f"{beside}: the report's tables belong here, but this is no folder of tables; "
            "move it away, or choose another name."
        )


def _is_ours(folder: Path) -> bool:
    """Whether a folder holds what an older report left, and nothing that its owner would miss."""
    if not folder.is_dir() or folder.is_symlink():
        return False
    names = [path.name for path in folder.iterdir()]
    ours = all(name.endswith((".csv", ".json")) or name in _WHOLE for name in names)
    return not names or ("manifest.json" in names and ours)


def _swap(folder: Path, out: Path) -> None:
    tables = out.with_suffix("")
    try:
        if tables.exists():
            tables.rename(folder / _OLD)
        (folder / _TABLES).rename(tables)
        (folder / _PAGE).replace(out)
    except BaseException:
        if not (folder / _TABLES).exists():
            tables.rename(folder / _TABLES)
        if (folder / _OLD).exists():
            (folder / _OLD).rename(tables)
        raise


def _write(path: Path, content: str | bytes) -> None:
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()
