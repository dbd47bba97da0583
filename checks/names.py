"""Modules in; names that say nothing, and words that two trades read differently, out. See docs/glossary.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from checks.source import Module, modules

# Terms of the field that hold an empty word.
TERMS = ("base_case", "BaseCase")
EMPTY = frozenset({"base", "common", "helper", "helpers", "misc", "util", "utils"})
# What stands instead of each word.
TRAPS = {
    "aov": "mean_spend",
    "churn": "dropout_prob",
    "churn_rate": "dropout_prob",
    "churn_score": "prob_alive",
    "discount": "markdown, coupon or annual_discount_rate",
    "discount_rate": "annual_discount_rate",
    "discounts": "markdown or coupon",
    "freq": "frequency",
    "lambda_": "purchase_rate",
    "recency": "recency_days or idle_days",
    "tenure": "age_days",
}
# Private words where the field has its own, in names and in what readers see.
FIELD = {
    "appraisal": "valuation",
    "believed": "prior",
    "dearest": "most valuable",
    "exhibits": "tables and figures",
    "foretell": "forecast",
    "foretold": "forecast or expected",
    "ignorance": "uncertainty",
    "knowing": "value of information",
    "luck": "random numbers, sampling error or chance",
    "mimes": "mime types",
    "tallies": "counts",
    "told": "alternative text",
    "turned": "localised",
    "unneeded": "deleted",
    "watched": "observed or follow-up",
}
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def problems(root: Path) -> list[str]:
    """Return the empty names of files, functions and classes, and the misleading names of values."""
    found = []
    for module in modules(root, "cxsim", "checks", "benchmarks", "tests"):
        steps = Path(module.place).with_suffix("").parts
        empty = [step for step in steps if EMPTY & set(_bare(step).removeprefix("test").split("_"))]
        found += [f"{module.place}: '{step}' says nothing; name the concept." for step in empty]
        found += [f"{module.place}:{line}: {fault}" for line, fault in _in_code(module)]
        if module.place.startswith(("cxsim/", "benchmarks/")):
            found += [
                f"{module.place}:{line}: the field does not say '{word}'; say {FIELD[word]}."
                for line, text in enumerate(module.text.splitlines(), start=1)
                for word in sorted({found.lower() for found in WORD.findall(text)} & FIELD.keys())
            ]
    return found


def _bare(name: str) -> str:
    for term in TERMS:
        name = name.replace(term, "")
    return name


def _in_code(module: Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module.tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                if _bare(name).lower().strip("_") in EMPTY or _bare(name).startswith("Base"):
                    yield node.lineno, f"'{name}' says nothing; name the concept."
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                pass
            case _:
                continue
        if name in TRAPS:
            yield node.lineno, f"'{name}' misleads; say {TRAPS[name]}."
