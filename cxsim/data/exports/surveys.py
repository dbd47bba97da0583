"""A table of answers to a survey goes in; its scores under SURVEYS and a receipt come out.

NPS, CSAT and effort, from Typeform, SurveyMonkey, Google Forms, tools like Delighted, or any table with a column of
scores whose name says what it measures. Several questions of a row are several surveys.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from cxsim.data.exports.columns import read_columns
from cxsim.data.exports.formats import (
    Export,
    Facts,
    Format,
    Instrument,
    Readout,
    customers,
    facts_of,
    folded,
    formats,
    located,
    receipt_of,
    sift,
    under,
)
from cxsim.data.orders import collected
from cxsim.data.shop import Finding, Policy, ReceiptLine, noticed
from cxsim.errors import DataError, choices

# Lowest and highest score of each instrument; see SURVEYS.
SCALES: dict[Instrument, tuple[int, int]] = {
    "nps": (0, 10),
    "csat": (1, 5),
    "csat_good": (0, 1),
    "ces": (1, 7),
    "effort": (1, 5),
}
# The upper half of a scale: 6 of 10, 4 of 5, 6 of 7.
_UPPER: dict[Instrument, int] = {"nps": 6, "csat": 4, "ces": 6, "effort": 4}
# What the words of a question mean, the first that is found. Who asks for ease on five steps may count either way.
_WORDS: tuple[tuple[str, tuple[Instrument, ...]], ...] = (
    (r"recommend|\bnps\b|nps_|_nps|net promoter|promoter score", ("nps",)),
    (r"\bces\b|ces_|_ces|\beasy\b|\bease\b|easier", ("ces",)),
    (r"effort", ("effort",)),
    (r"\bcsat\b|csat_|_csat|satisf|^rating$|^stars$", ("csat", "csat_good")),
)
_TIMES = ("sent_at", "answered_at")
_LINKS = ("survey_id", "customer_id", "instrument", "order_id", "ticket_id")
# With that many answers, a scale whose upper end nobody uses is another scale; so is one that a twentieth leave.
_ENOUGH = 20
_COLUMN = "write in shop.yaml which column holds the score, and its instrument."
_STRAY = 0.05
# So many answers may be no scores.
_UNREAD = 0.01
_WRITE = "write the instrument in shop.yaml: nps, csat, csat_good, ces or effort"
# A score may stand with the words of its end of the scale, such as `10 - Extremely likely` or `Very satisfied (5)`.
_SCORES = (r"^(\d{1,4})(?:\.0+)?(?:\s*[-\u{2013}\u{2014}:=(.]\s*|\s+)?(?:[\p{L}(].*)?$", r"^\p{L}[^\d]*(\d{1,4})\)?$")
# Other columns in which the words of a question are found.
_NOT_A_QUESTION = ("comment", "reason", "category", "segment", "type", "group")


def answers_format(export: Export) -> Format | None:
    """Return the format of a table of answers whose columns say what they are; None if it is no such table.

    It needs a column of scores that says what it measures, or one called `score` beside one that says the instrument,
    and a moment at which the survey was sent or answered.
    """
    form = next((one for one in formats() if one.name == "survey-answers"), None)
    if form is None or located(export, form).keys().isdisjoint(_TIMES) or not _questions(export, form):
        return None
    return form


def read_answers(export: Export, form: Format, policy: Policy) -> Readout:
    """Return the scores of a table of answers."""
    file = export.file
    there = located(export, form)
    questions = _questions(export, form)
    if not questions:
        raise DataError(f"{file}: no question names recommendation, satisfaction, ease or effort; {_COLUMN}")
    only = form.rows_with
    further = (*questions, *((only.column,) if only else ()))
    asked = replace(form, columns={**form.columns, **{name: name for name in further}}, zone="")
    clock = "shop" if form.zone == "UTC" else policy.clock
    read = read_columns(export, asked, replace(policy, clock=clock), _TIMES, also=_LINKS)
    every = collected(read.rows.with_row_index("row", 1), file)
    rows = every
    if only and only.column in located(export, asked):
        text = pl.col(only.column)
        rows = every.filter(text.str.to_lowercase().is_in(only.values) if only.values else text.is_not_null())
    scored = _scored(rows, questions, there.get("instrument"), file)
    _refuse_unread(scored, policy, file)
    kept, lines = sift(scored, _UNUSABLE | _NOTED, _NOTED)
    once = kept.unique("survey_id", keep="first", maintain_order=True)
    times = len(questions)
    incomplete = {only.otherwise: (every.height - rows.height) * times} if only else {}
    receipt = receipt_of(
        export,
        form,
        rows=every.height * times,
        lines=read.lines + noticed("dropped", incomplete) + lines + _merged(kept, once),
        facts=(*read.facts, *form.facts.items(), *_facts(questions, scored, there)),
    )
    nobody = {"surveys.customer_id": f"{file} has no column of e-mail addresses or customer numbers."}
    alone = {"surveys.sent_at": f"{file} contains only answers, so the number of surveys sent is not known."}
    return Readout(
        tables={"surveys": under("surveys", once, there)[0]},
        receipts=(receipt,),
        lacks=({} if "customer_id" in there else nobody) | ({} if once["score"].null_count() else alone),
        findings=_unused_tops(once, file),
    )


def instruments_meant(question: str) -> tuple[Instrument, ...]:
    """Return the instruments that the name of a column, or the text of a question, allows; none where it says none.

    >>> instruments_meant("How likely are you to recommend us to a friend?"), instruments_meant("Comment")
    (('nps',), ())
    """
    text = question.strip().casefold()
    return next((instruments for words, instruments in _WORDS if re.search(words, text)), ())


def instrument_of(question: str, scores: pl.Series, file: str) -> Instrument:
    """Return the instrument by which a question was asked."""
    answered = scores.drop_nulls().sort()
    candidates = [name for name in instruments_meant(question) if _fits(answered, name)]
    if len(candidates) == 1:
        return candidates[0]
    if not answered.len():
        raise DataError(f"{file}: nobody answered '{question}', so its scale is unknown; {_WRITE}.")
    raise DataError(
        f"{file}: the scale of '{question}' is unclear from its wording and its {answered.len():,} answers, which "
        f"range from {answered[0]} to {answered[-1]}; {_WRITE}."
    )


def refuse_unknown_instrument(name: str, place: str) -> None:
    """Refuse an instrument that somebody wrote down and that there is not."""
    if name not in SCALES:
        raise DataError(f"{place}: no instrument '{name}'; {choices(name, SCALES)}")


def off_scale() -> pl.Expr:
    """Whether a score lies outside of the scale of its instrument."""
    score, kind = pl.col("score"), pl.col("instrument")
    return ~pl.any_horizontal((kind == name) & score.is_between(*ends) for name, ends in SCALES.items())


_UNUSABLE = {
    "no timestamp, or an unreadable one": pl.col("sent_at").is_null(),
    "an answer that is not a whole number": pl.col("written").is_not_null() & pl.col("score").is_null(),
    "a score outside the scale": off_scale(),
}
_NOTED = {"no customer": pl.col("customer_id").is_null(), "not answered": pl.col("score").is_null()}


def _questions(export: Export, form: Format) -> tuple[str, ...]:
    """Return the columns whose names say what they measure, in their order."""
    own = {folded(name) for name in form.header}
    questions = tuple(
        name
        for name in export.rows.collect_schema().names()
        if folded(name) not in own
        and instruments_meant(name)
        and not any(word in folded(name) for word in _NOT_A_QUESTION)
    )
    # Only beside a column that says the instrument does a score without a name of its own mean something.
    there = located(export, form)
    return questions or ((there["score"],) if {"score", "instrument"} <= there.keys() else ())


def _scored(rows: pl.DataFrame, questions: Sequence[str], by: str | None, file: str) -> pl.DataFrame:
    """Return the answers to all questions, each with its instrument, which a column of the file may say."""
    named = pl.col("instrument").str.to_lowercase()
    for name in rows.select(named.unique().sort()).to_series() if by else ():
        refuse_unknown_instrument(name or "", f"{file}: '{by}'")
    scored = []
    for question in questions:
        written = pl.col(question)
        score = pl.coalesce(written.str.extract(form) for form in _SCORES).cast(pl.Int64, strict=False)
        said = named if by else pl.lit(instrument_of(question, rows.select(score).to_series(), file))
        number = pl.coalesce("survey_id", pl.concat_str(pl.lit(f"{file} row "), "row"))
        scored.append(
            rows.select(
                customers(),
                "order_id",
                "ticket_id",
                # Different surveys give their answers the same numbers, and several questions are several surveys.
                survey_id=pl.concat_str(said, number, separator=" "),
                sent_at=pl.coalesce(_TIMES),
                instrument=said,
                score=score,
                written=written,
                question=pl.lit(question),
            )
        )
    answers = pl.concat(scored)
    _refuse_twice(answers, file)
    return answers


def _refuse_twice(answers: pl.DataFrame, file: str) -> None:
    """Refuse two questions of one instrument, of which one is about something else than the shop."""
    asked = answers.select("instrument", "question").unique(maintain_order=True)
    for name in asked.filter(pl.col("instrument").is_duplicated())["instrument"].head(1):
        one, other = asked.filter(instrument=name)["question"].head(2)
        raise DataError(f"{file}: '{one}' and '{other}' are both {name}; name in shop.yaml the one about the shop.")


def _merged(kept: pl.DataFrame, once: pl.DataFrame) -> tuple[ReceiptLine, ...]:
    return noticed("merged", {"duplicate row of an answer": kept.height - once.height})


def _refuse_unread(scored: pl.DataFrame, policy: Policy, file: str) -> None:
    """Refuse answers that are no scores, as those at the ends of a scale may be, if they are more than a few."""
    strange = scored.filter(pl.col("written").is_not_null() & pl.col("score").is_null())
    answered = scored["written"].count()
    if policy.unreadable == "missing" or strange.height <= _UNREAD * answered:
        return
    examples = ", ".join(map(repr, strange["written"].unique(maintain_order=True).head(3)))
    raise DataError(
        f"{file}: '{strange['question'][0]}': {strange.height:,} of {answered:,} answers are not scores, such as "
        f"{examples}. Possible: 9, 10 - Extremely likely, Very satisfied (5). Export the answers as numbers; or "
        "treat such answers as missing, with --unreadable missing (unreadable: missing in the policy)."
    )


def _unused_tops(kept: pl.DataFrame, file: str) -> tuple[Finding, ...]:
    """Return a finding for each instrument of whose upper half nobody has made use, as of another scale."""
    tops = kept.drop_nulls("score").group_by("instrument").agg(pl.col("score").max(), pl.len()).sort("instrument")
    return tuple(
        Finding(
            f"{file}: {name}",
            "caution",
            top,
            f"{file}: for {name}, whose scale ends at {SCALES[name][1]}, none of {count:,} answers is above {top}.",
            f"If customers saw a different scale, the score is meaningless; {_WRITE}.",
        )
        for name, top, count in tops.iter_rows()
        if name in _UPPER and top < _UPPER[name]
    )


def _facts(questions: Sequence[str], scored: pl.DataFrame, there: Mapping[str, str]) -> Facts:
    when = "time of the answer: the file does not show when the survey was sent"
    return facts_of(
        {
            "questions": "; ".join(questions),
            "instruments": ", ".join(scored["instrument"].unique().sort()),
            "rows": "each row of the file is read once for each question" if len(questions) > 1 else "",
            "sent_at": when if "sent_at" not in there else "",
        }
    )


def _fits(answered: pl.Series, name: Instrument) -> bool:
    inside = answered.filter(answered.is_between(*SCALES[name]))
    # Words that mean NPS are certain by themselves; a few answers beside it say nothing against them.
    stray = _STRAY if answered.len() >= _ENOUGH or name != "nps" else 0.5
    if not answered.len() or answered.len() - inside.len() > stray * answered.len():
        return False
    if name == "csat_good":
        return inside.n_unique() == 2
    if name == "csat" and inside.max() == 1:
        return False
    reached = inside.filter(inside >= _UPPER[name]).len() > 0
    # With few answers nothing can be said against a scale. One of five steps is not one of seven, of which only seven
    # or six are proof.
    return reached if name == "ces" else reached or answered.len() < _ENOUGH
