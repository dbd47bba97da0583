"""A table of models and the sentences on it in; one piece of HTML out, with everything escaped."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Mapping, Sequence

import polars as pl

from cxsim.wording import MINUS, MISSING, NBSP


def _share(value: float) -> str:
    return f"{100 * value:.1f}{NBSP}%"


def _signed(value: float) -> str:
    return f"{100 * value:+.1f}{NBSP}%".replace("-", MINUS)


def _plain(digits: int) -> Callable[[float], str]:
    def written(value: float) -> str:
        return "∞" if math.isinf(value) else f"{value:,.{digits}f}".replace("-", MINUS)

    return written


# Columns that are shown where a table has them, their heads, and how their numbers are written.
_COLUMNS: dict[str, tuple[str, Callable[[float], str]]] = {
    "log_likelihood": ("log-likelihood", _plain(2)),
    "aic": ("AIC", _plain(1)),
    "bic": ("BIC", _plain(1)),
    "aic_gap": ("AIC above best", _plain(1)),
    "weight": ("weight", _plain(2)),
    "prob_better": ("P better", _plain(2)),
    "orders_bias": ("orders, bias", _signed),
    "spend_bias": ("spend, bias", _signed),
    "mae": ("MAE", _plain(3)),
    "rmse": ("RMSE", _plain(3)),
    "log_score": ("log score", _plain(4)),
    "prob_better_forecast": ("P better forecast", _plain(2)),
    "coverage_80": ("in 80 % interval", _share),
    "coverage_95": ("in 95 % interval", _share),
    "gini": ("Gini", _plain(3)),
    "top_decile_capture": ("in top decile", _share),
}


def page(table: pl.DataFrame, caption: str, sentences: Sequence[str]) -> str:
    """Return a table of models with a caption and sentences below it."""
    heads: Mapping[str, tuple[str, Callable[[float], str]]] = {
        name: shown for name, shown in _COLUMNS.items() if name in table.columns
    }
    top = "".join(
        f'<th scope="col">{html.escape(head)}</th>' for head in ("model", *(head for head, _ in heads.values()))
    )
    rows = "".join(
        f'<tr><th scope="row">{html.escape(str(row["model"]))}</th>'
        + "".join(f"<td>{_cell(row[name], written)}</td>" for name, (_, written) in heads.items())
        + "</tr>"
        for row in table.iter_rows(named=True)
    )
    below = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences)
    head = f"<caption>{html.escape(caption)}</caption><thead><tr>{top}</tr></thead>"
    return f"<table>{head}<tbody>{rows}</tbody></table>{below}"


def _cell(value: float | None, written: Callable[[float], str]) -> str:
    return MISSING if value is None else html.escape(written(value))
