"""What the shop owes its customers: a table under LIABILITIES in, its roll-forward by year in both views out."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
from great_tables import loc, style

from cxsim.business_tables import LIABILITIES
from cxsim.exhibits.ladder import written
from cxsim.exhibits.showing import Prose, Table, laid_out, remark
from cxsim.number_style import written_as
from cxsim.tables import WHOLE_HORIZON, check
from cxsim.wording import joined, money

# Line, column, sign and whether it is a balance or a result, in bold.
_LINES: dict[str, tuple[tuple[str, str, float, bool], ...]] = {
    "points": (
        ("points at full worth, at the beginning", "opening", 1.0, False),
        ("given", "issued", 1.0, False),
        ("redeemed", "redeemed", -1.0, False),
        ("lapsed", "expired", -1.0, False),
        ("points at full worth, at the end", "closing", 1.0, True),
        ("number of points held at the end", "points_outstanding", 1.0, False),
        ("contract liability, at the beginning", "contract_opening", 1.0, False),
        ("deferred of what members pay", "contract_deferred", 1.0, False),
        ("recognised as revenue", "contract_recognised", -1.0, False),
        ("contract liability, at the end", "contract_closing", 1.0, True),
        ("paid by members for orders, less refunds: cash view", "cash_revenue", 1.0, False),
        ("their revenue: accrual view", "accrual_revenue", 1.0, True),
    ),
    "fees": (
        ("contract liability, at the beginning", "contract_opening", 1.0, False),
        ("fees received", "contract_deferred", 1.0, False),
        ("earned as time passes", "contract_recognised", -1.0, False),
        ("contract liability, at the end", "contract_closing", 1.0, True),
        ("fees received: cash view", "cash_revenue", 1.0, False),
        ("revenue from fees: accrual view", "accrual_revenue", 1.0, True),
    ),
}
# So many strategies are named in a title.
_TOLD = 3
_KINDS = {"points": "points", "fees": "fees paid in advance"}


def liabilities_table(liabilities: pl.DataFrame, currency: str) -> Table | Prose:
    """Lay out what the shop owes its customers in points and prepaid fees, rolled forward, and revenue in both views.

    Parameters
    ----------
    liabilities
        Table under `LIABILITIES`; strategies and periods in the order in which they are shown.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table or Prose
        One group of lines per strategy and kind, one column per year and one for the whole horizon. The title says
        what is owed at the end. One sentence where no strategy gives points or takes a fee.

    Raises
    ------
    TableError
        For a table that is not under `LIABILITIES`.
    """
    table = check(liabilities, LIABILITIES)
    if table.is_empty():
        return remark(
            "No strategy here gives points or takes a fee in advance: it leaves the shop no debt to its customers, and "
            "revenue is the same by the cash view and by the accrual view."
        )
    periods = table["period"].unique(maintain_order=True).to_list()
    rows = pl.DataFrame(list(_rows(table)))
    title = _finding(table, currency)
    but = ", but for the number of points" if table["kind"].is_in(["points"]).any() else ""
    layout = laid_out(
        written(rows, periods),
        title=title,
        subtitle=f"{currency}{but}, not discounted; means over all draws",
        heads={period: period for period in periods},
        notes=_notes(set(table["kind"])),
    )
    places = rows.with_row_index("place").filter("bold")["place"].to_list()
    layout = layout.tab_style(style=style.text(weight="bold"), locations=[loc.body(rows=places), loc.stub(rows=places)])
    return Table(id="liabilities", title=title, layout=layout, twin=table)


def _rows(table: pl.DataFrame) -> Iterator[dict[str, object]]:
    """Yield one row per strategy, kind and line, with one column per period."""
    for (_, kind), part in table.group_by("strategy", "kind", maintain_order=True):
        group = f"{part['title'][0]}: {_KINDS[str(kind)]}"
        for line, column, sign, bold in _LINES[str(kind)]:
            amounts = {period: sign * amount for period, amount in part.select("period", column).rows()}
            yield {"group": group, "line": line, "bold": bold, **amounts}


@written_as("en")
def _finding(table: pl.DataFrame, currency: str) -> str:
    owed = (
        table.filter(pl.col("period") == WHOLE_HORIZON)
        .group_by("strategy", "title", maintain_order=True)
        .agg(pl.col("contract_closing", "closing").sum())
        .rows(named=True)
    )
    told = [f"{money(one['contract_closing'], currency)} with {one['title']}" for one in owed]
    if len(told) > _TOLD:
        most = max(range(len(owed)), key=lambda place: float(owed[place]["contract_closing"]))
        return f"At the end the shop owes its customers most, by IFRS 15, {told[most]}"
    full = owed[0]["closing"] if len(told) == 1 and table["kind"].is_in(["points"]).any() else None
    at_most = "" if full is None else f"; {money(full, currency)} if every point were redeemed"
    return f"At the end the shop owes its customers, by IFRS 15, {joined(told)}{at_most}"


def _notes(kinds: set[str]) -> list[str]:
    """Return what to know of the kinds of debt that there are, and of both views."""
    by_kind = {"points": _OF_POINTS, "fees": _OF_FEES}
    told = [note for kind, notes in by_kind.items() if kind in kinds for note in notes]
    return [_OF_ALL, *told, _OF_VIEWS]


_OF_ALL = (
    "Contract liability: what customers have paid already for something still to come, by IFRS 15 (in the United "
    "States ASC 606). It is a debt in goods and services, not in money."
)
_OF_POINTS = (
    (
        "Points at full worth: what all of them would take off orders. The cash statement settles this whole amount at "
        "the end of the horizon, with each customer's balance rounded up to a cent."
    ),
    (
        "Breakage: points that are never redeemed, because they lapse. The contract liability leaves it out: the share "
        "that is ever redeemed is what was redeemed of all that was redeemed or lapsed within the horizon, and at the "
        "end of each year it is applied to the points still held."
    ),
    (
        "Deferred: of each payment the part that goes to points when it is shared between goods and points by what "
        "each would cost by itself. It becomes revenue as points are redeemed."
    ),
)
_OF_FEES = ("Fees become revenue evenly over the period for which they are paid.",)
_OF_VIEWS = (
    "Both views end in the same money and differ in its timing alone; net present value rests on cash. Each amount is "
    "rounded by itself."
)
