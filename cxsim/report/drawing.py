"""A drawing as Vega writes it goes in, the same drawing in about half of the text comes out."""

from __future__ import annotations

import re

# An attribute's value may hold the sign that ends an element, text between elements never holds the one that begins it.
_ELEMENT = re.compile(r'<(?:"[^"]*"|[^">])*>')
# The page gives the drawing a name and the role of a picture, so nobody hears what its parts are called.
_UNHEARD = re.compile(r' (?:role|class|pointer-events|aria-[a-z]+)="[^"]*"| (?:fill-|stroke-)?opacity="1"')
_PLACES = re.compile(r'(?<= )(d|transform|points|[xyr]|[xy][12]|c[xy]|width|height)="([^"]*)"')
_FINE = re.compile(r"-?\d+(?:\.\d{3,}(?:e-?\d+)?|(?:\.\d+)?e-\d+)")
_FONT = re.compile(r' font-family="[^"]*"')
# Boxes of groups that have neither a filling nor a line.
_UNSEEN = re.compile(
    r'<path class="(?:foreground"[^>]* display="none"|background" aria-hidden="true" d="[^"]*")[^>]*/>'
)
_PAINTED = re.compile(r' (?:fill|stroke)="')
_EMPTY = re.compile(r"<g[^>]*></g>")
_ROOT = '<g fill="none"'


def slim(svg: str) -> str:
    """Return a drawing without what nobody sees, and with places to a hundredth of a pixel."""
    svg = _UNSEEN.sub(lambda found: found[0] if _PAINTED.search(found[0]) else "", svg)
    svg = _ELEMENT.sub(lambda found: _PLACES.sub(_rounded, _UNHEARD.sub("", found[0])), svg)
    svg = _one_font(svg)
    while (emptied := _EMPTY.sub("", svg)) != svg:
        svg = emptied
    return svg


def _rounded(place: re.Match[str]) -> str:
    # What is scaled is small before it is drawn.
    value = place[2] if "scale(" in place[2] or "matrix(" in place[2] else _FINE.sub(_hundredths, place[2])
    return f'{place[1]}="{value}"'


def _hundredths(number: re.Match[str]) -> str:
    return f"{round(float(number[0]), 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def _one_font(svg: str) -> str:
    """Say once for the whole drawing in which letters it is written, if it is written in one kind."""
    fonts = set(_FONT.findall(svg))
    if len(fonts) != 1 or _ROOT not in svg:
        return svg
    return _FONT.sub("", svg).replace(_ROOT, f"{_ROOT}{fonts.pop()}", 1)
