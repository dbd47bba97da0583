"""Which model and how far to trust it: scores of models and findings on a fit go in, tables to read come out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import polars as pl

from cxsim.exhibits.showing import Prose, Table, laid_out
from cxsim.number_style import retold, turned
from cxsim.tables import Contract, check
from cxsim.wording import MINUS, MISSING, NBSP, counted, number

_REAL = (pl.Float64,)
_SCORES = (
    "log_likelihood",
    "aic_gap",
    "weight",
    "orders_bias",
    "mae",
    "rmse",
    "log_score",
    "coverage_80",
    "coverage_95",
)
SCORES = Contract(
    name="SCORES",
    columns={"model": (pl.String,)} | dict.fromkeys((*_SCORES, "gini", "top_decile_capture"), _REAL),
    nullable=frozenset((*_SCORES, "gini", "top_decile_capture")),
)
FINDINGS = Contract(
    name="FINDINGS",
    columns={"about": (pl.String,), "severity": (pl.String,), "sentence": (pl.String,), "advice": (pl.String,)},
)
# Heads of the columns and how their numbers are written.
_HEADS = {
    "log_likelihood": "Log-likelihood",
    "aic_gap": "AIC above the best",
    "weight": "Weight by AIC",
    "orders_bias": "Total missed by",
    "mae": "Mean absolute error",
    "rmse": "Root mean square error",
    "log_score": "Log score",
    "coverage_80": f"Inside the 80{NBSP}% interval",
    "coverage_95": f"Inside the 95{NBSP}% interval",
    "gini": "Order by value (Gini)",
    "top_decile_capture": "Value caught by the first tenth",
}


def verdict(sentence: str, findings: Sequence[str]) -> Prose:
    """Say which model to use and what the comparison has to be read with.

    Parameters
    ----------
    sentence
        What the comparison says.
    findings
        What else was found, a sentence each.

    Returns
    -------
    Prose
        A paragraph and a list.
    """
    sentence, findings = retold(sentence), [retold(finding) for finding in findings]
    items = "".join(f"<li>{escape(finding)}</li>" for finding in findings)
    listed = f"<ul>{items}</ul>" if items else ""
    markup = f'<section class="cx-verdict"><style>{_SHEET}</style><p>{escape(sentence)}</p>{listed}</section>'
    return Prose(markup=markup, text="\n".join([sentence, *findings]))


def model_table(scores: pl.DataFrame) -> Table:
    """Lay out how well models describe the fitted period and how well they foretold the one after it.

    Parameters
    ----------
    scores
        One row per model: `model` as readers know it; in the fitted period `log_likelihood`, `aic_gap` to the best
        and `weight` by AIC (0 to 1); afterwards `orders_bias` of the total as a share of what came, `mae` and `rmse` of
        orders per customer, mean `log_score`, shares of customers inside their intervals `coverage_80` and
        `coverage_95`, normalised `gini` and `top_decile_capture` of value. Null where a figure does not exist, such
        as a likelihood of a rule of thumb; a column without any number is left out.

    Returns
    -------
    Table
        One row per model.

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = check(scores, SCORES).select(list(SCORES.columns))
    title = "Models and rules of thumb side by side"
    shown = {name: head for name, head in _HEADS.items() if table[name].null_count() < table.height}
    cells = table.select(
        pl.col("model").alias("line"),
        *(pl.Series(name, [_written(name, value) for value in table[name]], dtype=pl.String) for name in shown),
    )
    layout = laid_out(
        cells,
        title=title,
        subtitle="In the fitted period, and in the one after it, which no model had seen",
        heads=shown,
        notes=(
            "AIC above the best: below about two, the orders cannot tell two models apart.",
            (
                "Log score: mean logarithm of one over the chance given to what came; smaller is better, and infinite "
                "where something came that was held impossible."
            ),
            "Gini: 1 when customers are put in the order of the value that they brought, 0 for an order by chance.",
        ),
    )
    return Table(id="models", title=title, layout=layout, twin=table)


def findings_table(findings: pl.DataFrame) -> Table:
    """Lay out what an examination of the fits found, the gravest first, with what to do about it.

    Parameters
    ----------
    findings
        `about` (a model, or the orders), `severity` (stop, caution or note), `sentence` with its figure, and `advice`;
        in the order in which they are shown.

    Returns
    -------
    Table
        One row per finding; without any, one row that says so.

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = check(findings, FINDINGS)
    title = _title(table)
    nothing = {"line": MISSING, "severity": MISSING, "sentence": "Nothing was found.", "advice": MISSING}
    words = (
        pl.Series(name, [retold(text) for text in table[name]], dtype=pl.String) for name in ("sentence", "advice")
    )
    cells = table.select("severity", *words, line="about") if table.height else pl.DataFrame([nothing])
    layout = laid_out(
        cells.select("line", "severity", "sentence", "advice"),
        title=title,
        subtitle="What the orders cannot say, and where a model does not fit",
        heads={"severity": "Weight", "sentence": "Finding", "advice": "What to do"},
        text=("sentence", "advice"),
        badges=("severity",),
        notes=("Stop: do not use what hangs on it. Caution: use it, and say this beside it. Note: good to know.",),
    )
    return Table(id="findings", title=title, layout=layout, twin=table)


def _title(table: pl.DataFrame) -> str:
    if table.is_empty():
        return "The examination of the fits found nothing"
    if "stop" in table["severity"]:
        return "Something found forbids the use of what hangs on it"
    cautions = table.filter(pl.col("severity") == "caution").height
    if cautions == 0:
        return "Nothing found forbids the use of these fits"
    what = "thing" if cautions == 1 else "things"
    return f"The fits can be used; {counted(cautions)} {what} must be said beside them"


def _written(name: str, value: float | None) -> str:
    if value is None:
        return MISSING
    if math.isinf(value):
        return "∞"
    return turned(_WRITERS[name](value).replace("-", MINUS)) if name in _WRITERS else number(value)


def _share(value: float) -> str:
    return f"{100 * value:.1f}{NBSP}%"


_WRITERS: Mapping[str, Callable[[Any], str]] = {
    "log_likelihood": "{:,.1f}".format,
    "aic_gap": "{:,.1f}".format,
    "weight": "{:.2f}".format,
    "orders_bias": lambda value: f"{100 * value:+.1f}{NBSP}%",
    "mae": "{:.3f}".format,
    "rmse": "{:.3f}".format,
    "log_score": "{:.3f}".format,
    "coverage_80": _share,
    "coverage_95": _share,
    "gini": "{:.2f}".format,
    "top_decile_capture": _share,
}

_SHEET = (
    ".cx-verdict{max-width:46rem;color:#1f2933;font-size:15px;line-height:1.55}"
    ".cx-verdict p{font-weight:600;margin:.4rem 0 .6rem}"
    ".cx-verdict ul{margin:.2rem 0 1rem;padding-left:1.2rem}"
    ".cx-verdict li{margin:.25rem 0}"
)
