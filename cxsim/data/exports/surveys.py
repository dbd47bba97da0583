"""A table of answers to a survey goes in; its scores under SURVEYS and a receipt come out.

NPS, CSAT and effort, from Typeform, SurveyMonkey, Google Forms, tools like Delighted, or any table with a column of
scores whose name says what it measures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from cxsim.data.contracts import SURVEYS
from cxsim.data.exports.format import (
    SCALES,
    Export,
    Format,
    Policy,
    Readout,
    Receipt,
    ReceiptLine,
    Rule,
    asks,
    checked_instrument,
    folded,
    found,
    headed,
    instrument_of,
    sift,
)
from cxsim.data.exports.moments import Moments, moments, text_of
from cxsim.errors import DataError
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


_TYPEFORM = ("#", "Response Type", "Start Date (UTC)", "Stage Date (UTC)", "Submit Date (UTC)", "Network ID", "Tags")
_MONKEY = (
    "Respondent ID",
    "Collector ID",
    "Start Date",
    "End Date",
    "IP Address",
    "Email Address",
    "First Name",
    "Last Name",
    "Custom Data 1",
)
_CUSTOMERS = ("email", "customer_email", "customer email", "email address", "e-mail", "username", "person email")
_NUMBERS = ("customer_id", "customer id", "customerid", "person id", "person_id")
_SENT = ("sent_at", "sent at", "survey sent at", "sent", "survey_sent_at", "sent date")
_ANSWERED = (
    "answered_at",
    "answered at",
    "responded_at",
    "responded at",
    "response date",
    "submitted_at",
    "submitted at",
    "created_at",
    "created at",
    "timestamp",
    "date",
)
_IDS = ("survey_id", "survey id", "response_id", "response id", "id", "token")
# Only beside a column that says the instrument does a score without a name of its own mean something.
_SCORES = ("score",)
_TYPES = ("survey type", "survey_type", "instrument")
# Other columns in which such words are found.
_NOT_A_QUESTION = ("comment", "reason", "category", "segment", "type", "group")


def survey_format(header: Sequence[str]) -> Format | None:
    """Return the format of a table of answers whose columns say what they are; None if it is no such table.

    It needs a column of scores that says what it measures, or one called `score` beside one that says the instrument,
    and a moment at which the survey was sent or answered.
    """
    moment = _first(header, (*_SENT, *_ANSWERED))
    questions = _questions(header) or (_first(header, _SCORES) if _first(header, _TYPES) else None)
    if moment is None or not questions:
        return None
    columns = tuple(name for name in header if name.strip())
    required = (moment, *(questions if isinstance(questions, tuple) else (questions,)))
    return Format(name="survey answers", columns=columns, required=required, read=_read)


def _read(export: Export, policy: Policy) -> Readout:
    header = export.rows.collect_schema().names()
    score, kind = _first(header, _SCORES), _first(header, _TYPES)
    rows = export.rows.with_row_index("row").collect(engine="streaming")
    return answered_surveys(
        Answers(
            file=export.file,
            recognised="survey answers",
            columns=(len(header), len(header)),
            rows=rows,
            read=rows.height,
            questions=_questions(header) or ((score,) if score and kind else ()),
            kind=kind,
            customer=_first(header, (*_CUSTOMERS, *_NUMBERS)),
            identity=_first(header, _IDS),
            sent=_first(header, _SENT),
            answered=_first(header, _ANSWERED),
            order=_first(header, ("order_id", "order id", "order number")),
            ticket=_first(header, ("ticket_id", "ticket id")),
        ),
        policy,
    )


def _read_typeform(export: Export, policy: Policy) -> Readout:
    named = headed(export, _TYPEFORM)
    header = named.rows.collect_schema().names()
    rows = named.rows.with_row_index("row").collect(engine="streaming")
    complete = rows
    if "Response Type" in header:
        complete = rows.filter((text_of("Response Type").str.to_lowercase() == "completed").fill_null(value=False))
    partial = ReceiptLine(reason="begun and not completed", action="dropped", rows=rows.height - complete.height)
    return answered_surveys(
        Answers(
            file=export.file,
            recognised="Typeform answers",
            columns=found(named, _TYPEFORM),
            rows=complete,
            read=rows.height,
            lines=(partial,),
            questions=_survey_files_asked(header, _TYPEFORM, export.file),
            customer=_first(header, (*_CUSTOMERS, *_NUMBERS)),
            identity="#",
            answered="Submit Date (UTC)",
            facts=(("clock", "moments are in universal time, as Typeform writes them"),),
            universal="yes",
        ),
        policy,
    )


def _read_monkey(export: Export, policy: Policy) -> Readout:
    named = headed(export, _MONKEY)
    header = named.rows.collect_schema().names()
    rows = named.rows.with_row_index("row").collect(engine="streaming")
    below = rows.filter(text_of("Respondent ID").is_not_null())
    second = ReceiptLine(reason="second row of the header", action="dropped", rows=rows.height - below.height)
    return answered_surveys(
        Answers(
            file=export.file,
            recognised="SurveyMonkey answers",
            columns=found(named, _MONKEY),
            rows=below,
            read=rows.height,
            lines=(second,),
            questions=_survey_files_asked(header, _MONKEY, export.file),
            customer=_first(header, ("Email Address", *_NUMBERS, "Custom Data 1")),
            identity="Respondent ID",
            answered="End Date" if "End Date" in header else "Start Date",
        ),
        policy,
    )


def _survey_files_asked(header: Sequence[str], own: Sequence[str], file: str) -> tuple[str, ...]:
    questions = _questions([name for name in header if name not in own])
    if not questions:
        raise DataError(
            f"{file}: no question says that it is about recommending, satisfaction, ease or effort; write in shop.yaml "
            "which column holds the score, and its instrument."
        )
    return questions


def _questions(header: Sequence[str]) -> tuple[str, ...]:
    """Return the columns whose names say what they measure, in their order."""
    return tuple(name for name in header if asks(name) and not any(word in folded(name) for word in _NOT_A_QUESTION))


def _first(header: Sequence[str], wanted: Sequence[str]) -> str | None:
    names = {folded(name): name for name in reversed(header)}
    return next((names[folded(name)] for name in wanted if folded(name) in names), None)


TYPEFORM = Format(
    name="Typeform answers",
    columns=_TYPEFORM,
    required=("#", "Start Date (UTC)", "Submit Date (UTC)", "Network ID"),
    read=_read_typeform,
)
SURVEYMONKEY = Format(
    name="SurveyMonkey answers",
    columns=_MONKEY,
    required=("Respondent ID", "Collector ID", "Start Date"),
    read=_read_monkey,
)
