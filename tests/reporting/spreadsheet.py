"""A workbook's bytes in; its cells and what its formulas give out: by a small calculator, and by LibreOffice."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from functools import cache
from html import escape
from xml.etree import ElementTree as ET

_NS = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
LIBREOFFICE = shutil.which("soffice") or shutil.which("libreoffice")
# Left to itself, LibreOffice trusts the values that are stored.
_RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry"><item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item></oor:items>
"""


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


@cache
def sheets(book: bytes) -> dict[str, dict[str, Cell]]:
    """Return the cells of each sheet by their places."""
    files = parts(book)
    shared = _shared(files.get("xl/sharedStrings.xml"))
    return {name: _cells(files[place], shared) for name, place in _places(files).items()}


@cache
def names(book: bytes) -> dict[str, tuple[str, str]]:
    """Return sheet and place of each cell that has a name."""
    found = _tree(parts(book)["xl/workbook.xml"]).iterfind(".//m:definedName", _NS)
    cells = {one.get("name"): re.fullmatch(r"'?([^'!]+)'?!\$([A-Z]+)\$(\d+)", one.text) for one in found}
    return {name: (place[1], place[2] + place[3]) for name, place in cells.items() if place}


def with_cells(book: bytes, changed: dict[tuple[str, str], float | str]) -> bytes:
    """Return a workbook in which somebody typed something else into some cells, by their sheet and place."""
    files = parts(book)
    for (sheet, place), value in changed.items():
        file = _places(files)[sheet]
        kind, tag = ("", f"<v>{value!r}</v>") if isinstance(value, float) else (' t="str"', f"<v>{escape(value)}</v>")
        cell = rf'<c r="{place}"( s="\d+")?[^>]*?(?:/>|>.*?</c>)'
        new, times = re.subn(cell, rf'<c r="{place}"\g<1>{kind}>{tag}</c>', files[file].decode())
        assert times == 1
        files[file] = new.encode()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


