"""One class per kind of mistake; every message says what was wrong, what was found, what is possible."""

from __future__ import annotations

import ast
import contextlib
import difflib
import importlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path


class CxsimError(Exception):
    """Root of all errors that a user can mend."""


class DataError(CxsimError):
    """The orders handed in cannot be used."""


class TableError(CxsimError):
    """A table does not keep its contract."""


class ParamError(CxsimError, ValueError):
    """A file under params/ is missing, misspelt or out of range."""


class EstimationError(CxsimError):
    """A model cannot be fitted to these customers."""


class SimulationError(CxsimError):
    """A plan cannot be simulated."""


class ReportError(CxsimError):
    """A report cannot be written."""


def refuse_unknown(name: object, known: Iterable[object], problem: str) -> None:
    """Refuse a name that is not among those known, and say what is possible."""
    if name not in (listed := [*map(str, known)]):
        raise ParamError(f"{problem}; {choices(str(name), listed)}")


def choices(unknown: str, known: Iterable[str]) -> str:
    """Return the end of a message: the nearest match, then everything that is possible.

    >>> choices("amout", ["amount", "customer_id"])
    "did you mean 'amount'? Possible: amount, customer_id."
    >>> choices("zzz", ["amount"])
    'possible: amount.'
    """
    names = list(known)
    listed = ", ".join(names) or "none"
    near = difflib.get_close_matches(unknown, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean '{near[0]}'? Possible: {listed}."
    return f"possible: {listed}."


def waiting_imports(package: str, file: str) -> Callable[[str], object]:
    """Return the `__getattr__` of a package whose imports stand under TYPE_CHECKING: each is made at its first use."""
    homes = {
        alias.name: str(node.module)
        for block in ast.parse(Path(file).read_text(encoding="utf-8")).body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    def found(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"{package} has no '{name}'; {choices(name, sorted(homes))}")
        return getattr(importlib.import_module(homes[name]), name)

    return found


@contextlib.contextmanager
def naming(place: object, problem: str) -> Iterator[None]:
    """Say of which file or folder it is, and what could not be done with it, where the system refuses something."""
    try:
        yield
    except OSError as error:
        raise ReportError(f"{place}: {problem}: {error.strerror}.") from error
