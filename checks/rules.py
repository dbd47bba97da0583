"""The register of house rules: a name to print, and the function that finds what breaks the rule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from checks import assertions, docstrings, faces, hygiene, names, notebooks, signatures, sizes

RULES: dict[str, Callable[[Path], list[str]]] = {
    "sizes": sizes.problems,
    "names": names.problems,
    "signatures": signatures.problems,
    "faces": faces.problems,
    "assertions": assertions.problems,
    "docstrings": docstrings.problems,
    "notebooks": notebooks.problems,
    "hygiene": hygiene.problems,
}
