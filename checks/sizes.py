"""Modules in; files of 300 lines and more, and functions of 40 and more, out. A file is one concept."""

from __future__ import annotations

import ast
from pathlib import Path

from checks.source import modules

LINES_IN_A_FILE = 300
LINES_IN_A_FUNCTION = 40


def problems(root: Path) -> list[str]:
    """Return the files and functions that have grown too long."""
    found = []
    for module in modules(root, "cxsim", "checks"):
        lines = len(module.text.splitlines())
        if lines >= LINES_IN_A_FILE:
            found.append(f"{module.place}: {lines} lines; a file has fewer than {LINES_IN_A_FILE}.")
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = _lines(node)
                if lines >= LINES_IN_A_FUNCTION:
                    found.append(
                        f"{module.place}:{node.lineno}: {node.name} has {lines} lines without its docstring; "
                        f"a function has fewer than {LINES_IN_A_FUNCTION}."
                    )
    return found


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count from `def` to the end, without the docstring."""
    whole = (function.end_lineno or function.lineno) - function.lineno + 1
    docstring = ast.get_docstring(function, clean=False)
    return whole - (docstring.count("\n") + 1 if docstring is not None else 0)
