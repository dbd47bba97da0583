"""What the strategies return: a table under RETURNS goes in, all their figures side by side come out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from cxsim.exhibits.cards import BADGES
from cxsim.exhibits.showing import Table, laid_out
from cxsim.number_style import turned, written_as
from cxsim.tables import RETURNS, check
from cxsim.wording import INTERVAL, MINUS, MISSING, NBSP, number, percent, precision


def returns_table(returns: pl.DataFrame, currency: str) -> Table:
    """Lay out outlay, net present value, return on outlay, payback and break-even, one column per strategy."""
    rows = check(returns, RETURNS).rows(named=True)
    heads = {f"strategy_{place}": str(row["title"]) for place, row in enumerate(rows, start=1)}
    figures = [_figures(row, currency) for row in rows]
    cells = pl.DataFrame({"line": list(_figures(rows[0], currency)) if rows else []}).with_columns(
        **{name: pl.Series(list(column.values())) for name, column in zip(heads, figures, strict=True)}
    )
    title = _finding(rows)
    layout = laid_out(
        cells,
        title=title,
        subtitle=f"Against doing nothing; amounts in today's {currency}",
        heads=heads,
        notes=(
            "Return on outlay: net present value per unit of outlay.",
            f"Payback: when cumulative cash, not discounted, is back at zero; {MISSING} if not within the horizon.",
            f"Breaks even: the outlay for which the same gain would just pay; {MISSING} without outlay.",
            "±: simulation error, the standard error that comes from the limited number of draws.",
        ),
    )
    return Table(id="returns", title=title, layout=layout, twin=returns)


def _figures(row: Mapping[str, Any], currency: str) -> dict[str, str]:
    worth = precision([row["incremental_npv"], row["npv_low"], row["npv_high"]])
    return {
        "Decision": BADGES[row["decision"]],
        f"Outlay, {currency}": number(row["outlay"]),
        f"Net present value, {currency}": f"{worth.text(row['incremental_npv'])} ± {number(row['npv_mc_error'])}",
        f"Net present value, {INTERVAL}": f"{worth.bare(row['npv_low'])} to {worth.text(row['npv_high'])}",
        "Chance of a gain": f"{percent(row['prob_npv_positive'])} ± {_error(100 * row['prob_mc_error'])}",
        "Return on outlay": _with_error(_share(row["roi"]), row["roi_mc_error"], 100.0),
        f"Return on outlay, {INTERVAL}": _span(row["roi_low"], row["roi_high"]),
        "Payback in half of the draws, months": _with_error(
            _months(row["payback_months"]), row["payback_mc_error"], 1.0
        ),
        "Payback in nine draws of ten, months": _months(row["payback_months_late"]),
        "Chance of payback within the horizon": percent(row["prob_payback"]),
        "Breaks even at, of the planned outlay": _share(row["break_even_scale"]),
    }


@written_as("en")
def _finding(rows: Sequence[Mapping[str, Any]]) -> str:
    ranked = sorted((row for row in rows if row["roi"] is not None), key=lambda row: -float(row["roi"]))
    if not ranked:
        return "What each strategy returns"
    best = ranked[0]
    if best["roi"] > 0.0:
        return f"{best['title']} returns most on its outlay: {_share(best['roi'])} on average"
    return f"On average no strategy earns back its outlay; {best['title']} comes nearest"


def _with_error(text: str, error: float | None, scale: float) -> str:
    return text if error is None or text == MISSING else f"{text} ± {_error(scale * error)}"


def _error(error: float) -> str:
    return turned(f"{error:.0f}" if error >= 1.0 else f"{error:.1f}")


def _share(share: float | None) -> str:
    return MISSING if share is None else turned(f"{100 * share:,.0f}{NBSP}%".replace("-", MINUS))


def _span(low: float | None, high: float | None) -> str:
    return MISSING if low is None or high is None else f"{_share(low)} to {_share(high)}"


def _months(duration: float | None) -> str:
    return MISSING if duration is None else f"{duration:.0f}"
