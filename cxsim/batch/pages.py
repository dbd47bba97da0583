"""A template and what it shows in; a page without scripts that needs no network out."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cxsim.report.render import stylesheet

_TEMPLATES = Path(__file__).parent / "templates"
_PAGES = Environment(
    loader=FileSystemLoader(_TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page_text(template: str, *, title: str, content: Mapping[str, object]) -> str:
    """Return a page in the style of a report, which may load nothing and run nothing."""
    style = stylesheet() + (_TEMPLATES / "index.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{digest}'"
    return _PAGES.get_template(template).render(title=title, style=style, policy=policy, **content)


def link(name: str) -> str:
    """Return a link to a file beside the page.

    >>> link("cdnow-quick,draws=40.html")
    './cdnow-quick%2Cdraws%3D40.html'
    """
    return f"./{quote(name)}"


def size(number: int) -> str:
    r"""Return a number of bytes in words.

    >>> size(1_256_206), size(940)
    ('1.3\xa0MB', '1\xa0kB')
    """
    if number >= 950_000:
        return f"{number / 1e6:.1f}\N{NO-BREAK SPACE}MB"
    return f"{max(1, round(number / 1e3))}\N{NO-BREAK SPACE}kB"
