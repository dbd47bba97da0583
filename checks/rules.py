"""The register of house rules: a name to print, and the function that finds what breaks the rule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from checks.assertions import problems as assertions_problems
from checks.docstrings import problems as docstrings_problems
from checks.faces import problems as faces_problems
from checks.hygiene import problems as hygiene_problems
from checks.names import problems as names_problems
from checks.notebooks import problems as notebooks_problems
from checks.signatures import problems as signatures_problems
from checks.sizes import problems

RULES: dict[str, Callable[[Path], list[str]]] = {
    "sizes": problems,
    "names": names_problems,
    "signatures": signatures_problems,
    "faces": faces_problems,
    "assertions": assertions_problems,
    "docstrings": docstrings_problems,
    "notebooks": notebooks_problems,
    "hygiene": hygiene_problems,
}
