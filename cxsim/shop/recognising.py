"""The header of a file goes in; the format that it is of comes out."""

from __future__ import annotations

from collections.abc import Sequence

from cxsim.shop.format import Format
from cxsim.shop.formats import FORMATS
from cxsim.shop.header import folded
from cxsim.shop.survey_files import survey_format

_NEAREST = 3
_SHOWN = 6


def recognised(columns: Sequence[str]) -> Format | None:
    """Return the format of a header; None if it is of none. Tables of answers say by their columns what they are."""
    header = {folded(name) for name in columns}
    fitting = [form for form in FORMATS if not _lacking(form, header)]
    # A header that holds all that one format requires, and more that another requires, is of the other.
    known = max(fitting, key=lambda form: (len(form.required), len(form.columns)), default=None)
    return known or survey_format(columns)


def unrecognised(columns: Sequence[str], file: str) -> str:
    """Return the message for a header of no format."""
    header = {folded(name) for name in columns}
    nearest = sorted(FORMATS, key=lambda form: (len(_lacking(form, header)) / len(form.required), form.name))
    listed = "; ".join(f"{form.name} (lacks {_some(_lacking(form, header))})" for form in nearest[:_NEAREST])
    return (
        f"{file}: not recognised by its {len(columns)} columns ({_some(list(columns))}). Nearest: {listed}. "
        "A file shop.yaml beside it can say which of its columns is what."
    )


def _lacking(form: Format, header: set[str]) -> list[str]:
    return [name for name in form.required if folded(name) not in header]


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(name.strip() for name in names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
