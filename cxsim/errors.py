"""One class per kind of mistake; every message says what was wrong, what was found, what is possible."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterable, Iterator


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


@contextlib.contextmanager
def naming(place: object, problem: str) -> Iterator[None]:
    """Say of which file or folder it is, and what could not be done with it, where the system refuses something."""
    try:
        yield
    except OSError as error:
        raise ReportError(f"{place}: {problem}: {error.strerror}.") from error
