"""What each cohort of customers brings: a table under COHORT_MONEY in, one row per cohort out."""

from __future__ import annotations

import polars as pl

from cxsim.business_tables import COHORT_MONEY
from cxsim.exhibits.ladder import RESULT, grouped
from cxsim.exhibits.periods import amounts_as_text
from cxsim.exhibits.showing import Table, laid_out
from cxsim.tables import check
from cxsim.wording import INTERVAL, MISSING, joined, number

_NAMES = {
    "existing": "Existing customers",
    "referred": "Referred by other customers",
    "shared": "Costs that belong to no cohort",
}
_ALL = "All together"
_SIDES = {"baseline": "Without", "treated": "With", "incremental": "Difference"}
_HEADS = {
    "customers": "Customers",
    **_SIDES,
    "interval": f"Its {INTERVAL}",
    "each": "Difference per customer",
}


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
        One row per strategy and cohort, and their sum: customers, cash without the strategy and with it, and the
        difference with its interval. The twin holds every account.

    Raises
    ------
    TableError
        For a table that is not under `COHORT_MONEY`.
    """
    rows = grouped(check(cohort_money, COHORT_MONEY))
    cash = rows.filter(pl.col("line") == RESULT)
    title = _finding(cash)
    layout = laid_out(
        _cells(cash),
        title=title,
        subtitle=f"Cash contribution in {currency}, not discounted, over the whole horizon; means over all draws",
        heads=_HEADS,
        notes=(
            "Cash contribution: revenue less all costs, those of the programme too. Costs are negative.",
            "Cohort: customers who enter together, the existing ones or the new ones of some months.",
            f"Customers: as many as there are without the strategy; {MISSING} where a cohort has none.",
            f"All together: the sum of the rows above. {MISSING}: the interval of a sum is not the sum of intervals.",
        ),
    ).tab_spanner("Cash contribution", columns=list(_SIDES))
    return Table(id="cohort-money", title=title, layout=layout, twin=rows.drop("group"))


def _cells(cash: pl.DataFrame) -> pl.DataFrame:
    """Return one row of text per strategy and cohort, and the sum over cohorts below them."""
    written = amounts_as_text(cash, list(_SIDES))
    names = ["group", "line", *_HEADS]
    told = []
    for part in cash.partition_by("strategy", maintain_order=True):
        group, people = str(part["group"][0]), float(part["customers"].sum())
        for row in part.rows(named=True):
            sides = (written(row[side]) for side in _SIDES)
            span = f"{written(row['low'])} to {written(row['high'])}"
            each = _each(row["incremental"], row["customers"])
            told.append([group, _name(row["cohort"]), _people(row["customers"]), *sides, span, each])
        sums = {side: float(part[side].sum()) for side in _SIDES}
        each = _each(sums["incremental"], people)
        told.append([group, _ALL, _people(people), *(written(amount) for amount in sums.values()), MISSING, each])
    return pl.DataFrame(told, schema=dict.fromkeys(names, pl.String), orient="row")


def _people(count: float) -> str:
    return f"{count:,.0f}" if count > 0.0 else MISSING


def _each(gain: float, people: float) -> str:
    return number(gain / people) if people > 0.0 else MISSING


def _name(cohort: str) -> str:
    return _NAMES.get(cohort, f"New in {cohort}")


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
