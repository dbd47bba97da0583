"""A report in; the same report made again from what it names, and every place at which the two differ, out."""

from __future__ import annotations

import csv
import hashlib
import importlib.metadata
import io
import json
import re
import tempfile
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from html import unescape
from itertools import zip_longest
from pathlib import Path
from typing import Literal

from bs4 import BeautifulSoup, Tag

from cxsim.errors import CxsimError, ReportError
from cxsim.params import root
from cxsim.reporting.comparison import (
    Difference,
    Finished,
    Grid,
    few,
    first_difference,
    grid_differences,
    grid_of_csv,
    grid_of_twin,
    json_differences,
    marked,
    read_report,
)
from cxsim.reporting.drawings import tables_in
from cxsim.reporting.execute import Parameter
from cxsim.reporting.page import Recipe, make, notebook_hash, place_in_project, recipe_in
from cxsim.reporting.workbook import Twin
from cxsim.study.provenance import commit

# After these, a new sentence begins; whatever else is inside one is only set differently.
_BLOCKS = [
    *("article", "aside", "blockquote", "br", "caption", "dd", "details", "div", "dl", "dt", "figcaption", "footer"),
    *("header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "title", "tr", "td", "th", "ul"),
    *("h1", "h2", "h3", "h4", "h5", "h6"),
]
_SENTENCE = re.compile(r"(?<=[.?!;])\s+(?=[^a-z])")


def text_differences(said: str, made: str, where: str) -> Iterator[Difference]:
    """Yield the sentences in which two pieces of text differ."""
    mine, others = _sentences(said), _sentences(made)
    for word, begin, end, start, stop in SequenceMatcher(None, mine, others, autojunk=False).get_opcodes():
        if word != "equal":
            for one, other in zip_longest(mine[begin:end], others[start:stop]):
                yield Difference(where=where, said=one, made=other)


def table_differences(said: str, made: str, where: str) -> Iterator[Difference]:
    """Yield the cells in which two tables differ, then what differs in their titles and notes."""
    (mine, beside), (other, again) = _grid(said), _grid(made)
    yield from grid_differences(mine, other, where)
    for one, two in zip_longest(beside, again):
        if one != two:
            yield Difference(where=f"{where}, title or note", said=one, made=two)


def figure_differences(said: str, made: str, where: str) -> Iterator[Difference]:
    """Yield in what two figures differ: the specification with its data, the table of data, the words drawn."""
    mine, other = (BeautifulSoup(text, "html.parser") for text in (said, made))
    label, again = (str(soup.figure.get("aria-label", "")) if soup.figure else "" for soup in (mine, other))
    if label != again:
        yield Difference(where=f"{where}, title", said=label, made=again)
    yield from _specifications(mine, other, where)
    for one, two in zip_longest(mine.find_all("table"), other.find_all("table")):
        if one is None or two is None:
            yield Difference(where=f"{where}, table of its data", said=_text(one), made=_text(two))
        elif str(one) != str(two):
            yield from table_differences(str(one), str(two), f"{where}, table of its data")
    drawn = ([node.get_text() for node in soup.select("svg text")] for soup in (mine, other))
    for number, (word, drawn_again) in enumerate(zip_longest(*drawn), start=1):
        if word != drawn_again:
            yield Difference(where=f"{where}, word {number} of the drawing", said=word, made=drawn_again)


def _specifications(said: BeautifulSoup, made: BeautifulSoup, where: str) -> Iterator[Difference]:
    pairs = zip_longest(*(soup.select('script[type="application/json"]') for soup in (said, made)))
    for one, two in pairs:
        mine, other = ("" if script is None else script.get_text() for script in (one, two))
        if mine == other:
            continue
        try:
            contents = _specification(mine), _specification(other)
        except ValueError:
            yield Difference(where=f"{where}, specification", said=mine, made=other)
        else:
            yield from json_differences(*contents, where)


def _specification(text: str) -> object:
    """Return a specification whose data sets are called by their number: theirs are hashes of all their rows."""
    content = json.loads(text)
    named = content.get("datasets") if isinstance(content, dict) else None
    for number, name in enumerate(named if isinstance(named, dict) else (), start=1):
        text = text.replace(json.dumps(name, ensure_ascii=False), f'"data-{number}"')
    return json.loads(text)


def _text(element: Tag | None) -> str | None:
    return None if element is None else _spaced(element.get_text(" "))


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _sentences(markup: str) -> list[str]:
    soup = BeautifulSoup(_spaced(markup), "html.parser")
    for element in soup.find_all(_BLOCKS):
        # A term and what is said of it are read together.
        before, after = ("\n", ": ") if element.name == "dt" else ("", "\n") if element.name == "dd" else ("\n", "\n")
        element.insert_before(before)
        element.insert_after(after)
    lines = (_spaced(line) for line in soup.get_text().split("\n"))
    return [sentence for line in lines if line for sentence in _SENTENCE.split(line)]


def _grid(markup: str) -> tuple[Grid, list[str]]:
    """Return the cells of a table, and the texts that stand around them."""
    soup = BeautifulSoup(markup, "html.parser")
    heads = [row for row in soup.select("thead tr") if row.find("th")]
    columns = [text for cell in heads[-1].find_all(["th", "td"]) for text in _spanned(cell)] if heads else []
    beside = [_spaced(part.get_text(" ")) for part in soup.find_all("caption")]
    beside += [_spaced(row.get_text(" ")) for row in soup.select("thead tr") if not heads or row is not heads[-1]]
    beside += [_spaced(row.get_text(" ")) for row in soup.select("tfoot tr")]
    rows, labels, group = [], list[str](), ""
    inside_head = {id(row) for row in soup.select("thead tr, tfoot tr")}
    for row in soup.find_all("tr"):
        cells = [_spaced(cell.get_text(" ")) for cell in row.find_all(["th", "td"])]
        if id(row) in inside_head or not cells:
            continue
        if len(cells) == 1 and len(columns) > 1:
            group = cells[0]
        rows.append(tuple(cells))
        label = f"{group}, {cells[0]}" if group and group != cells[0] else cells[0]
        labels.append(f"{label} ({len(rows)})" if label in labels or not label else label)
    return Grid(columns=tuple(columns), rows=tuple(rows), labels=tuple(labels)), beside


def _spanned(cell: Tag) -> list[str]:
    span = str(cell.get("colspan", "1"))
    return [_spaced(cell.get_text(" "))] * (int(span) if span.isdecimal() and int(span) < 100 else 1)


Kind = Literal["text", "heading", "table", "figure", "script", "style"]

# Where a page is cut. No byte is lost: what is in no such element is a slice of text.
_ELEMENT = re.compile(
    r"<figure\b.*?</figure>|<script\b.*?</script>|<style\b.*?</style>|<table\b.*?</table>|<h([1-6])\b.*?</h\1>",
    re.DOTALL,
)
_KINDS: dict[str, Kind] = {"f": "figure", "t": "table", "h": "heading"}
# A chart's name says all that it shows.
_LONGEST_NAME = 80
_TAG = re.compile(r"<[^>]*>")
_ID = re.compile(r'<script\b[^>]*\bid="([^"]*)"')
_LABEL = re.compile(r'<figure\b[^>]*\baria-label="([^"]*)"')
_CAPTION = re.compile(
    r"<caption\b[^>]*>(.*?)</caption>|<t[dh]\b[^>]*\bclass=\"[^\"]*\bgt_title\b[^\"]*\"[^>]*>(.*?)</t[dh]>", re.DOTALL
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Slice:
    """A piece of a page.

    Attributes
    ----------
    kind
        What it is.
    name
        What it is called among its like: a table's or a figure's title, a script's id; else empty.
    section
        The headings above it, from the outermost; without the page's own title where there are others.
    text
        Its bytes, as text.
    """

    kind: Kind
    name: str
    section: tuple[str, ...]
    text: str

    @property
    def where(self) -> str:
        """The place, as a reader finds it."""
        what = {"text": "", "heading": "heading", "style": "style sheet"}.get(self.kind, self.kind)
        called = self.name if len(self.name) <= _LONGEST_NAME else f"{self.name[:_LONGEST_NAME]}…"
        named = f"{what} ‘{called}’" if called and self.kind != "heading" else what
        if self.kind == "script":
            return named
        section = f"section ‘{' › '.join(self.section)}’" if self.section else "top of the page"
        return f"{section}, {named}" if named else section


def cut(page: str) -> list[Slice]:
    """Return a page in slices, which together are the page."""
    slices: list[Slice] = []
    above: list[tuple[int, str]] = []
    end = scripts = 0
    for found in _ELEMENT.finditer(page):
        section = _section(above)
        if found.start() > end:
            slices.append(Slice(kind="text", name="", section=section, text=page[end : found.start()]))
        kind, text, end = _kind(found[0]), found[0], found.end()
        scripts += kind == "script"
        if kind == "heading":
            level = int(found[1])
            above = [pair for pair in above if pair[0] < level]
            section = _section(above)
            above.append((level, bare(text)))
        slices.append(Slice(kind=kind, name=_name(kind, text, scripts), section=section, text=text))
    if end < len(page):
        slices.append(Slice(kind="text", name="", section=_section(above), text=page[end:]))
    return slices


def paired(said: list[Slice], made: list[Slice]) -> Iterator[tuple[Slice | None, Slice | None]]:
    """Yield the slices of two pages that differ, each beside the one that stands in its place."""
    matcher = SequenceMatcher(None, [one.text for one in said], [one.text for one in made], autojunk=False)
    for word, begin, end, start, stop in matcher.get_opcodes():
        if word != "equal":
            yield from _by_name(said[begin:end], made[start:stop])


def bare(markup: str) -> str:
    """Return the text in a piece of markup, with single spaces."""
    return " ".join(unescape(_TAG.sub("", markup)).split())


def _by_name(said: list[Slice], made: list[Slice]) -> Iterator[tuple[Slice | None, Slice | None]]:
    names = [[(one.kind, one.name) for one in slices] for slices in (said, made)]
    matcher = SequenceMatcher(None, names[0], names[1], autojunk=False)
    for word, begin, end, start, stop in matcher.get_opcodes():
        if word == "equal":
            yield from zip(said[begin:end], made[start:stop], strict=True)
            continue
        left = made[start:stop]
        for one in said[begin:end]:
            other = next((other for other in left if other.kind == one.kind), None)
            if other is not None:
                left.remove(other)
            yield one, other
        yield from ((None, other) for other in left)


def _section(above: list[tuple[int, str]]) -> tuple[str, ...]:
    below_title = tuple(text for level, text in above if level > 1)
    return below_title or tuple(text for _, text in above)


def _kind(element: str) -> Kind:
    if element.startswith("<s"):
        return "script" if element.startswith("<sc") else "style"
    return _KINDS[element[1]]


def _name(kind: Kind, text: str, scripts: int) -> str:
    if kind == "heading":
        return bare(text)
    if kind == "script":
        found = _ID.match(text)
        return found[1] if found else str(scripts)
    if kind == "figure":
        found = _LABEL.match(text)
        return unescape(found[1]) if found else ""
    found = _CAPTION.search(text) if kind == "table" else None
    return bare(found[1] or found[2] or "") if found else ""


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
        alt_text = name == _TEXTS or (mine != others and _SHEET.fullmatch(name) is not None)
        if one.get(name) != other.get(name) and not alt_text:
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


_RECORD, _DIGESTS = "manifest.json", "files"
_FOLDERS_CONTEXT = 20


def folder_differences(said: Path, made: Path, page: str) -> Iterator[Difference]:
    """Yield in what the folder beside a report and the same folder made again differ."""
    mine, others = _files(said), _files(made)
    for name in sorted(mine.keys() | others.keys()):
        where = f"file {said.name}/{name}"
        if name not in others:
            yield Difference(where=f"{where}: made again, there is no such file", said=None, made=None)
        elif name not in mine:
            yield Difference(where=f"{where}: it is missing", said=None, made=None)
        else:
            one, other = mine[name].read_bytes(), others[name].read_bytes()
            if one != other:
                alt_text = {page, *_truly_hashed(one, mine)} if name == _RECORD else set[str]()
                found = (
                    _of_record(one, other, where, alt_text) if name == _RECORD else _folders_inside(one, other, where)
                )
                yield from few(found, where)


def _files(folder: Path) -> dict[str, Path]:
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}


def _folders_inside(said: bytes, made: bytes, where: str) -> Iterator[Difference]:
    """Yield the places in a file: by its kind where that can be read, else the first byte."""
    found = list(workbook_differences(said, made, where)) if where.endswith(".xlsx") else []
    if found:
        yield from found
        return
    try:
        one, other = said.decode(), made.decode()
        found = list(_by_kind(one, other, where))
    except (ValueError, csv.Error):
        place = first_difference(said, made)
        pieces = (
            content[max(0, place - _FOLDERS_CONTEXT) : place + _FOLDERS_CONTEXT].hex(" ") for content in (said, made)
        )
        yield Difference(where=f"byte {place + 1:,} of {where}", said=next(pieces), made=next(pieces))
        return
    yield from found or [odd_byte(one, other, where)]


def _by_kind(said: str, made: str, where: str) -> Iterator[Difference]:
    if where.endswith(".csv"):
        yield from grid_differences(grid_of_csv(said), grid_of_csv(made), where)
    elif where.endswith(".json"):
        yield from json_differences(json.loads(said), json.loads(made), where)
    else:
        for number, (line, again) in enumerate(zip_longest(said.split("\n"), made.split("\n")), start=1):
            if line != again:
                yield Difference(where=f"{where}, line {number}", said=line, made=again)


def _truly_hashed(record: bytes, files: Mapping[str, Path]) -> Iterator[str]:
    """Yield the files whose hashes in `manifest.json` are theirs: where those differ, the files themselves tell why."""
    try:
        digests = json.loads(record)[_DIGESTS].items()
    except (ValueError, KeyError, TypeError, AttributeError):
        return
    for name, digest in digests:
        if name in files and hashlib.sha256(files[name].read_bytes()).hexdigest() == digest:
            yield name


def _of_record(said: bytes, made: bytes, where: str, alt_text: Collection[str]) -> Iterator[Difference]:
    """Yield the entries that differ; further ones belong to whoever made the report, such as a sweep."""
    try:
        record, again = json.loads(said), json.loads(made)
        kept = {name: value for name, value in record.items() if name in again}
        digests = kept.get(_DIGESTS)
        if isinstance(digests, dict):
            kept[_DIGESTS] = digests | {name: again[_DIGESTS][name] for name in alt_text if name in again[_DIGESTS]}
    except (ValueError, AttributeError):
        yield from _folders_inside(said, made, where)
        return
    yield from json_differences(kept, again, where)


_SHOWN = 12


def differing_ingredients(provenance: Mapping[str, object], recipe: Recipe) -> Iterator[Difference]:
    """Yield what a report was made from and is otherwise here: notebook, files of parameters, versions, commit."""
    here = notebook_hash(place_in_project(recipe.notebook))
    yield from _differing({recipe.notebook: recipe.notebook_sha256}, {recipe.notebook: here}, "notebook")
    files = _mapping(provenance, "parameters_sha256")
    yield from _differing(files, {name: _file_hash(name) for name in files}, "file")
    versions = _mapping(provenance, "versions")
    yield from _differing(versions, {name: _version(name) for name in versions}, "version of")
    if "commit" in provenance:
        said = provenance["commit"]
        yield from _differing({"commit": str(said or "not recorded")}, {"commit": commit() or "not recorded"}, "")


def differing_data(said: Mapping[str, object], made: Mapping[str, object]) -> Iterator[Difference]:
    """Yield what only making again could tell: other customers, hence other orders behind them."""
    customers = "customers_sha256"
    if customers in said:
        pair = ({"customers": str(entries.get(customers))} for entries in (said, made))
        yield from _differing(next(pair), next(pair), "orders of the")


def _differing(said: Mapping[str, str], here: Mapping[str, str | None], what: str) -> Iterator[Difference]:
    for name, entry in said.items():
        if entry != here[name]:
            program = what == "version of" or name == "commit"
            yield Difference(
                where=f"{what} {'params/' if what == 'file' else ''}{name}".strip(),
                said=_short(entry),
                made=_short(here[name]),
                about="program" if program else "content",
            )


def _short(entry: str | None) -> str:
    if entry is None:
        return "not there"
    return f"{entry[:_SHOWN]}…" if len(entry) == 64 else entry


def _mapping(provenance: Mapping[str, object], name: str) -> dict[str, str]:
    found = provenance.get(name)
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, Mapping) else {}


