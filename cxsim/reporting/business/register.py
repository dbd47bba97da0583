"""What the case rests on: assumptions and sources go in, the registers that a reader checks come out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from cxsim.errors import TableError, choices
from cxsim.reporting.tables import (
    MANIFEST,
    Column,
    Prose,
    Row,
    Table,
    TableSpec,
    as_written,
    in_unit,
    span,
    unit_in_words,
)
from cxsim.study.business.checklist import CHECKLIST, REGISTER
from cxsim.tables import ASSUMPTIONS, CAUTIONS, COUNT, TEXT, Contract, check
from cxsim.wording import MISSING, NBSP, counted, first_sentence, in_terminal, joined, lowered, number

SOURCES = Contract("SOURCES", TEXT("authors"), COUNT("year"), TEXT("title", "where", "measured", "grade"))
STRATEGIES = Contract("STRATEGIES", TEXT("title", "description", "harms"))
# So many numbers are named in the title.
_NAMED = 3
_STATES = {"yes": "reported", "partly": "partly reported", "no": "missing"}
# What follows the year of a source, and the grades behind it.
_REFERENCE, _GRADE = re.compile(r"(?<=\(\d{4}\)), .*"), re.compile(r"; grade [A-E]\b")
_VALUES = f"Value: median; range: contains the true value with 90{NBSP}% probability"


def assumptions_table(assumptions: pl.DataFrame, currency: str) -> Table:
    """List every number that somebody put in, with its range, its grade of evidence and its source.

    Parameters
    ----------
    assumptions
        Table under `ASSUMPTIONS`; `low` and `high` are the 5 % and the 95 % quantile.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table
        One row per assumption, under the strategy or the economics that it belongs to.
    """
    return _ASSUMPTIONS.render(assumptions, currency)


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
    """
    return _STRATEGIES.render(strategies)


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
    """
    return _SOURCES.render_or_remark(sources)


def register_table(register: pl.DataFrame, currency: str) -> Table:
    """List every number that somebody put in, with its range, evidence, source and weight.

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
    """
    return _REGISTER.render(register, currency)


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
    """
    return _CAUTIONS.render_or_remark(cautions)


def checklist_table(checklist: pl.DataFrame) -> Table:
    """List what a reader of an economic evaluation should find, whether it is here, and in which section.

    Parameters
    ----------
    checklist
        Table under `CHECKLIST`.

    Returns
    -------
    Table
        One row per item; the title counts what is there. The twin has the answers.

    Raises
    ------
    TableError
        For a table that is not under `CHECKLIST`, or holds another state than yes, partly and no.
    """
    for state in check(checklist, CHECKLIST)["state"].unique().sort():
        if state not in _STATES:
            raise TableError(f"CHECKLIST: no state '{state}'; {choices(state, _STATES)}")
    return _CHECKLIST.render(checklist)


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class AuditTrail:
    """What is needed to make a study again: plain values and nested mappings of them, for a report to show."""

    manifest: Mapping[str, object]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:  # noqa: ARG002
        return {MANIFEST: dict(self.manifest), "text/plain": repr(self)}

    def __repr__(self) -> str:
        name = self.manifest.get("scenario", self.manifest.get("valuation", "unnamed"))
        return in_terminal(f"<audit trail: {name}>")


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


def _number(row: Row, name: str) -> str:
    return as_written(row[name], row["unit"], currency=row["currency"])


def _range(row: Row) -> str:
    return "fixed" if row["low"] == row["high"] else f"{_number(row, 'low')} to {_number(row, 'high')}"


_ASSUMPTIONS = TableSpec(
    id="assumptions",
    contract=ASSUMPTIONS,
    title=lambda table: (
        f"{table.filter(evidence='assumed').height} of {table.height} inputs are assumed, without evidence from this "
        "shop or another"
    ),
    subtitle=_VALUES,
    group="belongs_to",
    line="description",
    columns={
        "value": Column("Value", lambda row: _number(row, "value")),
        "range": Column(f"90{NBSP}% range", _range),
        "unit": Column(
            "Unit",
            lambda row: unit_in_words(row["unit"], row["currency"]),
            align="text",
        ),
        "evidence": Column("Evidence", align="badge"),
        "source": Column("Source", lambda row: row["source"] or None, align="text"),
    },
    notes=("Evidence: measured in this shop, published elsewhere or assumed.",),
)

_STRATEGIES = TableSpec(
    id="strategies",
    contract=STRATEGIES,
    title="Programmes and their risks",
    subtitle="The register of inputs shows which risks the figures already include",
    line="title",
    columns={
        "description": Column("What customers see", align="text"),
        "harms": Column("Risks", lambda row: row["harms"] or None, align="text"),
    },
)

