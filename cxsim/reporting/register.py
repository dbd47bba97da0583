"""What the case rests on: assumptions and sources go in, the registers that a reader checks come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from cxsim.errors import TableError, choices
from cxsim.reporting.tables import (
    MANIFEST,
    Prose,
    Table,
    as_written,
    first_sentence,
    in_unit,
    laid_out,
    lowered,
    remark,
    span,
)
from cxsim.study.business.contracts import CHECKLIST, REGISTER
from cxsim.tables import ASSUMPTIONS, CAUTIONS, Contract, check
from cxsim.wording import MISSING, NBSP, counted, joined, number

SOURCES = Contract(
    name="SOURCES",
    columns={
        "authors": (pl.String,),
        "year": (pl.Int64,),
        "title": (pl.String,),
        "where": (pl.String,),
        "measured": (pl.String,),
        "grade": (pl.String,),
    },
)
STRATEGIES = Contract(
    name="STRATEGIES",
    columns={"title": (pl.String,), "description": (pl.String,), "harms": (pl.String,)},
)
_HEADS = {
    "value": "Value",
    "range": f"90{NBSP}% range",
    "unit": "Unit",
    "evidence": "Evidence",
    "source": "Source",
}


def assumptions_table(assumptions: pl.DataFrame, currency: str) -> Table:
    """List every number that somebody put in, with its range, its grade of evidence and its source.

    Parameters
    ----------
    assumptions
        Table under `ASSUMPTIONS`; `low` and `high` are the 5 % and the 95 % quantile of what is believed.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table
        One row per assumption, under the strategy or the economics that it belongs to.

    Raises
    ------
    TableError
        For a table that is not under `ASSUMPTIONS`.
    """
    table = check(assumptions, ASSUMPTIONS)
    cells = pl.DataFrame(
        [_cells(row, currency) for row in table.rows(named=True)],
        schema=dict.fromkeys(["group", "line", *_HEADS], pl.String),
        orient="row",
    )
    bare = table.filter(pl.col("evidence") == "assumed").height
    title = f"{bare} of {table.height} numbers are assumed, without evidence from this shop or another"
    layout = laid_out(
        cells,
        title=title,
        subtitle="Value: the middle of what is believed; range: nine chances in ten",
        heads=_HEADS,
        text=("unit", "source"),
        badges=("evidence",),
        notes=("Evidence: measured in this shop, published elsewhere, or assumed, which needs a test first.",),
    )
    return Table(id="assumptions", title=title, layout=layout, twin=table)


def strategies_table(strategies: pl.DataFrame) -> Table:
    """List what customers would see of each strategy, and what can go wrong with it.

    Parameters
    ----------
    strategies
        `title`, `description` and `harms` as text; no harms are an empty text.

    Returns
    -------
    Table
        One row per strategy.

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = check(strategies, STRATEGIES)
    title = "What each strategy is, and what can go wrong with it"
    harms = pl.when(pl.col("harms") == "").then(pl.lit(MISSING)).otherwise(pl.col("harms"))
    layout = laid_out(
        table.select(line="title", description="description", harms=harms),
        title=title,
        subtitle="Partly in the numbers already: the assumptions below say how far",
        heads={"description": "What customers see", "harms": "What can go wrong"},
        text=("description", "harms"),
    )
    return Table(id="strategies", title=title, layout=layout, twin=table)


