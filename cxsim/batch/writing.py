"""A file's name and its text in; the file, written as a whole or not at all, out."""

from __future__ import annotations

from pathlib import Path

from cxsim.errors import ReportError

INDEX = "index.html"


def write_text(path: Path, text: str) -> None:
    """Write a text under another name first, so that nobody ever reads half of it."""
    half = path.with_name(f".{path.name}.half-written")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        half.write_text(text, encoding="utf-8", newline="\n")
        half.replace(path)
    except OSError as cause:
        raise ReportError(f"{path}: cannot be written ({cause.strerror}).") from cause
    finally:
        if half.parent.is_dir():
            half.unlink(missing_ok=True)
