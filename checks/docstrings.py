"""The package in; docstrings of users' names that leave something out, and long ones that no user reads, out."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from numpydoc.docscrape import get_doc_object
from numpydoc.validate import validate

from checks.source import Module, modules

# What users call says, in numpydoc's sections and order, what it does, what each argument means and what comes out.
FOR_USERS = frozenset(
    {"GL03", "GL05", "GL06", "GL07", "GL08", "SS01", "SS02", "SS03", "SS04", "SS05", "SS06"}
    | {"PR01", "PR02", "PR03", "PR07", "RT01", "RT03", "YD01"}
)
TAG = re.compile(r"Literal\[[^,]*\]")
SECTION = re.compile(r"^\s*(Parameters|Returns|Yields|Raises|Examples)\n\s*-{3,}", re.MULTILINE)
# A summary that begins so has said what comes out.
SAYS_RESULT = ("Return ", "Yield ", "Tell ")


def problems(root: Path) -> list[str]:
    """Return what is missing where users read, and sections where nobody does."""
    package = list(modules(root, "cxsim"))
    shown = dict(_shown(package))
    classes = [parent for thing in shown.values() if inspect.isclass(thing) for parent in inspect.getmro(thing)]
    methods = {f"{one.__module__}.{one.__name__}.{method}" for one in classes for method in vars(one)}
    found = [
        f"{name}: {fault}"
        for name, thing in shown.items()
        if inspect.isclass(thing) or inspect.isfunction(thing)
        for fault in faults(thing, FOR_USERS)
    ]
    return found + [fault for module in package for fault in _too_long(module, methods.union(shown))]


def _shown(package: list[Module]) -> Iterator[tuple[str, Any]]:
    """Yield what packages show to users, under the name of the file that defines it."""
    for module in package:
        if module.is_package:
            loaded = importlib.import_module(module.name)
            for name in getattr(loaded, "__all__", ()):
                thing = getattr(loaded, name)
                thing = getattr(thing, "py_func", thing)  # numba keeps the function that it compiled
                yield f"{getattr(thing, '__module__', module.name)}.{name}", thing


def _too_long(module: Module, shown: set[str]) -> Iterator[str]:
    """Yield the functions that no user calls, and that are documented as if one did."""
    for holder in ast.walk(module.tree):
        prefix = f"{module.name}.{holder.name}" if isinstance(holder, ast.ClassDef) else module.name
        for node in getattr(holder, "body", ()) if isinstance(holder, ast.ClassDef | ast.Module) else ():
            inside = isinstance(node, ast.FunctionDef) and f"{prefix}.{node.name}" not in shown
            if inside and SECTION.search(ast.get_docstring(node) or ""):
                yield f"{module.place}:{node.lineno}: {node.name} is inside; one sentence is enough."


def faults(thing: Any, codes: frozenset[str]) -> Iterator[str]:
    """Yield what one docstring leaves out or gets wrong; `codes` are those of numpydoc that count."""
    documented = get_doc_object(thing)
    summary = " ".join(documented["Summary"])
    for code, fault in validate(documented)["errors"]:
        said = code in {"RT01", "YD01"} and summary.startswith(SAYS_RESULT)
        # The fields of a class are its attributes, looked at below; numpydoc would ask for them as parameters.
        field = inspect.isclass(thing) and code.startswith("PR")
        if code in codes and not said and not field:
            yield f"{fault} ({code})"
    if dataclasses.is_dataclass(thing):
        listed = {name for entry in documented["Attributes"] for name in entry.name.split(", ")}
        fields = {field.name for field in dataclasses.fields(thing) if not field.name.startswith("_")}
        # A field with one possible value only tells one dataclass from another in a file.
        tags = {field.name for field in dataclasses.fields(thing) if TAG.fullmatch(str(field.type))}
        for name in sorted(fields - listed - tags):
            yield f"the attribute '{name}' is not documented."
        for name in sorted(listed - set(dir(thing)) - fields):
            yield f"the attribute '{name}' is documented, but there is none."
