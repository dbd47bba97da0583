"""Estimates and facts of a fit in; a page in the look of statsmodels out, for a terminal or a notebook."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from statsmodels.iolib.summary import Summary as Page
from statsmodels.iolib.table import SimpleTable
from statsmodels.iolib.tableformatting import fmt_2cols, fmt_params

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

    def _page(self, facts: Facts, notes: Sequence[str]) -> Page:
        half = (len(facts) + 1) // 2
        left, right = facts[:half], [*facts[half:], ("", "")][:half]
        top = SimpleTable(
            [[text] for _, text in left],
            stubs=[f"{label}:" for label, _ in left],
            title=self.title,
            txt_fmt=fmt_2cols,
        )
        top.extend_right(
            SimpleTable(
                [[text] for _, text in right],
                stubs=[f" {label}:" if label else "" for label, _ in right],
                txt_fmt=fmt_2cols,
            )
        )
        rows = [[f"{number:.5g}" for number in row[1:]] for row in self.estimates.iter_rows()]
        table = SimpleTable(
            rows,
            headers=["coef", "std err", "[0.025", "0.975]"],
            stubs=list(self.estimates["parameter"]),
            txt_fmt={**fmt_params, "data_fmts": ["%s"] * 4},
        )
        page = Page()
        page.tables = [top, table]
        page.add_extra_txt(list(notes))
        return page

    def __repr__(self) -> str:
        return self.as_text()

    def _repr_html_(self) -> str:
        facts = [(html.escape(label), html.escape(text)) for label, text in self.facts]
        return str(self._page(facts, [html.escape(note) for note in self.notes]).as_html())