def _file_hash(name: str) -> str | None:
    path = root() / "params" / name
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


Agreement = Literal["bytes", "numbers", "neither"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Whether a report can be made again.

    Attributes
    ----------
    report
        The HTML file.
    agreement
        `bytes` when all bytes agree; `numbers` when only the commit or the versions of packages differ, and the places
        that name them; else `neither`.
    ingredients
        What the report was made from and is otherwise here.
    places
        Where the report and its second making differ, in the order of the page, then of the files beside it.
    files
        How many files beside the page were compared; 0 where the page came alone.
    """

    report: Path
    agreement: Agreement
    ingredients: tuple[Difference, ...]
    places: tuple[Difference, ...]
    files: int


def verify(report: Path, *, progress: Callable[[str], None] | None = None) -> Verdict:
    """Make a report again, from the notebook and the parameters that it names, and compare."""
    finished = read_report(report)
    recipe = _recipe(finished)
    notebook, parameters = _found(finished, recipe)
    ingredients = list(differing_ingredients(finished.provenance, recipe))
    with tempfile.TemporaryDirectory(prefix="cxsim-verify-", ignore_cleanup_errors=True) as folder:
        out = Path(folder) / recipe.page
        try:
            make(notebook, parameters=parameters, title=recipe.title, out=out, code=recipe.code, progress=progress)
        except CxsimError as error:
            raise ReportError(_failure(report, error, ingredients)) from error
        again = read_report(out)
        program = differing_program(finished.provenance, again.provenance)
        places = page_differences(finished.text, again.text, program)
        beside = _beside(report, recipe)
        if beside is not None:
            found = folder_differences(beside, out.with_suffix(""), out.name)
            places += [marked(place, program) for place in found]
    ingredients += differing_data(finished.provenance, again.provenance)
    return Verdict(
        report=report,
        agreement=_agreement(places),
        ingredients=tuple(ingredients),
        places=tuple(places),
        files=0 if beside is None else sum(path.is_file() for path in beside.rglob("*")),
    )


def _recipe(finished: Finished) -> Recipe:
    try:
        recipe = recipe_in(finished.provenance)
    except ReportError as error:
        raise ReportError(f"{finished.path}: {error}") from error
    if recipe is None:
        command = finished.provenance.get("command")
        advice = f"make it anew with: {command}" if command else "make it anew with `cxsim report`"
        raise ReportError(f"{finished.path}: the report does not say by which notebook it was made; {advice}")
    return recipe


def _found(finished: Finished, recipe: Recipe) -> tuple[Path, dict[str, Parameter]]:
    """Return notebook and parameters with paths of this machine."""
    if recipe.paths_outside:
        missing = ", ".join(f"{recipe.parameters.get(name, recipe.notebook)} ({name})" for name in recipe.paths_outside)
        raise ReportError(
            f"{finished.path}: made from files outside of the project, which a report does not carry: {missing}. "
            "Put them into the project, make the report from there, and it can be verified."
        )
    try:
        notebook = place_in_project(recipe.notebook)
        paths = {name: str(place_in_project(str(recipe.parameters.get(name, "")))) for name in recipe.paths_in_project}
    except ReportError as error:
        raise ReportError(f"{finished.path}: it cannot be made again here: {error}") from error
    return notebook, {**recipe.parameters, **paths}


def _failure(report: Path, error: CxsimError, ingredients: list[Difference]) -> str:
    lines = [f"{report}: it cannot be made again here: {error}"]
    if ingredients:
        lines += ["What it was made from is otherwise here:", *(one.sentence("here it is") for one in ingredients)]
    return "\n".join(lines)


def _beside(report: Path, recipe: Recipe) -> Path | None:
    """Return the report's folder of tables: of the file's name, or of its name when it was made."""
    for name in (report.name, recipe.page):
        folder = report.with_name(name).with_suffix("")
        if folder.is_dir():
            return folder
    return None


def _agreement(places: list[Difference]) -> Agreement:
    if not places:
        return "bytes"
    return "numbers" if all(place.about == "program" for place in places) else "neither"