_SOURCES = TableSpec(
    id="sources",
    contract=SOURCES,
    title=lambda table: (
        f"{counted(table.height).capitalize()} published source{'s' if table.height > 1 else ''} behind the inputs"
    ),
    subtitle="What each source measured",
    line=lambda row: f"{row['authors']} ({row['year']})",
    columns={
        "where": Column("Where", lambda row: f"{row['title']} – {row['where']}", align="text"),
        "measured": Column("What was measured", align="text"),
        "grade": Column("Grade", align="text"),
    },
    notes=(
        (
            "Grades: A, several experiments or a meta-analysis; B, one strong experiment or natural experiment; "
            "C, observations with controls; D, survey or vendor; E, no source for the value used."
        ),
    ),
    empty="No input comes from a publication.",
)


def _register_finding(table: pl.DataFrame) -> str:
    bare = table.filter(evidence="assumed")
    fixed = bare.filter(pl.col("low") == pl.col("high")).height
    chosen = f" ({fixed} by choice)" if fixed else ""
    opening = f"{bare.height} of {table.height} inputs are assumed{chosen}"
    ranked = table.filter(pl.col("rank").is_not_null()).sort("rank").head(_NAMED)
    if ranked.is_empty():
        return f"{opening}, without evidence from this shop or another"
    named = "; ".join(lowered(_meaning(description)) for description in ranked["description"])
    return f"{opening}; largest effect on NPV: {named}"


def _meaning(description: str) -> str:
    return first_sentence(description).partition("; ")[0]


def _head(row: Row) -> str:
    """Return what a number belongs to, its file, its owner and its last review."""
    file = "/".join(row["id"].split("/")[:2])
    owner = "not assigned" if row["owner"] is None else row["owner"]
    reviewed = "never reviewed" if row["reviewed_on"] is None else f"reviewed {row['reviewed_on'].isoformat()}"
    return f"{row['belongs_to']} · {file} · owner: {owner} · {reviewed}"


def _value(row: Row) -> str:
    """Return the value with its range; a unit that is no part of the number stands behind the range."""
    low, high, unit, currency = row["low"], row["high"], row["unit"], row["currency"]
    value = in_unit(row["value"], unit, currency)
    ends = "" if low == high else f" ({span(low, high, unit, currency=currency).replace(' ', NBSP)})"
    bare = value == _number(row, "value") and not unit.startswith("share")
    return f"{value}{ends}, {unit}" if bare else f"{value}{ends}"


def _source(row: Row) -> str | None:
    """Return authors and year of a source, which the table of sources has in full, and the grade of the evidence."""
    named = _REFERENCE.sub("", _GRADE.sub("", row["source"] or "no source"))
    return f"{named} ({row['grade']})" if row["grade"] else row["source"] or None


_REGISTER = TableSpec(
    id="register",
    contract=REGISTER,
    title=_register_finding,
    subtitle=_VALUES,
    group=_head,
    line=lambda row: _meaning(row["description"]),
    columns={
        "value": Column(f"Value (90{NBSP}% range)", _value, align="text"),
        "evidence": Column("Evidence", align="badge"),
        "source": Column("Source (grade)", _source, align="text"),
        "weight": Column(
            "Rank: swing, {currency}",
            lambda row: None if row["rank"] is None else f"{row['rank']}: {number(row['swing'])}",
        ),
    },
    notes=(
        "Evidence: measured in this shop, published elsewhere or assumed. A value without a range is a choice.",
        (
            "Swing: largest change in the base-case NPV of any programme when the input moves across its "
            f"80{NBSP}% interval; {MISSING}: not tested."
        ),
    ),
)


_CAUTIONS = TableSpec(
    id="cautions",
    contract=CAUTIONS,
    title=lambda table: f"What to consider with {joined(table['title'].unique(maintain_order=True).to_list())}",
    subtitle="To consider before using the results",
    rows=lambda table: table.group_by("caution", maintain_order=True).agg("title").rows(named=True),
    line=lambda row: joined(row["title"]),
    columns={"caution": Column("Caution", write=lambda text: text.replace("`", ""), align="text")},
    empty="No cautions beyond those above.",
    estimator="fit",
)


def _checklist_finding(table: pl.DataFrame) -> str:
    counts = {words: table.filter(state=state).height for state, words in _STATES.items()}
    parts = [f"{counted(count)} {'is' if count == 1 else 'are'} {words}" for words, count in counts.items() if count]
    return f"Of {table.height} items of the reporting standard, {joined(parts)}"


_CHECKLIST = TableSpec(
    id="checklist",
    contract=CHECKLIST,
    title=_checklist_finding,
    subtitle="CHEERS reporting standard for economic evaluations, adapted to online retail",
    group="topic",
    line=lambda row: f"{row['number']}. {row['item']}",
    columns={
        "state": Column("Status", align="badge"),
        "where": Column("Section", align="text"),
    },
    notes=("Items after CHEERS 2022 (Husereau et al., BMJ 376, e067975). The CSV file answers each item.",),
)