def recalculated(book: bytes, folder) -> dict[str, dict[str, Cell]]:
    """Return the cells of a workbook after LibreOffice has calculated all of them and written them again."""
    profile = folder / "profile"
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(_RECALCULATE)
    (folder / "given.xlsx").write_bytes(book)
    command = [
        LIBREOFFICE, "--headless", f"-env:UserInstallation={profile.as_uri()}",
        "--convert-to", "xlsx", "--outdir", str(folder / "out"), str(folder / "given.xlsx"),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    return sheets((folder / "out" / "given.xlsx").read_bytes())


class Calculator:
    """What a workbook's cells give when everything is calculated again, with other contents in some cells."""

    def __init__(self, book: bytes, changed: dict[tuple[str, str], float | str] | None = None):
        self.cells, self.names = sheets(book), names(book)
        self.known = dict(changed or {})

    def named(self, name):
        """Return what the cell of this name holds."""
        return self(*self.names[name])

    def __call__(self, sheet, place):
        """Return what a cell holds; None where it is empty."""
        if (sheet, place) not in self.known:
            cell = self.cells[sheet].get(place)
            formula = None if cell is None else cell.formula
            value = None if cell is None else cell.value
            self.known[sheet, place] = value if formula is None else _Formula(self, sheet, formula).value()
        return self.known[sheet, place]


_TOKEN = re.compile(
    r"\s*(\"[^\"]*\"|'[^']+'!|\d+\.?\d*(?:[eE][-+]?\d+)?|\$?[A-Z]{1,3}\$?\d+(?![\w(])|[A-Za-z_]\w*|<=|>=|<>|[-+*/^(),:=<>])"
)


class _Formula:
    """A formula, read from left to right; a branch of IF that is not taken is read without being calculated."""

    def __init__(self, calculator, sheet, text):
        self.calculator, self.sheet = calculator, sheet
        self.tokens = _TOKEN.findall(text)
        assert "".join(self.tokens).replace(" ", "") == text.replace(" ", ""), text
        self.at = 0
        self.skipping = 0

    def value(self):
        found = self._comparison()
        assert self.at == len(self.tokens)
        return found

    def _next(self, *wanted):
        """Return the next token if it is one of these, and go on."""
        if self.at < len(self.tokens) and (not wanted or self.tokens[self.at] in wanted):
            self.at += 1
            return self.tokens[self.at - 1]
        return None

    def _comparison(self):
        left = self._sum()
        if sign := self._next("=", "<", "<=", ">", ">=", "<>"):
            right = self._sum()
            if sign in ("=", "<>"):
                same = ("" if left is None else left) == ("" if right is None else right)
                return same == (sign == "=")
            return self._safely(
                {"<": float.__lt__, "<=": float.__le__, ">": float.__gt__, ">=": float.__ge__}[sign], left, right
            )
        return left

    def _sum(self):
        found = self._product()
        while sign := self._next("+", "-"):
            found = self._safely({"+": float.__add__, "-": float.__sub__}[sign], found, self._product())
        return found

    def _product(self):
        found = self._power()
        while sign := self._next("*", "/"):
            found = self._safely({"*": float.__mul__, "/": float.__truediv__}[sign], found, self._power())
        return found

    def _power(self):
        found = self._signed()
        while self._next("^"):
            found = self._safely(float.__pow__, found, self._signed())
        return found

    def _signed(self):
        return self._safely(float.__mul__, -1.0, self._signed()) if self._next("-") else self._atom()

    def _safely(self, operation, left, right):
        return 0.0 if self.skipping else operation(_number(left), _number(right))

    def _atom(self):
        piece = self._next()
        if piece == "(":
            found = self._comparison()
            assert self._next(")")
        elif piece[0] == '"':
            found = piece[1:-1]
        elif piece[0].isdigit():
            found = float(piece)
        elif piece[0] == "'":
            found = self._cells(piece[1:-2], self._next())
        elif re.fullmatch(r"\$?[A-Z]{1,3}\$?\d+", piece):
            found = self._cells(self.sheet, piece)
        elif self._next("("):
            found = self._function(piece)
        else:
            found = 0.0 if self.skipping else self.calculator.named(piece)
        return found

    def _cells(self, sheet, first):
        first = first.replace("$", "")
        if self._next(":"):
            last = self._next().replace("$", "")
            return [None if self.skipping else self.calculator(sheet, one) for one in _between(first, last)]
        return 0.0 if self.skipping else self.calculator(sheet, first)

    def _function(self, name):
        if name == "IF":
            return self._if()
        given = [self._comparison()]
        while self._next(","):
            given.append(self._comparison())
        assert self._next(")")
        if self.skipping:
            return 0.0
        every = [number for one in given for number in (one if isinstance(one, list) else [one]) if number is not None]
        if name == "INDEX":
            return given[0][int(given[2]) - 1]
        if name == "ROUND":
            # Half away from zero, after what binary fractions add is gone.
            size = abs(given[0]) * 10.0 ** given[1]
            return (1.0 if given[0] >= 0.0 else -1.0) * float(int(size + 0.5 + 1e-9)) / 10.0 ** given[1]
        return float({"SUM": sum, "MAX": max, "MIN": min}[name](every))

    def _if(self):
        condition = self._comparison()
        branches = []
        for taken in (bool(condition), not condition):
            assert self._next(",")
            self.skipping += not taken
            branches.append(self._comparison())
            self.skipping -= not taken
        assert self._next(")")
        return branches[0] if condition else branches[1]


def _number(value):
    return 0.0 if value is None else float(value)


def _tree(content):
    return ET.fromstring(content)  # noqa: S314 - the project wrote it itself


def _places(files):
    """Return the file of each sheet by its name."""
    found = [sheet.get("name") for sheet in _tree(files["xl/workbook.xml"]).iterfind(".//m:sheet", _NS)]
    return {name: f"xl/worksheets/sheet{number}.xml" for number, name in enumerate(found, start=1)}


def _shared(content):
    found = [] if content is None else _tree(content).iterfind("m:si", _NS)
    return ["".join(text.text or "" for text in item.iterfind(".//m:t", _NS)) for item in found]


def _cells(content, shared):
    found = {}
    for cell in _tree(content).iterfind(".//m:c", _NS):
        formula, value = cell.find("m:f", _NS), cell.find("m:v", _NS)
        kind = cell.get("t", "n")
        text = None if value is None else value.text
        known = {"s": lambda t: shared[int(t)], "n": float, "b": lambda t: t == "1", "str": str, "e": str}[kind]
        alt_text = None if text is None else known(text)
        found[cell.get("r")] = Cell(formula=None if formula is None else formula.text, value=alt_text, kind=kind)
    return found


def _between(first, last):
    (left, top), (right, bottom) = (re.fullmatch(r"([A-Z]+)(\d+)", place).groups() for place in (first, last))
    for column in range(_column(left), _column(right) + 1):
        for row in range(int(top), int(bottom) + 1):
            yield f"{letters(column)}{row}"


def _column(letters):
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
