"""HTML made by a notebook goes in, HTML that is safe, offline and accessible comes out, with its table of contents."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bs4 import BeautifulSoup, Tag

from cxsim.errors import ReportError

_ACTIVE = ("script", "iframe", "object", "embed", "link", "base", "meta", "form", "frame", "applet", "portal")
_HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"]
_FETCH = re.compile(r"@import|url\(\s*['\"]?\s*(?!data:|#|['\"#])", re.IGNORECASE)
_ALLOWED_LINK = re.compile(r"(?:#|\./)|(?![a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)
_WEB_LINK = re.compile(r"https?:|mailto:", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Body:
    """The middle of a page.

    Attributes
    ----------
    html
        The notebook's text, tables and slots for figures.
    contents
        Anchor and text of each heading of the second level.
    has_title
        Whether there is a heading of the first level.
    """

    html: str
    contents: tuple[tuple[str, str], ...]
    has_title: bool


def tidy(html: str, *, reserved: frozenset[str]) -> Body:
    """Refuse active content, give headings unique anchors, and let wide tables scroll by themselves."""
    soup = BeautifulSoup(html, "html.parser")
    for element in soup.select("*"):
        _require_passive(element)
        _spell_out_link(element)
        element.attrs.pop("tabindex", None)
    contents = _anchors(soup, reserved)
    _scroll(soup)
    return Body(html=str(soup), contents=contents, has_title=soup.find("h1") is not None)


def _require_passive(element: Tag) -> None:
    if element.name in _ACTIVE:
        raise _refusal(element, f"a <{element.name}> element")
    for name, value in element.attrs.items():
        text = " ".join(value) if isinstance(value, list) else str(value)
        if name.lower().startswith("on"):
            raise _refusal(element, f"the handler {name}")
        if name.lower() in ("src", "srcset", "poster", "background", "data") and not text.lower().startswith("data:"):
            raise _refusal(element, f"{name}={text!r}")
        if name.lower() == "style" and _FETCH.search(text):
            raise _refusal(element, f"style={text!r}")
        if name.lower().endswith("href") and not (_ALLOWED_LINK.match(text) or _WEB_LINK.match(text)):
            raise _refusal(element, f"the link {text!r}")
    if element.name == "style" and _FETCH.search(element.get_text()):
        raise _refusal(element, "a style that fetches a file")


def _refusal(element: Tag, what: str) -> ReportError:
    cell = element.find_parent(attrs={"data-cell": True})
    where = f"cell {cell['data-cell']} of the notebook" if cell is not None else "the notebook"
    return ReportError(f"{where} brings {what}; a report shows text, tables, pictures and charts, and fetches nothing.")


def _spell_out_link(element: Tag) -> None:
    """Print a web address instead of linking to it: the file is read offline and on paper."""
    address = element.attrs.get("href")
    if not isinstance(address, str) or not _WEB_LINK.match(address):
        return
    text = element.get_text().strip()
    element.name = "span"
    element.attrs = {"class": "cx-source"}
    if address.rstrip("/") != text.rstrip("/"):
        element.append(f" ({address.removeprefix('mailto:')})")


def _anchors(soup: BeautifulSoup, reserved: frozenset[str]) -> tuple[tuple[str, str], ...]:
    taken = set(reserved) | {str(element["id"]) for element in soup.find_all(id=True) if element.name not in _HEADINGS}
    contents = []
    for heading in soup.find_all(_HEADINGS):
        text = " ".join(heading.get_text().split())
        stem = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "section"
        anchor, number = stem, 2
        while anchor in taken:
            anchor, number = f"{stem}-{number}", number + 1
        taken.add(anchor)
        heading["id"] = anchor
        if heading.name == "h2":
            contents.append((anchor, text))
    return tuple(contents)


def _scroll(soup: BeautifulSoup) -> None:
    for table in soup.find_all("table"):
        for head in table.select("thead th:not([scope])"):
            head["scope"] = "col"
        if table.find_parent(class_="cx-scroll") is None:
            table.wrap(soup.new_tag("div", attrs={"class": "cx-scroll"}))
