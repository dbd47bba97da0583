"""A table of answers to a survey goes in; its scores under SURVEYS and a receipt come out.

NPS, CSAT and effort, from Typeform, SurveyMonkey, Google Forms, tools like Delighted, or any table with a column of
scores whose name says what it measures.
"""

from __future__ import annotations

from collections.abc import Sequence

from cxsim.errors import DataError
from cxsim.shop.answers import Answers, answered_surveys
from cxsim.shop.format import Export, Format, Readout
from cxsim.shop.header import folded, found, headed
from cxsim.shop.moments import text_of
from cxsim.shop.policy import Policy
from cxsim.shop.receipt import ReceiptLine
from cxsim.shop.scales import asks

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
            questions=_asked(header, _TYPEFORM, export.file),
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
            questions=_asked(header, _MONKEY, export.file),
            customer=_first(header, ("Email Address", *_NUMBERS, "Custom Data 1")),
            identity="Respondent ID",
            answered="End Date" if "End Date" in header else "Start Date",
        ),
        policy,
    )


def _asked(header: Sequence[str], own: Sequence[str], file: str) -> tuple[str, ...]:
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
