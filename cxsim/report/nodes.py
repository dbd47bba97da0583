"""A notebook's file goes in, its cells come out as nodes, and back to text; nbformat's functions get types here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from cxsim.errors import ReportError

_read: Callable[..., NotebookNode] = nbformat.read
_upgrade: Callable[..., NotebookNode] = nbformat.v4.upgrade
_writes: Callable[..., str] = nbformat.writes
_from_dict: Callable[..., NotebookNode] = nbformat.from_dict


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook."""
    try:
        notebook = _read(path, as_version=4)
    except FileNotFoundError as error:
        raise ReportError(f"{path}: there is no such notebook.") from error
    except OSError as error:
        raise ReportError(f"{path}: the notebook cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, AttributeError, nbformat.ValidationError) as error:
        raise ReportError(f"{path}: this is not a Jupyter notebook.") from error
    return _upgrade(notebook)


def fresh_copy(notebook: NotebookNode) -> NotebookNode:
    """Return a copy, in the newest format, that shares nothing with the original."""
    return _upgrade(_from_dict(notebook))


def notebook_text(notebook: NotebookNode) -> str:
    """Return a notebook as JSON with sorted keys and a newline at the end."""
    return _writes(notebook, version=nbformat.NO_CONVERT).rstrip("\n") + "\n"
