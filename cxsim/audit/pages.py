"""Two pages in; the places at which they differ out: by heading, by table and cell, by chart, by entry."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from cxsim.audit.difference import Difference, few, first_difference, marked
from cxsim.audit.grids import grid_differences, grid_of_twin
from cxsim.audit.json_places import json_differences
from cxsim.audit.markup import figure_differences, table_differences, text_differences
from cxsim.audit.slices import Slice, bare, cut, paired
from cxsim.errors import ReportError
from cxsim.report.embedded import tables_in
from cxsim.report.twins import Twin

# Entries of the provenance that speak of the program, not of what it was given or what it found.
_OF_THE_PROGRAM = ("commit", "versions")
_CONTEXT = 40


def page_differences(said: str, made: str, program: Mapping[str, str]) -> list[Difference]:
    """Return the places at which two pages differ, in the order of the first page; none where all bytes agree."""
    if said == made:
        return []
    found = [place for pair in paired(cut(said), cut(made)) for place in _places(pair)]
    return [marked(place, program) for place in found or [odd_byte(said, made, "the page")]]


def odd_byte(said: str, made: str, what: str) -> Difference:
    """Return where two texts part, for a difference that shows in nothing that can be read."""
    place = first_difference(said, made)
    mine, other = (text[max(0, place - _CONTEXT) : place + _CONTEXT] for text in (said, made))
    return Difference(where=f"byte {len(said[:place].encode()) + 1:,} of {what}", said=mine, made=other)


def differing_program(said: Mapping[str, object], made: Mapping[str, object]) -> dict[str, str]:
    """Return the commits and versions that one provenance names, each with what the other names instead."""
    one, other = ({name: entry.get(name) for name in _OF_THE_PROGRAM} for entry in (said, made))
    found = json_differences(one, other, "")
    return {one.said: one.made for one in found if one.said is not None and one.made is not None}


def _places(pair: tuple[Slice | None, Slice | None]) -> Iterator[Difference]:
    one, other = pair
    if one is None or other is None:
        there = one or other
        if there is not None and bare(there.text):
            words = bare(there.text)
            yield Difference(where=there.where, said=words if one else None, made=words if other else None)
        return
    found = list(few(_inside(one, other), one.where))
    # What only the markup tells: a link, a name for screen readers, a shape in a drawing, a style.
    yield from found or [odd_byte(one.text, other.text, one.where)]


def _inside(one: Slice, other: Slice) -> Iterable[Difference]:
    match one.kind:
        case "text" | "heading":
            return text_differences(one.text, other.text, one.where)
        case "table":
            return table_differences(one.text, other.text, one.where)
        case "figure":
            return figure_differences(one.text, other.text, one.where)
        case "script" if one.name in ("provenance", "tables") and one.name == other.name:
            return _of_script(one, other)
        case _:
            return ()


def _of_script(one: Slice, other: Slice) -> Iterator[Difference]:
    texts = (slice_.text.partition(">")[2].removesuffix("</script>") for slice_ in (one, other))
    try:
        if one.name == "provenance":
            yield from _of_provenance(*map(json.loads, texts))
        else:
            yield from _of_tables(*map(tables_in, texts))
    except (ValueError, ReportError):
        yield odd_byte(one.text, other.text, one.where)


def _of_provenance(said: object, made: object) -> Iterator[Difference]:
    for place in json_differences(said, made, "provenance"):
        entry = place.where.removeprefix("provenance, ").split(".")[0]
        yield replace(place, about="program") if entry in _OF_THE_PROGRAM else place


def _of_tables(said: Mapping[str, Twin], made: Mapping[str, Twin]) -> Iterator[Difference]:
    for name in dict.fromkeys([*said, *made]):
        where, one, other = f"table {name} inside the page", said.get(name), made.get(name)
        if one is None or other is None:
            there = one.title if one else None, other.title if other else None
            yield Difference(where=where, said=there[0], made=there[1])
            continue
        if one.title != other.title:
            yield Difference(where=f"{where}, title", said=one.title, made=other.title)
        yield from grid_differences(grid_of_twin(one), grid_of_twin(other), where)
