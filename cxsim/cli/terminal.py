"""The name of a stream in, a console that prints to it out; and any text made safe to print."""

from __future__ import annotations

from typing import Literal

from rich.console import Console
from rich.text import Text

from cxsim.wording import NBSP

# A file or a pipe has no width of its own; at this one no table has to cut its words.
_WIDTH = 140


def console(stream: Literal["stdout", "stderr"] = "stdout") -> Console:
    """Return a console as wide as the terminal, or wide enough for every table where there is none."""
    made = Console(stderr=stream == "stderr", highlight=False)
    if not made.is_terminal:
        made.width = _WIDTH
    return made


def plain(content: object, style: str = "") -> Text:
    """Return text in which rich reads no markup, and which sends no control character to a terminal."""
    words = str(content).replace(NBSP, " ")
    letters = (letter if letter.isprintable() or letter == "\n" else "?" for letter in words)
    return Text("".join(letters), style=style)
