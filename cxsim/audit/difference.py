"""Two values of one place in; a sentence that names the place and shows where they part, out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

About = Literal["content", "program"]

_LONGEST = 90
_BEFORE = 40
_MOST_IN_ONE_PLACE = 5
_ENDS_OF_LINES = {ord("\n"): "↵", ord("\r"): "␍"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A place at which a report and its second making differ.

    Attributes
    ----------
    where
        The place, as a reader finds it.
    said
        What the report says there; None where it says nothing.
    made
        What was made; None where nothing was.
    about
        `program` for a commit or a version that the report was made with, `content` for all else.
    """

    where: str
    said: str | None
    made: str | None
    about: About = "content"

    def sentence(self, now: str = "made again it is") -> str:
        """Return the difference in words; `now` leads to what stands there instead."""
        if self.said is None and self.made is None:
            return f"{self.where}."
        if self.made is None:
            return f"{self.where}: only the report has it: {_quoted(self.said)}."
        if self.said is None:
            return f"{self.where}: the report lacks it; {now} {_quoted(self.made)}."
        said, made = parted(self.said, self.made)
        return f"{self.where}: the report says {_quoted(said)}; {now} {_quoted(made)}."


def parted(said: str, made: str) -> tuple[str, str]:
    """Return two texts, cut to the surroundings of the first letter in which they differ."""
    start = max(0, first_difference(said, made) - _BEFORE)
    return _window(said, start), _window(made, start)


def first_difference(said: str | bytes, made: str | bytes) -> int:
    """Return the place of the first letter or byte in which two texts differ, from 0."""
    shorter = min(len(said), len(made))
    return next((place for place in range(shorter) if said[place] != made[place]), shorter)


def few(found: Iterable[Difference], where: str) -> Iterator[Difference]:
    """Yield the first differences of one part of a report, then how many more it has."""
    listed = list(found)
    yield from listed[:_MOST_IN_ONE_PLACE]
    if len(listed) > _MOST_IN_ONE_PLACE:
        about: About = "program" if all(one.about == "program" for one in listed) else "content"
        where = f"{where}: {len(listed) - _MOST_IN_ONE_PLACE:,} more differ"
        yield Difference(where=where, said=None, made=None, about=about)


def marked(place: Difference, program: Mapping[str, str]) -> Difference:
    """Return a difference with the mark of the program, where another commit or version explains all of it."""
    said, made = place.said or "", place.made or ""
    if any(one in said and said.replace(one, other) == made for one, other in program.items()):
        return replace(place, about="program")
    return place


def _window(text: str, start: int) -> str:
    if len(text) <= _LONGEST:
        return text
    end = start + _LONGEST
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"


def _quoted(text: str | None) -> str:
    shown = (text or "").translate(_ENDS_OF_LINES)
    shown = shown if len(shown) <= 2 * _LONGEST else f"{shown[: 2 * _LONGEST]}…"
    return f"‘{shown}’" if shown else "empty"
