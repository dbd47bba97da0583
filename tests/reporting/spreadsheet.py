"""A workbook's bytes in; its cells, and what its formulas give, out: as much of a spreadsheet as the tests need."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from xml.etree import ElementTree as ET

_NS = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """Formula if it has one, the value that is stored, and the kind as the file writes it."""

    formula: str | None
    value: object
    kind: str


def parts(book: bytes) -> dict[str, bytes]:
    """Return the files of a workbook by their names."""
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def sheets(book: bytes) -> dict[str, dict[str, Cell]]:
    """Return the cells of each sheet by their places."""
    files = parts(book)
    shared = _shared(files.get("xl/sharedStrings.xml"))
    names = [sheet.get("name") for sheet in _tree(files["xl/workbook.xml"]).iterfind(".//m:sheet", _NS)]
    return {
        name: _cells(files[f"xl/worksheets/sheet{number}.xml"], shared) for number, name in enumerate(names, start=1)
    }


def calculated(cells, place, changed=None, known=None):
    """Return what a cell gives when everything is calculated again, with some numbers changed."""
    known = {} if known is None else known
    if place not in known:
        cell = cells.get(place)
        if place in (changed or {}):
            known[place] = changed[place]
        elif cell is None or cell.formula is None:
            known[place] = 0.0 if cell is None else cell.value
        else:
            look_up = lambda other: calculated(cells, other, changed, known)  # noqa: E731
            known[place] = _result(cell.formula, look_up)
    return known[place]


def _tree(content):
    return ET.fromstring(content)  # noqa: S314 - the project wrote it itself


def _shared(content):
    found = [] if content is None else _tree(content).iterfind("m:si", _NS)
    return ["".join(text.text or "" for text in item.iterfind(".//m:t", _NS)) for item in found]


def _cells(content, shared):
    found = {}
    for cell in _tree(content).iterfind(".//m:c", _NS):
        formula, value = cell.find("m:f", _NS), cell.find("m:v", _NS)
        kind = cell.get("t", "n")
        text = None if value is None else value.text
        known = {"s": lambda t: shared[int(t)], "n": float, "b": lambda t: t == "1", "str": str}[kind]
        alt_text = None if text is None else known(text)
        found[cell.get("r")] = Cell(formula=None if formula is None else formula.text, value=alt_text, kind=kind)
    return found


def _result(formula, look_up):
    """Return what a formula gives: sums and products, powers, SUM of a range, and IF with <=0 and a text."""
    text = formula.replace("$", "").replace("^", "**")
    text = re.sub(r"IF\((.+)<=0,(\"\w+\"),(.+)\)", r"(\2 if (\1) <= 0 else \3)", text)
    text = re.sub(r"\b([A-Z]{1,3}\d+)\b", r"look_up('\1')", text)
    text = re.sub(r"SUM\(look_up\(('\w+')\):look_up\(('\w+')\)\)", r"sum(map(look_up, between(\1, \2)))", text)
    return eval(text, {"look_up": look_up, "between": _between, "sum": sum, "map": map})  # noqa: S307 - our own formula


def _between(first, last):
    (left, top), (right, bottom) = (re.fullmatch(r"([A-Z]+)(\d+)", place).groups() for place in (first, last))
    for column in range(_number(left), _number(right) + 1):
        for row in range(int(top), int(bottom) + 1):
            yield f"{letters(column)}{row}"


def _number(letters):
    found = 0
    for letter in letters:
        found = 26 * found + ord(letter) - 64
    return found


def letters(number):
    """Return the letters of a column, counted from 1."""
    found = ""
    while number:
        number, rest = divmod(number - 1, 26)
        found = chr(65 + rest) + found
    return found
