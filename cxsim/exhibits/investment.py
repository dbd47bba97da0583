"""Strategies as investments: tables under RETURNS and INVESTMENT go in, all their figures side by side come out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from cxsim.business_tables import INVESTMENT
from cxsim.errors import TableError
from cxsim.exhibits.cards import BADGES
from cxsim.exhibits.showing import Table, laid_out
from cxsim.number_style import retold, turned, written_as
from cxsim.tables import RETURNS, check
from cxsim.wording import INTERVAL, MINUS, MISSING, NBSP, Precision, joined, number, percent, precision

_INTERVAL_80 = f"80{NBSP}% interval"
_NOTES = (
    (
        "Net present value: all that the strategy changes, later amounts counted for less at the discount rate. "
        "Outlay: what the strategy spends; benefits: the rest. Both at present value."
    ),
    "Mean of the worst tenth: of the tenth of the draws with the lowest net present value; also called CVaR.",
    (
        f"Return on outlay: net present value per unit of outlay. Breaks even: the outlay for which the same gain "
        f"would just pay; {MISSING} without outlay."
    ),
    (
        "Internal rate of return (IRR): the yearly discount rate at which the net present value is zero. Modified rate "
        "(MIRR): the same if income is invested at the discount rate; there is never more than one."
    ),
    (
        "Profitability index: present value of all that comes after the money put in, per unit of it; above 1 where "
        "the net present value is above zero."
    ),
    (
        f"Payback: when cumulative cash is back at zero to stay there; {MISSING} if not within the horizon. Discounted "
        "payback: the same with later cash counted for less, on average over the draws."
    ),
    "Money tied up: how far cumulative cash, on average over the draws and not discounted, ever falls below zero.",
    (
        "±: simulation error, the standard error that comes from the limited number of draws. Figures with neither "
        "± nor interval are exact: counts of draws, or computed from the mean over all draws."
    ),
)


def investment_table(returns: pl.DataFrame, investment: pl.DataFrame, currency: str) -> Table:
    """Lay out worth, chance, return, time, money tied up and the risk-adjusted case, one column per strategy.

    Parameters
    ----------
    returns
        Table under `RETURNS`, in the order of the scenario.
    investment
        Table under `INVESTMENT`, with the same strategies in the same order.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table
        A dash where a figure does not exist; why an internal rate does not is said below. The risk-adjusted case is
        left out where neither benefits nor costs are adjusted. Its twin has one row per strategy.

    Raises
    ------
    TableError
        For tables that are not under `RETURNS` and `INVESTMENT` or not of the same strategies, or rules that differ
        between strategies.
    """
    names = check(returns, RETURNS)["strategy"].to_list()
    others = check(investment, INVESTMENT)["strategy"].to_list()
    if names != others or not names:
        raise TableError(
            f"RETURNS has the strategies {names}, INVESTMENT {others}; they must be the same, at least one."
        )
    twin = returns.hstack(investment.drop("strategy", "title"))
    rows = twin.rows(named=True)
    rules = {name: _rule(twin, name) for name in ("hurdle", "benefit_haircut", "cost_uplift")}
    heads = {f"strategy_{place}": str(row["title"]) for place, row in enumerate(rows, start=1)}
    columns = [_figures(row, currency, rules) for row in rows]
    cells = pl.DataFrame(
        {
            "group": [group for group, _ in columns[0]],
            "line": [line for _, line in columns[0]],
            **{name: list(column.values()) for name, column in zip(heads, columns, strict=True)},
        }
    )
    title = _finding(rows, rules)
    layout = laid_out(
        cells,
        title=title,
        subtitle=f"Against doing nothing; present values in today's {currency}",
        heads=heads,
        notes=[*_NOTES, _of_adjustment(rules), *_remarks(rows)],
    )
    return Table(id="returns", title=title, layout=layout, twin=twin)


def _rule(twin: pl.DataFrame, name: str) -> float:
    values = twin[name].unique().sort().to_list()
    if len(values) > 1:
        raise TableError(f"INVESTMENT: found several values of {name}: {joined([f'{value:g}' for value in values])}.")
    return float(values[0])


def _figures(row: Mapping[str, Any], currency: str, rules: Mapping[str, float]) -> dict[tuple[str, str], str]:
    """Return the cells of one strategy by group and line."""
    groups = {
        "Decision": {"What the rule says": BADGES.get(row["decision"], row["decision"])},
        "Worth": _worth(row, currency),
        "Chance": {
            "Of a gain": f"{percent(row['prob_npv_positive'])} ± {_error(100 * row['prob_mc_error'])}",
            f"Of a return on outlay above {_share(rules['hurdle'])}": _chance(row["prob_above_hurdle"]),
            "Of payback within the horizon": percent(row["prob_payback"]),
        },
        "Return": _return(row),
        "Time": {
            "Payback in half of the draws, months": _with_error(
                _months(row["payback_months"]), row["payback_mc_error"], 1.0
            ),
            "Payback in nine draws of ten, months": _months(row["payback_months_late"]),
            "Discounted payback, months": _months(row["discounted_payback_months"]),
        },
        "Money tied up": {f"At the worst moment, {currency}": number(row["peak_funding"])},
        "Risk-adjusted": _adjusted(row, currency) if _adjusts(rules) else {},
    }
    return {(group, line): text for group, lines in groups.items() for line, text in lines.items()}


def _worth(row: Mapping[str, Any], currency: str) -> dict[str, str]:
    names = ("incremental_npv", "npv_low", "npv_high", "npv_low_80", "npv_high_80", "cvar", "benefits_pv", "costs_pv")
    together = precision([row[name] for name in names])
    return {
        f"Net present value, {currency}": f"{together.text(row['incremental_npv'])} ± {number(row['npv_mc_error'])}",
        f"Its {_INTERVAL_80}": _between(together, row["npv_low_80"], row["npv_high_80"]),
        f"Its {INTERVAL}": _between(together, row["npv_low"], row["npv_high"]),
        f"Mean of the worst tenth, {currency}": f"{together.text(row['cvar'])} ± {number(row['cvar_mc_error'])}",
        f"Benefits, {currency}": together.text(row["benefits_pv"]),
        f"Outlay (costs), {currency}": together.text(row["costs_pv"]),
        f"Net present value per customer, {currency}": number(row["npv_per_customer"]),
    }


def _return(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "On outlay": _with_error(_share(row["roi"]), row["roi_mc_error"], 100.0),
        f"On outlay, {INTERVAL}": _span(row["roi_low"], row["roi_high"]),
        "Breaks even at, of the planned outlay": _share(row["break_even_scale"]),
        "Internal rate (IRR), per year": _yearly(row["irr"]),
        "Modified internal rate (MIRR), per year": _yearly(row["mirr"]),
        "Profitability index": _index(row["profitability_index"]),
    }


def _index(index: float | None) -> str:
    return MISSING if index is None else turned(f"{round(index, 2) + 0.0:,.2f}".replace("-", MINUS))


def _adjusted(row: Mapping[str, Any], currency: str) -> dict[str, str]:
    together = precision([row["incremental_npv"], row["risk_adjusted_npv"]])
    return {
        f"Net present value as simulated, {currency}": together.text(row["incremental_npv"]),
        f"Net present value, risk-adjusted, {currency}": together.text(row["risk_adjusted_npv"]),
        "Return on outlay as simulated": _share(row["roi"]),
        "Return on outlay, risk-adjusted": _share(row["risk_adjusted_roi"]),
    }


def _adjusts(rules: Mapping[str, float]) -> bool:
    return rules["benefit_haircut"] > 0.0 or rules["cost_uplift"] > 0.0


def _adjustment(rules: Mapping[str, float]) -> str:
    return f"benefits cut by {_share(rules['benefit_haircut'])} and costs raised by {_share(rules['cost_uplift'])}"


def _of_adjustment(rules: Mapping[str, float]) -> str:
    if not _adjusts(rules):
        return "No risk-adjusted case: the shop's economics set neither a cut of benefits nor a rise of costs."
    return (
        f"Risk-adjusted: {_adjustment(rules)} by the shop's own rule, without any chance; what is a loss or a saving "
        f"already is taken as so much worse. The simulated figures beside it carry the chances instead."
    )


def _remarks(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return why internal rates are missing or to be read with care, strategies with the same reason together."""
    told: dict[str, list[str]] = {}
    for row in rows:
        if row["irr_remark"] != "one rate":
            told.setdefault(row["irr_remark"], []).append(row["title"])
    return [f"Internal rate of {joined(titles)}: {retold(remark)}." for remark, titles in told.items()]


