"""How large effects must be that nobody has measured: tables under BREAK_EVEN in; sentences and a table out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import polars as pl

from cxsim.errors import TableError
from cxsim.exhibits.cards import Card, Tone, in_cards
from cxsim.exhibits.showing import Prose, Table, laid_out, remark
from cxsim.number_style import retold, turned, written_as
from cxsim.tables import BREAK_EVEN, check
from cxsim.wording import NBSP, counted, joined, money, number, searched, sized

Verdict = Literal["from a size on", "nowhere", "everywhere"]
_TOLD = 3
_UNMEASURED = "Nobody has measured this effect; only a test can say how large it is."
_LOOKS: Mapping[Verdict, tuple[Tone, str]] = {
    "from a size on": ("pilot", "Test first"),
    "nowhere": ("reject", "Does not pay"),
    "everywhere": ("fund", "Pays at every size"),
}


def must_be_true(break_even: pl.DataFrame, currency: str) -> Prose:
    """Say in words what must be true for each strategy to pay.

    Parameters
    ----------
    break_even
        Table under `BREAK_EVEN`, with at least one row.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Prose
        A lead sentence, one paragraph with a badge per strategy, and one line on how to read them.

    Raises
    ------
    TableError
        For a table that is not under `BREAK_EVEN`, or is empty.
    """
    rows = check(break_even, BREAK_EVEN).rows(named=True)
    if not rows:
        raise TableError("BREAK_EVEN: no strategy; a search needs at least one row.")
    cards = [Card(*_LOOKS[_verdict(row)], row["title"], _sentences(row, currency)) for row in rows]
    lead = f"{_pays(rows[0])}. Nobody has measured whether it is." if len(rows) == 1 else f"{_finding(break_even)}."
    return in_cards(lead, cards, _aid(rows[0]["draws"], currency))


def break_even_table(break_even: pl.DataFrame, currency: str) -> Table | Prose:
    """List what must be true for strategies to pay whose effect nobody has measured.

    Parameters
    ----------
    break_even
        Table under `BREAK_EVEN`.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table or Prose
        One row per strategy; one sentence where no effect was searched.

    Raises
    ------
    TableError
        For a table that is not under `BREAK_EVEN`.
    """
    table = check(break_even, BREAK_EVEN)
    if table.is_empty():
        return remark(
            "No effect was only searched here: each is believed within a range, which the assumptions below name."
        )
    heads = {
        "pays": "Pays at",
        "effect": "What is searched",
        "unit": "Unit",
        "range": "Searched between",
        "low": f"NPV at the first, {currency}",
        "high": f"NPV at the second, {currency}",
    }
    title = _finding(table)
    layout = laid_out(
        pl.DataFrame(
            [_cells(row, currency) for row in table.rows(named=True)],
            schema=dict.fromkeys(["line", *heads], pl.String),
            orient="row",
        ),
        title=title,
        subtitle="Nobody has measured these effects: this is what must be true, not what is believed",
        heads=heads,
        text=("effect", "unit", "pays"),
        notes=(
            f"NPV: net present value over doing nothing, in today's {currency}; mean over all else that is uncertain.",
            retold(
                "A ratio compares with doing nothing: 1 is no effect, 0.9 is ten per cent less, 1.1 ten per cent more."
            ),
        ),
    )
    return Table(id="break-even", title=title, layout=layout, twin=table)


def _cells(row: Mapping[str, Any], currency: str) -> list[str]:
    low, high = (_bare(row, row[name]) for name in ("searched_low", "searched_high"))
    return [
        row["title"],
        _answer(row),
        searched(row["description"]),
        row["unit"].replace("money", currency),
        f"{low} and {high}",
        number(row["npv_low"]),
        number(row["npv_high"]),
    ]


def _answer(row: Mapping[str, Any]) -> str:
    match _verdict(row):
        case "from a size on":
            size = f"{_bare(row, row['break_even'])} {_side(row)}"
            return f"{size}: {_how_large(row)}" if row["unit"] == "ratio" else size
        case "nowhere":
            return "neither end"
        case "everywhere":
            return "both ends"


def _sentences(row: Mapping[str, Any], currency: str) -> str:
    low, high = (_bare(row, row[name]) for name in ("searched_low", "searched_high"))
    ends = (
        f"At {low} it brings {money(row['npv_low'], currency)}, at {high} {money(row['npv_high'], currency)}, on "
        "average over all else that is uncertain."
    )
    what = f"{searched(row['description'])} ({row['unit']}, {low} to {high})"
    return f"Searched: {what}. Pays at {_answer(row)}. {ends} {_UNMEASURED}"


def _pays(row: Mapping[str, Any]) -> str:
    low, high = (_bare(row, row[name]) for name in ("searched_low", "searched_high"))
    match _verdict(row):
        case "from a size on":
            return f"{row['title']} pays if this is {_how_large(row)}: {_lowered(searched(row['description']))}"
        case "nowhere":
            return f"{row['title']} pays at neither end of what was searched, {low} to {high}"
        case "everywhere":
            return f"{row['title']} pays at both ends of what was searched, {low} to {high}"


@written_as("en")
def _finding(table: pl.DataFrame) -> str:
    rows = table.rows(named=True)
    if len(rows) == 1:
        return _pays(rows[0])
    groups: dict[Verdict, list[str]] = {}
    for row in rows:
        groups.setdefault(_verdict(row), []).append(row["title"])
    words: Mapping[Verdict, str] = {
        "from a size on": "pays if the effect is large enough",
        "everywhere": "pays at both ends of what was searched",
        "nowhere": "pays at neither end of what was searched",
    }
    told = [
        f"{_named(groups[verdict])} {_plural(verb, groups[verdict])}"
        for verdict, verb in words.items()
        if verdict in groups
    ]
    return "; ".join(told)


def _named(titles: list[str]) -> str:
    return joined(titles) if len(titles) <= _TOLD else f"{counted(len(titles)).capitalize()} strategies"


def _plural(verb: str, titles: list[str]) -> str:
    return verb if len(titles) == 1 else verb.replace("pays", "pay", 1)


def _verdict(row: Mapping[str, Any]) -> Verdict:
    if row["break_even"] is not None:
        return "from a size on"
    return "everywhere" if row["npv_low"] > 0.0 else "nowhere"


def _side(row: Mapping[str, Any]) -> str:
    return "or more" if row["npv_high"] > row["npv_low"] else "or less"


def _bare(row: Mapping[str, Any], size: float) -> str:
    return sized(size, row["unit"], row["searched_high"] - row["searched_low"])


def _unit(row: Mapping[str, Any]) -> str:
    plain = row["unit"] in {"ratio", "exponent"} or row["unit"].startswith("share")
    return "" if plain else f"{NBSP}{row['unit']}"


def _how_large(row: Mapping[str, Any]) -> str:
    """Return from which size on it pays; a ratio as a difference in per cent, as readers think of it."""
    change = 100.0 * (row["break_even"] - 1.0)
    if row["unit"] != "ratio":
        return f"{_bare(row, row['break_even'])}{_unit(row)} {_side(row)}"
    size = turned(f"{abs(change):.0f}" if abs(change) >= 10.0 else f"{abs(change):.1f}")
    better = (change > 0.0) == (_side(row) == "or more")
    return f"{'at least' if better else 'at most'} {size}{NBSP}% {'higher' if change > 0.0 else 'lower'}"


def _lowered(words: str) -> str:
    return words[:1].lower() + words[1:]


def _aid(draws: int, currency: str) -> str:
    return (
        "How to read this: the strategy is compared with doing nothing, for the same customers and under the same "
        f"luck, in {turned(f'{draws:,}')} draws of all else that is uncertain under each model of leaving; only the "
        f"searched number is set by hand. Amounts are in today's {currency}."
    )
