"""The items of a reporting checklist: a state, an answer and a section each in; one shape of them out."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Literal, NamedTuple

from cxsim.quantity import Quantity
from cxsim.wording import joined

State = Literal["yes", "partly", "no"]


class Section(StrEnum):
    """Where in the report something stands."""

    DECISION = "Which strategies are worth their money?"
    WORTH = "What the strategies are worth"
    MONEY = "Profit and loss, and when the money comes back"
    CHANGE = "What could change it, and what to test first"
    ELSE = "What else to know"
    ASSUMED = "What is assumed, and where it comes from"
    TRAIL = "Audit trail"
    NOWHERE = "Nowhere"


class Item(NamedTuple):
    """One item.

    Attributes
    ----------
    topic, item
        Head under which it stands, and what a reader should find.
    state
        Whether it is there.
    answer
        What this study says on it, or what it leaves out.
    where
        Section of the report.
    """

    topic: str
    item: str
    state: State
    answer: str
    where: Section


def grounds(numbers: Sequence[Quantity]) -> str:
    """Return how many of some numbers are measured, published and assumed."""
    counts = {word: sum(one.evidence == word for one in numbers) for word in ("measured", "published", "assumed")}
    where = {"measured": "measured in this shop", "published": "published elsewhere", "assumed": "assumed"}
    return joined([f"{count} {where[word]}" for word, count in counts.items()])


def evidenced(numbers: Sequence[Quantity], *, otherwise: State) -> State:
    """Return whether evidence stands behind all of some numbers, some of them, or none."""
    bare = sum(one.evidence == "assumed" for one in numbers)
    if bare == len(numbers):
        return otherwise
    return "partly" if bare else "yes"
