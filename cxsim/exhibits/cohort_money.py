"""What each cohort of customers brings: a table under COHORT_MONEY in, one row per cohort out."""

from __future__ import annotations

import re
from collections.abc import Callable

import polars as pl

from cxsim.business_tables import COHORT_MONEY
from cxsim.exhibits.ladder import RESULT, grouped
from cxsim.exhibits.periods import amounts_as_text
from cxsim.exhibits.showing import Table, laid_out
from cxsim.number_style import turned
from cxsim.tables import check
from cxsim.wording import INTERVAL, MISSING, NBSP, joined, precision

_NAMES = {
    "existing": "Existing customers",
    "referred": "Referred by other customers",
    "shared": "Costs that belong to no cohort",
}
_ALL = "All together"
_MONTH = re.compile(r"(\d{4})-(\d{2})")
# Not strftime: its names of the months follow the machine's locale.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SIDES = {"baseline": "Without", "treated": "With", "incremental": "Difference"}
# A cohort in which all of these are zero, as customers who are referred where nobody is, is not shown.
_AMOUNTS = ("customers", *_SIDES, "low", "high")
_HEADS = {"customers": "Customers", **_SIDES, "interval": f"Its {INTERVAL}", "each": "Difference per customer"}


def cohort_table(cohort_money: pl.DataFrame, currency: str) -> Table:
    """Lay out what each strategy changes for each cohort of customers, over the whole horizon.

    Parameters
    ----------
    cohort_money
        Table under `COHORT_MONEY`; strategies and cohorts in the order in which they are shown.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table
        One row per strategy and cohort that has customers or cash, and their sum: customers, cash without the strategy
        and with it, and the difference with its interval. The twin holds every account of every cohort.

    Raises
    ------
    TableError
        For a table that is not under `COHORT_MONEY`.
    """
    rows = grouped(check(cohort_money, COHORT_MONEY))
    cash = rows.filter(pl.col("line") == RESULT).filter(pl.any_horizontal(pl.col(_AMOUNTS) != 0.0))
    title = _finding(cash)
    layout = laid_out(
        _cells(cash),
        title=title,
        subtitle=f"Cash contribution in {currency}, not discounted, over the whole horizon; means over all draws",
        heads=_HEADS,
        notes=(
            "Cash contribution: revenue less all costs, those of the programme too. Costs are negative.",
            (
                "Cohort: customers who enter together, the existing ones or the new ones of some months. Customers: as "
                "many as there are without the strategy."
            ),
            (
                f"{MISSING}: none. All together has no interval here, for that of a sum is not the sum of intervals; "
                "the statement by year has it."
            ),
        ),
    ).tab_spanner("Cash contribution", columns=list(_SIDES))
    return Table(id="cohort-money", title=title, layout=layout, twin=rows.drop("group"))


def _cells(cash: pl.DataFrame) -> pl.DataFrame:
    """Return one row of text per strategy and cohort, and the sum over cohorts below them."""
    written = amounts_as_text(cash, list(_SIDES))
    each = _each(cash)
    names = ["group", "line", *_HEADS]
    told = []
    for part in cash.partition_by("strategy", maintain_order=True):
        group, people = str(part["group"][0]), float(part["customers"].sum())
        for row in part.rows(named=True):
            sides = (written(row[side]) for side in _SIDES)
            span = f"{written(row['low'])} to {written(row['high'])}"
            share = each(row["incremental"], row["customers"])
            told.append([group, _name(row["cohort"]), _people(row["customers"]), *sides, span, share])
        sums = {side: float(part[side].sum()) for side in _SIDES}
        share = each(sums["incremental"], people)
        told.append([group, _ALL, _people(people), *(written(amount) for amount in sums.values()), MISSING, share])
    return pl.DataFrame(told, schema=dict.fromkeys(names, pl.String), orient="row")


def _people(count: float) -> str:
    return turned(f"{count:,.0f}") if count > 0.0 else MISSING


def _each(cash: pl.DataFrame) -> Callable[[float, float], str]:
    """Return how a gain is written per customer, with the same decimals everywhere."""
    found = cash.filter(pl.col("customers") > 0.0).select(pl.col("incremental") / pl.col("customers"))
    together = precision(found.to_series().to_list() or [0.0])
    return lambda gain, people: together.text(gain / people) if people > 0.0 else MISSING


def _name(cohort: str) -> str:
    return _NAMES.get(cohort) or f"New in {_in_words(cohort)}"


def _in_words(months: str) -> str:
    """Return a month, or the first and the last of some, as `Jul to Sep 1998`, which breaks nowhere."""
    found = [(year, _MONTHS[int(month) - 1]) for year, month in _MONTH.findall(months)]
    if not found:
        return months
    *before, (last, end) = found
    starts = [begin if year == last else f"{begin} {year}" for year, begin in before]
    return " to ".join([*starts, f"{end} {last}"]).replace(" ", NBSP)


def _kind(cohort: str) -> str:
    return {"existing": "existing customers", "referred": "referred customers"}.get(cohort, "new customers")


def _finding(cash: pl.DataFrame) -> str:
    """Return whose cash each strategy changes for the better most, strategies with the same answer together."""
    told: dict[str, list[str]] = {}
    for part in cash.filter(pl.col("cohort") != "shared").partition_by("strategy", maintain_order=True):
        sums: dict[str, float] = {}
        for cohort, gain in part.select("cohort", "incremental").iter_rows():
            sums[_kind(cohort)] = sums.get(_kind(cohort), 0.0) + gain
        best = max(sums, key=lambda kind: sums[kind])
        told.setdefault(best if sums[best] > 0.0 else "", []).append(str(part["group"][0]))
    parts = [f"{kind} bring most for {joined(names)}" for kind, names in told.items() if kind]
    if "" in told:
        parts.append(f"no cohort brings more with {joined(told[''])}")
    finding = "; ".join(parts)
    return f"{finding[0].upper()}{finding[1:]}"
