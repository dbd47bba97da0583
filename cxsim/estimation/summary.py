"""Estimates and facts of a fit in; a page in the look of statsmodels out, for a terminal or a notebook.

statsmodels brings pandas with it, a second of loading, so both wait until somebody looks at a page.
"""

from __future__ import annotations

import html
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

Facts = Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Summary:
    """A page on one fit.

    Attributes
    ----------
    title
        Name of the model.
    facts
        What is said of the fit as a whole: a label and a text each.
    estimates
        parameter, estimate, std_error, low and high.
    notes
        Sentences below the tables.
    """

    title: str
    facts: Facts
    estimates: pl.DataFrame
    notes: Sequence[str]

    def as_text(self) -> str:
        """Return the page for a terminal."""
        return str(self._page(self.facts, self.notes).as_text())

    def _page(self, facts: Facts, notes: Sequence[str]) -> Any:
        table_of = importlib.import_module("statsmodels.iolib.table").SimpleTable
        look = importlib.import_module("statsmodels.iolib.tableformatting")
        half = (len(facts) + 1) // 2
        left, right = facts[:half], [*facts[half:], ("", "")][:half]
        top = table_of(
            [[text] for _, text in left],
            stubs=[f"{label}:" for label, _ in left],
            title=self.title,
            txt_fmt=look.fmt_2cols,
        )
        top.extend_right(
            table_of(
                [[text] for _, text in right],
                stubs=[f" {label}:" if label else "" for label, _ in right],
                txt_fmt=look.fmt_2cols,
            )
        )
        rows = [[f"{number:.5g}" for number in row[1:]] for row in self.estimates.iter_rows()]
        table = table_of(
            rows,
            headers=["coef", "std err", "[0.025", "0.975]"],
            stubs=list(self.estimates["parameter"]),
            txt_fmt={**look.fmt_params, "data_fmts": ["%s"] * 4},
        )
        page = importlib.import_module("statsmodels.iolib.summary").Summary()
        page.tables = [top, table]
        page.add_extra_txt(list(notes))
        return page

    def __repr__(self) -> str:
        return self.as_text()

    def _repr_html_(self) -> str:
        facts = [(html.escape(label), html.escape(text)) for label, text in self.facts]
        return str(self._page(facts, [html.escape(note) for note in self.notes]).as_html())
