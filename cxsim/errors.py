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


def refuse_unknown(name: object, known: Iterable[object], problem: str, *, all_in: str = "") -> None:
    """Refuse a name that is not among those known, and say what is possible; `all_in`: as in `choices`."""
    if name not in (listed := [*map(str, known)]):
        raise ParamError(f"{problem}; {choices(str(name), listed, all_in=all_in)}")


def require_kind(given: object, kind: type, wanted: str) -> None:
    """Refuse what is of another kind; `wanted` says what is needed, and how one has it."""
    if not isinstance(given, kind):
        raise ParamError(f"found {repr(given)[:60]} of type {type(given).__name__}; it must be {wanted}.")


# With more names than this a message has only the nearest, and with none near a few that show what they look like.
_LISTED, _NEAREST = 12, 3


def choices(unknown: str, known: Iterable[str], *, all_in: str = "") -> str:
    """Return the end of a message: the nearest match and all that is possible; of many only the nearest.

    `all_in` says where many are listed: a command or a file.

    >>> choices("amout", ["amount", "customer_id"])
    "did you mean 'amount'? Possible: amount, customer_id."
    >>> choices("zzz", ["amount"])
    'possible: amount.'
    >>> choices("L39", [f"L{number}" for number in range(20, 39)], all_in="`cxsim levers`")
    "did you mean 'L38'? All 19: `cxsim levers`."
    """
    names = list(known)
    many = len(names) > _LISTED
    near = [f"'{name}'" for name in _near(unknown, names, _NEAREST if many else 1)]
    asked = f"did you mean {' or '.join(filter(None, (', '.join(near[:-1]), near[-1])))}?" if near else ""
    if not many:
        listed = ", ".join(names) or "none"
        return f"{asked} Possible: {listed}." if near else f"possible: {listed}."
    if near:
        return f"{asked} All {len(names)}: {all_in}." if all_in else f"{asked} {len(names)} are possible."
    rest = f"; all {len(names)}: {all_in}." if all_in else f" and {len(names) - _NEAREST} more."
    return f"none is near; possible are {', '.join(names[:_NEAREST])}{rest}"


def _near(unknown: str, names: list[str], most: int) -> list[str]:
    """Return the names that were probably meant: several only where all are close, or have the unknown one in them."""
    close = difflib.get_close_matches(unknown, names, n=most, cutoff=0.85)
    close = close or difflib.get_close_matches(unknown, names, n=1, cutoff=0.6)
    return close or [name for name in names if unknown and unknown in name][:most]


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
            raise AttributeError(f"{package} has no '{name}'; {choices(name, sorted(homes), all_in=f'dir({package})')}")
        return getattr(importlib.import_module(homes[name]), name)

    return found


@contextlib.contextmanager
def naming(place: object, problem: str) -> Iterator[None]:
    """Say of which file or folder it is, and what could not be done with it, where the system refuses something."""
    try:
        yield
    except OSError as error:
        raise ReportError(f"{place}: {problem}: {error.strerror}.") from error
