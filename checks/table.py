"""A checkout in; the figures of its size and shape out, beside those of an earlier revision."""

from __future__ import annotations

import ast
import io
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path
from statistics import median

from checks import imports, reach
from checks.source import Module, modules

# Code that could be moved out of Python to look smaller, so that its lines stand beside.
BESIDE = (("params", ".yaml"), ("cxsim", ".j2"), ("cxsim", ".js"), ("cxsim", ".css"), ("checks", ".py"))


def table(root: Path, revision: str | None) -> str:
    """Return one row per figure: the checkout, and with a revision that as well."""
    columns = {"now": figures(root)}
    if revision:
        with tempfile.TemporaryDirectory() as folder:
            packed = subprocess.run(["git", "archive", revision], cwd=root, check=True, capture_output=True).stdout
            with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
                archive.extractall(folder, filter="data")
            columns = {revision: figures(Path(folder)), **columns}
    names = [name for name in columns["now"] if any(name in column for column in columns.values())]
    width = max(map(len, names))
    cells = [["", *columns], *([name, *(column.get(name, "-") for column in columns.values())] for name in names)]
    return "\n".join(f"{name:{width}}" + "".join(f"{cell:>12}" for cell in row) for name, *row in cells)


def figures(root: Path) -> dict[str, str]:
    """Return the figures of one checkout, by name."""
    package, tests = list(modules(root, "cxsim")), list(modules(root, "tests"))
    lines = [len(module.text.splitlines()) for module in package]
    concepts = [size for size, module in zip(lines, package, strict=True) if not module.is_package]
    edges = imports.imported(package)
    pairs = {(_top(one), _top(other)) for one, others in edges.items() for other in others if _top(one) != _top(other)}
    nodes, docstrings = _nodes(package), sum(map(_docstring_lines, package))
    top = {module.place.split("/")[1] for module in package}
    found = {
        "names at the top of cxsim": len(top),
        "files": len(package),
        "lines": sum(lines),
        "syntax-tree nodes": nodes,
        "median file (without __init__)": int(median(concepts)),
        "files above 600 lines": sum(size > 600 for size in lines),
        "docstring share, %": round(100 * docstrings / sum(lines)),
        "public names of cxsim": _public(package, "cxsim"),
        "pairs of top-level names that import": len({pair for pair in pairs if "" not in pair}),
        "circles of imports between files": len(imports.circles(edges)),
        "definitions that nothing reaches": len(reach.problems(root)),
        "test files": len(tests),
        "test lines": sum(len(module.text.splitlines()) for module in tests),
    }
    found |= {
        f"public names of cxsim.{name}": _public(package, f"cxsim.{name}") for name in sorted(top) if "." not in name
    }
    for folder, ending in BESIDE:
        paths = (root / folder).rglob(f"*{ending}")
        found[f"beside: lines of {folder}/*{ending}"] = sum(_lines(path) for path in paths)
    notebooks = sorted((root / "notebooks").glob("*.ipynb"))
    found["stored notebook lines"] = sum(_lines(path) for path in notebooks)
    found["stored notebook outputs, lines"] = sum(map(_output_lines, notebooks))
    found["stored notebooks, kB"] = sum(path.stat().st_size for path in notebooks) // 1000
    return {name: f"{value:,}" for name, value in found.items()}


def _top(name: str) -> str:
    return name.split(".")[1] if "." in name else ""


def _nodes(package: list[Module]) -> int:
    return sum(sum(1 for _ in ast.walk(module.tree)) for module in package)


def _docstring_lines(module: Module) -> int:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found = [ast.get_docstring(node, clean=False) for node in ast.walk(module.tree) if isinstance(node, kinds)]
    return sum(text.count("\n") + 1 for text in found if text is not None)


def _public(package: list[Module], name: str) -> int:
    """Count what a package lists in __all__."""
    for module in package:
        for node in module.tree.body if module.name == name else ():
            match node:
                case ast.Assign(targets=[ast.Name(id="__all__")], value=ast.List(elts=listed) | ast.Tuple(elts=listed)):
                    return len(listed)
    return 0


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def _output_lines(path: Path) -> int:
    """Count the lines that outputs take in a notebook as it is written, one entry a line."""
    text = path.read_text(encoding="utf-8")
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if "outputs" in cell:
            cell["outputs"] = []
    return len(text.splitlines()) - len(json.dumps(notebook, indent=1).splitlines())
