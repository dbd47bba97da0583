"""What the case rests on: assumptions and sources go in, the registers that a reader checks come out."""

from __future__ import annotations

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
from cxsim.wording import NBSP, counted, first_sentence, in_terminal, joined, lowered, number

SOURCES = Contract("SOURCES", TEXT("authors"), COUNT("year"), TEXT("title", "where", "measured", "grade"))
STRATEGIES = Contract("STRATEGIES", TEXT("title", "description", "harms"))
# So many numbers are named in the title.
_NAMED = 3
# Keeps the name of a distribution in one line.
_HYPHEN = "\N{NON-BREAKING HYPHEN}"
_STATES = {"yes": "reported", "partly": "partly reported", "no": "missing"}
_VALUES = f"Value: the median; range: 90{NBSP}% probability"


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
        One row per item; the title counts what is there.

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
        f"{table.filter(evidence='assumed').height} of {table.height} numbers are assumed, without evidence from this "
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
    notes=("Evidence: measured in this shop, published elsewhere, or assumed, which needs a test first.",),
)

_STRATEGIES = TableSpec(
    id="strategies",
    contract=STRATEGIES,
    title="Strategies and their risks",
    subtitle="The assumptions below show which risks the numbers already include",
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
        f"{counted(table.height).capitalize()} {'source supports' if table.height == 1 else 'sources support'} "
        "the published numbers"
    ),
    subtitle="Evidence behind the assumptions",
    line=lambda row: f"{row['authors']} ({row['year']})",
    columns={
        "where": Column("Where", lambda row: f"{row['title']} – {row['where']}", align="text"),
        "measured": Column("What was measured", align="text"),
        "grade": Column("Grade", align="text"),
    },
    notes=(
        (
            "Grades: A, several experiments or a meta-analysis; B, one strong experiment or natural experiment; "
            "C, observations with controls; D, survey or vendor; E, none found."
        ),
    ),
    empty="No number here comes from a publication.",
)


def _register_finding(table: pl.DataFrame) -> str:
    bare = table.filter(evidence="assumed")
    fixed = bare.filter(pl.col("low") == pl.col("high")).height
    chosen = f" ({fixed} by choice)" if fixed else ""
    opening = f"{bare.height} of {table.height} numbers are assumed{chosen}"
    ranked = table.filter(pl.col("rank").is_not_null()).sort("rank").head(_NAMED)
    if ranked.is_empty():
        return f"{opening}, without evidence from this shop or another"
    named = "; ".join(lowered(first_sentence(description)) for description in ranked["description"])
    these = "this one moves" if ranked.height == 1 else f"these {counted(ranked.height)} move"
    return f"{opening}; {these} the result most: {named}"


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
    if row["grade"] is None:
        return row["source"] or None
    grade = f"; grade {row['grade']}"
    return f"{(row['source'] or 'none').removesuffix(grade)}{grade}"


_REGISTER = TableSpec(
    id="register",
    contract=REGISTER,
    title=_register_finding,
    subtitle=_VALUES,
    group=_head,
    line="description",
    columns={
        "value": Column(f"Value (90{NBSP}% range)", _value, align="text"),
        "spread": Column("Distribution", lambda row: row["distribution"].replace("-", _HYPHEN), align="text"),
        "evidence": Column("Evidence", align="badge"),
        "source": Column("Source", _source, align="text"),
        "weight": Column(
            "Rank: swing, {currency}",
            lambda row: None if row["rank"] is None else f"{row['rank']}: {number(row['swing'])}",
        ),
    },
    notes=(
        (
            "Evidence: measured in this shop, published elsewhere, or assumed, which needs a test first. Grades: A, "
            "several experiments or a meta-analysis; B, one strong experiment or natural experiment; C, observations "
            "with controls; D, survey or vendor; E, no source for this size. A fixed number is a choice, such as a "
            "fee, and has no grade."
        ),
        (
            f"Distribution: two half normals on the log scale (log-normal, for ratios), the logit scale (logit-normal, "
            f"for shares) or the original scale (normal), joined at the median. Each end of the range is exceeded "
            f"with 5{NBSP}% probability."
        ),
        (
            "Rank: by the largest swing in net present value of any strategy when this number alone moves across its "
            "80 % interval; the swing follows. A dash: not tested, because the number is fixed, is used for break-even "
            "only, or is among those least correlated with the result."
        ),
    ),
)


def _cautions_finding(table: pl.DataFrame) -> str:
    strategies = table["strategy"].n_unique()
    applies = "A caution applies" if strategies == 1 else "Cautions apply"
    return f"{applies} to {counted(strategies)} {'strategy' if strategies == 1 else 'strategies'}"


_CAUTIONS = TableSpec(
    id="cautions",
    contract=CAUTIONS,
    title=_cautions_finding,
    subtitle="What to know before using the results",
    rows=lambda table: table.group_by("caution", maintain_order=True).agg("title").rows(named=True),
    line=lambda row: joined(row["title"]),
    columns={"caution": Column("Caution", write=lambda text: text.replace("`", ""), align="text")},
    empty="No strategy-specific cautions apply.",
)


def _checklist_finding(table: pl.DataFrame) -> str:
    counts = {words: table.filter(state=state).height for state, words in _STATES.items()}
    parts = [f"{counted(count)} {'is' if count == 1 else 'are'} {words}" for words, count in counts.items() if count]
    return f"Of {table.height} items of the reporting standard, {joined(parts)}"


_CHECKLIST = TableSpec(
    id="checklist",
    contract=CHECKLIST,
    title=_checklist_finding,
    subtitle="Based on the CHEERS reporting standard for health economics, adapted to online retail",
    group="topic",
    line=lambda row: f"{row['number']}. {row['item']}",
    columns={
        "state": Column("Status", align="badge"),
        "answer": Column("In this report", align="text"),
        "where": Column("Section", align="text"),
    },
    notes=(
        (
            "Items after Husereau et al. (2022), Consolidated Health Economic Evaluation Reporting Standards "
            "2022, BMJ 376, e067975. Partly: the answer names what is missing."
        ),
    ),
)
