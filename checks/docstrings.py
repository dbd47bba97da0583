"""The package in; public functions and classes whose docstrings leave something out, out. numpydoc reads them."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from numpydoc.docscrape import get_doc_object
from numpydoc.validate import validate

from checks.source import Module, modules

# Every public docstring: sections that numpydoc knows, in its order, after a summary of one imperative line; what is
# said of parameters is true.
ALWAYS = frozenset(
    {"GL03", "GL05", "GL06", "GL07", "GL08", "SS01", "SS02", "SS03", "SS04", "SS05", "SS06", "PR02", "PR03", "PR07"}
)
# What a room shows to others also says what each argument means, and what comes out.
AT_A_DOOR = ALWAYS | {"PR01", "RT01", "RT03", "YD01"}
TAG = re.compile(r"Literal\[[^,]*\]")
# A summary that begins so has said what comes out.
SAYS_RESULT = ("Return ", "Yield ", "Tell ")


def problems(root: Path) -> list[str]:
    """Return what numpydoc, and a look at the fields of dataclasses, find in public docstrings."""
    found = []
    for module in modules(root, "cxsim"):
        depth = module.name.count(".")
        if module.name == "cxsim" or depth > 1:
            continue
        try:
            loaded = importlib.import_module(module.name)
        except ImportError as error:
            found.append(f"{module.name} cannot be imported: {error}")
            continue
        codes = AT_A_DOOR if module.is_package else ALWAYS
        for name, thing in _public(module, loaded):
            found += [f"{module.name}.{name}: {fault}" for fault in faults(thing, codes)]
    return found


def _public(module: Module, loaded: ModuleType) -> Iterator[tuple[str, Any]]:
    """Yield what a room shows; for a room of one file, what is written there."""
    names = loaded.__all__ if module.is_package else [name for name in vars(loaded) if not name.startswith("_")]
    for name in names:
        # numba keeps the function that it compiled.
        thing = getattr(getattr(loaded, name), "py_func", getattr(loaded, name))
        at_home = module.is_package or getattr(thing, "__module__", None) == module.name
        if at_home and (inspect.isclass(thing) or inspect.isfunction(thing)):
            yield name, thing


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
        told = {name for entry in documented["Attributes"] for name in entry.name.split(", ")}
        fields = {field.name for field in dataclasses.fields(thing) if not field.name.startswith("_")}
        # A field with one possible value only tells one dataclass from another in a file.
        tags = {field.name for field in dataclasses.fields(thing) if TAG.fullmatch(str(field.type))}
        for name in sorted(fields - told - tags):
            yield f"the attribute '{name}' is not documented."
        for name in sorted(told - set(dir(thing)) - fields):
            yield f"the attribute '{name}' is documented, but there is none."