def sources_table(sources: pl.DataFrame) -> Table | Prose:
    """List the sources that the assumptions name, with what was measured there and how good the evidence is.

    Parameters
    ----------
    sources
        `authors`, `title`, `where`, `measured` and `grade` (A to E) as text, and the `year`.

    Returns
    -------
    Table or Prose
        One row per source; one sentence where there is none.

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = check(sources, SOURCES)
    if table.is_empty():
        return remark("No number here is taken from a publication, so there is no source to name.")
    stand = "source stands" if table.height == 1 else "sources stand"
    title = f"{counted(table.height).capitalize()} {stand} behind the published numbers"
    layout = laid_out(
        table.select(
            pl.format("{} ({})", "authors", "year").alias("line"),
            pl.format("{} – {}", "title", "where").alias("where"),
            "measured",
            "grade",
        ),
        title=title,
        subtitle="What the assumptions rest on",
        heads={"where": "Where", "measured": "What was measured", "grade": "Grade"},
        text=("where", "measured", "grade"),
        notes=(
            (
                "Grades: A, several experiments or a meta-analysis; B, one strong experiment or natural experiment; "
                "C, observations with controls; D, survey or vendor; E, none found."
            ),
        ),
    )
    return Table(id="sources", title=title, layout=layout, twin=table)


def _cells(row: Mapping[str, Any], currency: str) -> list[str]:
    low, value, high = (as_written(row[name], row["unit"], currency=currency) for name in ("low", "value", "high"))
    return [
        row["belongs_to"],
        row["description"],
        value,
        "fixed" if row["low"] == row["high"] else f"{low} to {high}",
        row["unit"].replace("unit of money", currency).replace("money", currency),
        row["evidence"],
        row["source"] or MISSING,
    ]


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class AuditTrail:
    """What is needed to make a study again, for a report to show.

    Attributes
    ----------
    manifest
        Plain values and nested mappings of them.
    """

    manifest: Mapping[str, object]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:  # noqa: ARG002
        return {MANIFEST: dict(self.manifest), "text/plain": repr(self)}

    def __repr__(self) -> str:
        name = self.manifest.get("scenario", self.manifest.get("valuation", "unnamed"))
        return f"<audit trail: {name}>"


def audit_trail(manifest: Mapping[str, object]) -> AuditTrail:
    """Return the manifest of a study as an output of a notebook.

    Parameters
    ----------
    manifest
        Plain values and nested mappings of them.

    Examples
    --------
    >>> audit_trail({"scenario": "cdnow-quick", "seed": 7})
    <audit trail: cdnow-quick>
    """
    return AuditTrail(manifest=manifest)


# So many numbers are named in the title.
_NAMED = 3
# Keeps the name of a distribution in one line.
_HYPHEN = "\N{NON-BREAKING HYPHEN}"
_NOTES = (
    (
        "Evidence: measured in this shop, published elsewhere, or assumed, which needs a test first. Grades: A, "
        "several experiments or a meta-analysis; B, one strong experiment or natural experiment; C, observations "
        "with controls; D, survey or vendor; E, no source for this size. A fixed number is a choice, such as a fee, "
        "and has no grade."
    ),
    (
        "Spread: two half normals on the scale of a logarithm (log-normal, for what is multiplied), of a logit "
        "(logit-normal, for shares) or as it is (normal). They meet at the value, the median; one chance in "
        "twenty lies beyond each end of the range."
    ),
    (
        "Place: by how far the number alone moves the net present value of the strategy that it moves most, "
        "from the low to the high end of its 80 % interval, and by how much. A dash: not moved, because it is fixed, "
        "is only searched, or went along least with the result over the draws."
    ),
)


def register_table(register: pl.DataFrame, currency: str) -> Table:
    """List every number that somebody put in, with its spread, evidence, source and weight.

    Parameters
    ----------
    register
        Table under `REGISTER`.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table
        One row per number, under what it belongs to, whose head says who answers for it; the title says how many are
        assumed and which matter most.

    Raises
    ------
    TableError
        For a table that is not under `REGISTER`.
    """
    table = check(register, REGISTER)
    heads = {
        "value": f"Value (90{NBSP}% range)",
        "spread": "Spread",
        "evidence": "Evidence",
        "source": "Source",
        "weight": f"Place: swing, {currency}",
    }
    title = _finding(table)
    layout = laid_out(
        pl.DataFrame(
            [_case_register_cells(row, currency) for row in table.rows(named=True)],
            schema=dict.fromkeys(["group", "line", *heads], pl.String),
            orient="row",
        ),
        title=title,
        subtitle="Value: the middle of what is believed; range: nine chances in ten",
        heads=heads,
        text=("value", "spread", "source"),
        badges=("evidence",),
        notes=_NOTES,
    )
    return Table(id="register", title=title, layout=layout, twin=table)


def _case_register_cells(row: Mapping[str, Any], currency: str) -> list[str]:
    return [
        _head(row),
        row["description"],
        _value(row, currency),
        row["distribution"].replace("-", _HYPHEN),
        row["evidence"],
        _source(row),
        MISSING if row["rank"] is None else f"{row['rank']}: {number(row['swing'])}",
    ]


def _value(row: Mapping[str, Any], currency: str) -> str:
    """Return the value with its range; a unit that is no part of the number is told behind the range."""
    low, high, unit = row["low"], row["high"], row["unit"]
    value = in_unit(row["value"], unit, currency)
    with_prior = value if low == high else f"{value} ({span(low, high, unit, currency=currency).replace(' ', NBSP)})"
    return (
        f"{with_prior}, {unit}"
        if value == as_written(row["value"], unit, currency=currency) and not unit.startswith("share")
        else with_prior
    )


def _source(row: Mapping[str, Any]) -> str:
    if row["grade"] is None:
        return row["source"] or MISSING
    grade = f"; grade {row['grade']}"
    return f"{(row['source'] or 'none').removesuffix(grade)}{grade}"


def _head(row: Mapping[str, Any]) -> str:
    """Return what a number belongs to, its file, and who answers for it since when."""
    file = "/".join(row["id"].split("/")[:2])
    owner = "nobody named" if row["owner"] is None else row["owner"]
    reviewed = "never reviewed" if row["reviewed_on"] is None else f"reviewed {row['reviewed_on'].isoformat()}"
    return f"{row['belongs_to']} · {file} · answers for it: {owner} · {reviewed}"


def _finding(table: pl.DataFrame) -> str:
    bare = table.filter(pl.col("evidence") == "assumed")
    fixed = bare.filter(pl.col("low") == pl.col("high")).height
    chosen = f", {fixed} of them by choice" if fixed else ""
    opening = f"{bare.height} of {table.height} numbers are assumed{chosen}"
    ranked = table.filter(pl.col("rank").is_not_null()).sort("rank").head(_NAMED)
    if ranked.is_empty():
        return f"{opening}, without evidence from this shop or another"
    named = "; ".join(lowered(first_sentence(description)) for description in ranked["description"])
    these = "this one moves" if ranked.height == 1 else f"these {counted(ranked.height)} move"
    return f"{opening}; {these} the result most: {named}"


def cautions_table(cautions: pl.DataFrame) -> Table | Prose:
    """List what to know before believing the results of a strategy.

    Parameters
    ----------
    cautions
        Table under `CAUTIONS`.

    Returns
    -------
    Table or Prose
        One row per caution, with the strategies that it is about; one sentence where there is none.

    Raises
    ------
    TableError
        For a table that is not under `CAUTIONS`.
    """
    table = check(cautions, CAUTIONS)
    if table.is_empty():
        return remark(
            "No strategy here needs a caution of its own.",
        )
    number = table["strategy"].n_unique()
    title = f"{counted(number).capitalize()} {'strategy needs' if number == 1 else 'strategies need'} a word of caution"
    together = table.group_by("caution", maintain_order=True).agg("title")
    layout = laid_out(
        together.select(
            line=pl.Series([joined(titles) for titles in together["title"]], dtype=pl.String),
            caution=pl.col("caution").str.replace_all("`", ""),
        ),
        title=title,
        subtitle="What to know before believing the results",
        heads={"caution": "Caution"},
        text=("caution",),
    )
    return Table(id="cautions", title=title, layout=layout, twin=table)


_STATES = ("yes", "partly", "no")


def checklist_table(checklist: pl.DataFrame) -> Table:
    """List what a reader of an economic evaluation should find, whether it is here, and in which section.

    Parameters
    ----------
    checklist
        Table under `CHECKLIST`.

    Returns
    -------
    Table
        One row per item; the title counts what is there.

    Raises
    ------
    TableError
        For a table that is not under `CHECKLIST`, or holds another state than yes, partly and no.
    """
    table = check(checklist, CHECKLIST)
    for state in table["state"].unique().sort():
        if state not in _STATES:
            raise TableError(f"CHECKLIST: no state '{state}'; {choices(state, _STATES)}")
    title = _checklist_finding(table)
    layout = laid_out(
        table.select(
            pl.col("topic").alias("group"),
            pl.format("{}. {}", "number", "item").alias("line"),
            "state",
            "answer",
            "where",
        ),
        title=title,
        subtitle="After a reporting standard for economic evaluations of health, put in words of a shop",
        heads={"state": "Here", "answer": "In this report", "where": "Section"},
        text=("answer", "where"),
        badges=("state",),
        notes=(
            (
                "Items after Husereau et al. (2022), Consolidated Health Economic Evaluation Reporting Standards "
                "2022, BMJ 376, e067975. Partly: something of it is here, and the answer says what is missing."
            ),
        ),
    )
    return Table(id="checklist", title=title, layout=layout, twin=table)


def _checklist_finding(table: pl.DataFrame) -> str:
    counts = {state: table.filter(pl.col("state") == state).height for state in _STATES}
    words = {"yes": "here", "partly": "partly here", "no": "missing"}
    alt_text = [f"{counted(count)} {_are(count)} {words[state]}" for state, count in counts.items() if count]
    return f"Of {table.height} items that an economic evaluation should report, {joined(alt_text)}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