@written_as("en")
def _finding(rows: Sequence[Mapping[str, Any]], rules: Mapping[str, float]) -> str:
    gains = [row["title"] for row in rows if row["incremental_npv"] > 0.0]
    if not gains:
        return "On average no strategy earns back its outlay"
    if not _adjusts(rules):
        return f"On average {joined(gains)} {_brings(gains)} more than doing nothing"
    holds = [row["title"] for row in rows if row["risk_adjusted_npv"] > 0.0]
    if not holds:
        return f"With {_adjustment(rules)}, no strategy brings more than doing nothing"
    return f"Even with {_adjustment(rules)}, {joined(holds)} {_brings(holds)} more than doing nothing"


def _brings(titles: Sequence[str]) -> str:
    return "brings" if len(titles) == 1 else "bring"


def _between(together: Precision, low: float, high: float) -> str:
    return f"{together.bare(low)} to {together.text(high)}"


def _with_error(text: str, error: float | None, scale: float) -> str:
    return text if error is None or text == MISSING else f"{text} ± {_error(scale * error)}"


def _error(error: float) -> str:
    return turned(f"{error:.0f}" if error >= 1.0 else f"{error:.1f}")


def _chance(share: float | None) -> str:
    return MISSING if share is None else percent(share)


def _share(share: float | None) -> str:
    return MISSING if share is None else turned(f"{round(100 * share) + 0:,}{NBSP}%".replace("-", MINUS))


def _yearly(rate: float | None) -> str:
    if rate is None:
        return MISSING
    decimals = 1 if abs(rate) < 1.0 else 0
    return turned(f"{round(100 * rate, decimals) + 0.0:,.{decimals}f}{NBSP}%".replace("-", MINUS))


def _span(low: float | None, high: float | None) -> str:
    return MISSING if low is None or high is None else f"{_share(low)} to {_share(high)}"


def _months(duration: float | None) -> str:
    return MISSING if duration is None else f"{duration:.0f}"
