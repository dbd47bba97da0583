"""The register of house rules: a name to print, and the function that finds what breaks the rule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from checks import assertions, docstrings, figures, hygiene, imports, names, notebooks, reach, signatures, sizes

RULES: dict[str, Callable[[Path], list[str]]] = {
    "sizes": sizes.problems,
    "names": names.problems,
    "signatures": signatures.problems,
    "imports": imports.problems,
    "reach": reach.problems,
    "assertions": assertions.problems,
    "docstrings": docstrings.problems,
    "notebooks": notebooks.problems,
    "figures": figures.problems,
    "hygiene": hygiene.problems,
}
