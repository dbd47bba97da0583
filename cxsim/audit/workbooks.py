"""The bytes of two workbooks in; the cells and the parts in which they differ out."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from html import unescape

from cxsim.audit.difference import Difference

_NAMES, _TEXTS = "xl/workbook.xml", "xl/sharedStrings.xml"
_SHEET = re.compile(r"xl/worksheets/sheet(\d+)\.xml")
_SHEET_NAME = re.compile(r'<sheet name="([^"]*)"')
_CELL = re.compile(r'<c r="([A-Z]+\d+)"([^>]*?)(?:/>|>(.*?)</c>)', re.DOTALL)
_VALUE = re.compile(r"<(?:v|t)\b[^>]*>([^<]*)<")
_SHARED = re.compile(r"<si>(.*?)</si>", re.DOTALL)


def workbook_differences(said: bytes, made: bytes, where: str) -> Iterator[Difference]:
    """Yield the cells in which two workbooks differ, then further parts that do, such as their styles."""
    try:
        one, other = _parts(said), _parts(made)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError):
        return
    mine, others = _cells(one), _cells(other)
    for cell in dict.fromkeys([*mine, *others]):
        if mine.get(cell) != others.get(cell):
            yield Difference(where=f"{where}, {cell}", said=mine.get(cell), made=others.get(cell))
    for name in sorted(one.keys() | other.keys()):
        told = name == _TEXTS or (mine != others and _SHEET.fullmatch(name) is not None)
        if one.get(name) != other.get(name) and not told:
            yield Difference(where=f"{where}: its part {name} differs", said=None, made=None)


def _parts(content: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode(errors="replace") for name in archive.namelist()}


def _cells(parts: Mapping[str, str]) -> dict[str, str]:
    """Return the text or the number of each cell by its sheet and its place."""
    names = [unescape(name) for name in _SHEET_NAME.findall(parts.get(_NAMES, ""))]
    shared = ["".join(_VALUE.findall(text)) for text in _SHARED.findall(parts.get(_TEXTS, ""))]
    cells = {}
    for part, content in parts.items():
        found = _SHEET.fullmatch(part)
        if found is None:
            continue
        number = int(found[1])
        sheet = names[number - 1] if number <= len(names) else str(number)
        for place, attributes, inner in _CELL.findall(content):
            value = "".join(_VALUE.findall(inner))
            if 't="s"' in attributes and value.isdecimal() and int(value) < len(shared):
                value = shared[int(value)]
            cells[f"sheet {sheet}, cell {place}"] = unescape(value)
    return cells
