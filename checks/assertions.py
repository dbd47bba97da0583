"""Tests in; those that could not fail out."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from checks.source import modules

CLAIM = re.compile(r"\bassert\b|\braises\b|\bassert_\w+|\bwarns\b")


def problems(root: Path) -> list[str]:
    """Return the tests that claim nothing."""
    return [
        f"{module.place}:{node.lineno}: {node.name} claims nothing; what would make it fail?"
        for module in modules(root, "tests")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not CLAIM.search(ast.unparse(node))
    ]
