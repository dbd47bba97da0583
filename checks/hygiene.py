"""Files in; those that name a package registry or a path of one machine out."""

from __future__ import annotations

import re
from pathlib import Path

from checks.source import ROOT, tracked

# Written in two pieces, so that this file names none of them.
HOSTS = (
    ("pypi", "org"),
    ("pythonhosted", "org"),
    ("anaconda", "org"),
    ("npmjs", "org"),
    ("npmjs", "com"),
    ("yarnpkg", "com"),
    ("crates", "io"),
    ("rubygems", "org"),
    ("golang", "org"),
    ("debian", "org"),
    ("ubuntu", "com"),
    ("docker", "io"),
)
HOMES = ("home", "Users", "root")
LARGEST = 3_000_000


def problems(root: Path) -> list[str]:
    """Return the lines that only make sense on one machine, or that send the reader to a registry."""
    pattern = _pattern()
    found = []
    for path in tracked(root):
        if path.stat().st_size > LARGEST:
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        place = path.relative_to(root).as_posix()
        for number, line in enumerate(text.splitlines(), start=1):
            match = pattern.search(line)
            if match:
                found.append(f"{place}:{number}: names {match.group()}")
    return found


def _pattern() -> re.Pattern[str]:
    hosts = [rf"\b{name}\.{ending}\b" for name, ending in HOSTS]
    homes = [rf"(?<![\w.])/{home}/\w+" for home in HOMES]
    # The checkout's own place, unless it is so short that it could be a word (a container's /app).
    here = [re.escape(ROOT.as_posix())] if len(ROOT.parts) > 2 else []
    return re.compile("|".join(hosts + homes + here))
