"""A checkout in; its Python modules, parsed, and the files that git holds or would take out."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True, slots=True)
class Module:
    """One Python file.

    Attributes
    ----------
    place
        Path below the checkout, with slashes.
    name
        Dotted name, as it is imported.
    text
        What stands in the file.
    tree
        The same, parsed.
    """

    place: str
    name: str
    text: str
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        """Tell whether the file is the face of a package."""
        return self.place.endswith("/__init__.py")


def modules(root: Path, *folders: str) -> Iterator[Module]:
    """Yield the modules below some folders of the checkout, in the order of their paths."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            place = path.relative_to(root)
            parts = place.with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            text = path.read_text(encoding="utf-8")
            yield Module(place=place.as_posix(), name=name, text=text, tree=ast.parse(text, filename=str(path)))


def tracked(root: Path) -> Iterator[Path]:
    """Yield the files that git holds, and the new ones it would not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
        encoding="utf-8",
    ).stdout
    for place in sorted(set(listed.split("\0")) - {""}):
        if (root / place).is_file():
            yield root / place
