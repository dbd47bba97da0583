"""The rows of a survey, and which of its columns is what, go in; scores under SURVEYS and a receipt come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from cxsim.errors import DataError
from cxsim.exports import SURVEYS
from cxsim.shop.format import Readout
from cxsim.shop.moments import Moments, moments, text_of
from cxsim.shop.policy import Policy
from cxsim.shop.receipt import Receipt, ReceiptLine
from cxsim.shop.scales import SCALES, checked_instrument, instrument_of
from cxsim.shop.sifting import Rule, sift
from cxsim.tables import check

_WHOLE = r"^\d{1,4}(?:\.0+)?$"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Answers:
    """A table of answers and which of its columns is what.

    Attributes
    ----------
    file, recognised, columns
        As in a receipt.
    rows
        Its rows as text, numbered under `row`.
    read
        How many rows the file has.
    questions
        Its columns of scores.
    lines
        What became of the rows that are no longer among `rows`.
    kind
        The column that says the instrument, where one does.
    instrument
        The instrument of all of them, where somebody wrote it down.
    customer, identity, sent, answered, order, ticket
        Columns, where there are such.
    facts
        What the receipt should say.
    universal
        `yes` where its moments are in universal time whatever the policy says.
    form
        How its moments are written; None to find out.
    """

    file: str
    recognised: str
    columns: tuple[int, int]
    rows: pl.DataFrame
    read: int
    questions: tuple[str, ...]
    lines: tuple[ReceiptLine, ...] = ()
    kind: str | None = None
    instrument: str | None = None
    customer: str | None = None
    identity: str | None = None
    sent: str | None = None
    answered: str | None = None
    order: str | None = None
    ticket: str | None = None
    facts: tuple[tuple[str, str], ...] = ()
    universal: Literal["yes", "no"] = "no"
    form: str | None = None


def answered_surveys(answers: Answers, policy: Policy) -> Readout:
    """Return the scores of a table of answers; several questions of a row are several surveys."""
    when = _when(answers, policy)
    asked = [_asked(answers, question, when) for question in answers.questions]
    _refuse_twice(asked, answers)
    every = pl.concat(asked)
    kept, lines = sift(every, _RULES)
    once = kept.unique("survey_id", keep="first", maintain_order=True)
    again = ReceiptLine(reason="a further row of the same answer", action="merged", rows=kept.height - once.height)
    times = len(answers.questions)
    receipt = Receipt(
        file=answers.file,
        table="surveys",
        recognised=answers.recognised,
        columns=answers.columns,
        rows_read=answers.read * times,
        lines=(*(replace(line, rows=line.rows * times) for line in answers.lines), *lines, again),
        facts=(*when.facts, *answers.facts, *_facts(answers, every)),
    )
    optional = [name for name, of in (("order_id", answers.order), ("ticket_id", answers.ticket)) if of]
    surveys = check(once.select(*SURVEYS.columns, *optional), SURVEYS)
    return Readout(tables={"surveys": surveys.lazy()}, receipts=(receipt,), lacks=_lacks(answers, once))


def whole(name: str) -> pl.Expr:
    """Return a column of text as whole numbers; null where it is blank or no whole number."""
    text = text_of(name)
    return pl.when(text.str.contains(_WHOLE)).then(text.cast(pl.Float64, strict=False)).cast(pl.Int64)


def customer_of(name: str) -> pl.Expr:
    """Return a column of customers: an e-mail address in small letters, anything else as it is written."""
    text = text_of(name)
    return pl.when(text.str.contains("@", literal=True)).then(text.str.to_lowercase()).otherwise(text)


_LOW = pl.col("instrument").replace_strict({name: low for name, (low, _) in SCALES.items()}, return_dtype=pl.Int64)
_HIGH = pl.col("instrument").replace_strict({name: high for name, (_, high) in SCALES.items()}, return_dtype=pl.Int64)
_RULES = (
    Rule(reason="no moment, or one that cannot be read", action="dropped", where=pl.col("sent_at").is_null()),
    Rule(
        reason="an answer that is no whole number",
        action="dropped",
        where=pl.col("written").is_not_null() & pl.col("score").is_null(),
    ),
    Rule(reason="a score outside of the scale", action="dropped", where=~pl.col("score").is_between(_LOW, _HIGH)),
    Rule(reason="no customer", action="kept", where=pl.col("customer_id").is_null()),
    Rule(reason="not answered", action="kept", where=pl.col("score").is_null()),
)


def _when(answers: Answers, policy: Policy) -> Moments:
    names = [name for name in dict.fromkeys((answers.sent, answers.answered)) if name is not None]
    if not names:
        raise DataError(f"{answers.file}: no column says when the survey was sent or answered; name it in shop.yaml.")
    clock = "shop" if answers.universal == "yes" else policy.clock
    return moments(answers.rows.lazy(), names, file=answers.file, clock=clock, form=answers.form)


def _asked(answers: Answers, question: str, when: Moments) -> pl.DataFrame:
    nothing = pl.lit(None, dtype=pl.String)
    identity = text_of(answers.identity) if answers.identity else nothing
    numbered = pl.format("{} row {}", pl.lit(answers.file), pl.col("row") + 1)
    # The moment of sending, or else of answering.
    moment = pl.coalesce([when.columns[name] for name in (answers.sent, answers.answered) if name is not None])
    rows = answers.rows.select(
        number=pl.coalesce(identity, numbered),
        customer_id=customer_of(answers.customer) if answers.customer else nothing,
        sent_at=moment,
        written=text_of(question),
        score=whole(question),
        kind=text_of(answers.kind).str.to_lowercase() if answers.kind else nothing,
        order_id=text_of(answers.order) if answers.order else nothing,
        ticket_id=text_of(answers.ticket) if answers.ticket else nothing,
    )
    if answers.kind is None:
        instrument = pl.lit(answers.instrument or instrument_of(question, rows["score"], answers.file))
    else:
        kinds = {name: checked_instrument(name, f"{answers.file}: '{answers.kind}'") for name in _kinds(rows)}
        instrument = pl.col("kind").fill_null("").replace_strict(kinds, return_dtype=pl.String)
    # Different surveys number their answers alike, and several questions of a row are several surveys.
    numbered_apart = pl.format("{} {}", "instrument", "number")
    return rows.with_columns(instrument=instrument).with_columns(survey_id=numbered_apart)


def _kinds(rows: pl.DataFrame) -> list[str]:
    return ["" if name is None else str(name) for name in rows["kind"].unique().sort()]


def _refuse_twice(asked: Sequence[pl.DataFrame], answers: Answers) -> None:
    """Refuse two questions of one instrument, of which one is about something else than the shop."""
    seen: dict[str, str] = {}
    for question, rows in zip(answers.questions, asked, strict=True):
        for instrument in rows["instrument"].unique().sort():
            if instrument in seen:
                raise DataError(
                    f"{answers.file}: '{seen[instrument]}' and '{question}' are both {instrument}; write in shop.yaml "
                    "which of them is about the shop."
                )
            seen[instrument] = question


def _facts(answers: Answers, asked: pl.DataFrame) -> tuple[tuple[str, str], ...]:
    facts = [
        ("questions", "; ".join(answers.questions)),
        ("instruments", ", ".join(asked["instrument"].unique().sort())),
    ]
    if len(answers.questions) > 1:
        facts.append(("rows", "each row of the file is read once for each question"))
    if answers.sent is None:
        facts.append(("sent_at", "the moment of the answer: the file does not say when the survey was sent"))
    return tuple(facts)


def _lacks(answers: Answers, surveys: pl.DataFrame) -> dict[str, str]:
    lacks = {}
    if answers.customer is None:
        lacks["surveys.customer_id"] = f"{answers.file} has no column of e-mail addresses or customer numbers."
    if not surveys["score"].null_count():
        lacks["surveys.sent_at"] = f"{answers.file} holds answers alone, so how many were asked is not known."
    return lacks
