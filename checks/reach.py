"""Modules in; definitions that no command, public name, notebook or executed example reaches, out.

The search is static: a definition reaches what the names in it stand for, followed through imports and re-exports. A
method counts as reached once its class is and its name is used as an attribute anywhere.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from checks.source import Module, modules

Node = tuple[str, str]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
STARTED = re.compile(r"-m (cxsim[\w.]*)")
# A module's statements that define nothing run whenever anything of the module is reached.
STATEMENTS = "<statements>"


@dataclass(frozen=True, kw_only=True, slots=True)
class _File:
    """What one module defines, what its names stand for, and where each definition begins."""

    module: Module
    bodies: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imports: dict[str, Node] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)


def problems(root: Path) -> list[str]:
    """Return the definitions of the package that nothing reaches."""
    files = {module.name: _read(module) for module in modules(root, "cxsim")}
    reached, attributes = _reached(files, list(_roots(root, files)))
    found = []
    for name, file in files.items():
        for defined, bodies in file.bodies.items():
            place = f"{file.module.place}:{file.lines[defined]}"
            if defined == STATEMENTS or defined.startswith("__"):
                continue
            if (name, defined) not in reached:
                found.append(f"{place}: nothing reaches {defined}; delete it with its tests, or show it to users.")
            for body in bodies:
                found += [
                    f"{file.module.place}:{method.lineno}: nothing reaches {defined}.{method.name}; delete it."
                    for method in _methods(body)
                    if (name, defined) in reached and method.name not in attributes
                ]
    return found


def _methods(body: ast.stmt) -> Iterator[ast.FunctionDef]:
    """Yield the methods of a class that only their name can call; hooks of an outside parent are called by it."""
    if isinstance(body, ast.ClassDef) and not _foreign(body):
        for node in body.body:
            hook = isinstance(node, ast.FunctionDef) and node.name.startswith("_") and node.name.endswith("_")
            if isinstance(node, ast.FunctionDef) and not hook and not _validates(node):
                yield node


def _foreign(body: ast.ClassDef) -> bool:
    return any(not isinstance(parent, ast.Name) or parent.id != "Protocol" for parent in body.bases)


def _validates(node: ast.FunctionDef) -> bool:
    """Tell whether a library calls the method through its decorator."""
    return any(
        "valid" in ast.unparse(decorator) or "serial" in ast.unparse(decorator) for decorator in node.decorator_list
    )


def _read(module: Module) -> _File:
    file = _File(module=module)
    for node in module.tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names = [name]
            case ast.Assign(targets=targets):
                names = [inner.id for target in targets for inner in ast.walk(target) if isinstance(inner, ast.Name)]
            case ast.AnnAssign(target=ast.Name(id=name)):
                names = [name]
            case _:
                names = [STATEMENTS]
        for name in names:
            file.bodies.setdefault(name, []).append(node)
            file.lines.setdefault(name, node.lineno)
    for inner in ast.walk(module.tree):
        file.imports.update(_imported(inner))
    return file


def _imported(node: ast.AST) -> dict[str, Node]:
    match node:
        case ast.ImportFrom(module=str(source), names=names) if source.split(".")[0] == "cxsim":
            return {alias.asname or alias.name: (source, alias.name) for alias in names}
        case ast.Import(names=names):
            ours = [alias for alias in names if alias.asname and alias.name.startswith("cxsim")]
            return {alias.asname: (alias.name, "") for alias in ours if alias.asname}
        case _:
            return {}


def _roots(root: Path, files: dict[str, _File]) -> Iterator[Node]:
    """Yield what is started from outside: commands, the public face, programs, and the code of notebooks and docs."""
    for name, file in files.items():
        if f"{name}.".startswith("cxsim.cli."):
            yield from ((name, defined) for defined in file.bodies if not defined.startswith("_"))
    yield from (("cxsim", name) for name in [*files["cxsim"].imports, *files["cxsim"].bodies])
    for text in _outside(root):
        file = _read(Module(place="", name="", text=text, tree=ast.parse(text)))
        for body in file.module.tree.body:
            yield from _named(body, "", file, files)
    for path in (root / "Makefile", root / "README.md"):
        for started in STARTED.findall(path.read_text(encoding="utf-8")):
            yield from ((started, defined) for defined in files[started].bodies) if started in files else ()


def _outside(root: Path) -> Iterator[str]:
    """Yield the Python code of notebooks, README and docs; the tests run all of it."""
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        yield "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    for path in [root / "README.md", *sorted((root / "docs").rglob("*.md"))]:
        yield "\n".join(BLOCK.findall(path.read_text(encoding="utf-8")))


def _reached(files: dict[str, _File], roots: Iterable[Node]) -> tuple[set[Node], set[str]]:
    """Follow all names from the roots; return the definitions and the attribute names met on the way."""
    reached: set[Node] = set()
    attributes: set[str] = set()
    waiting = list(roots)
    while waiting:
        module, name = waiting.pop()
        if not module:
            attributes.add(name)
            continue
        node = _home(files, module, name)
        if node is None or node in reached:
            continue
        reached.add(node)
        file = files[node[0]]
        waiting.append((node[0], STATEMENTS))
        for body in file.bodies.get(node[1], []):
            waiting += _named(body, node[0], file, files)
    return reached, attributes


def _home(files: dict[str, _File], module: str, name: str) -> Node | None:
    """Find the file that defines a name, through re-exports."""
    while module in files:
        file = files[module]
        if name in file.bodies:
            return (module, name)
        if name in file.imports and file.imports[name] != (module, name):
            module, name = file.imports[name]
        else:
            return None
    return None


def _named(body: ast.stmt, module: str, file: _File, files: dict[str, _File]) -> Iterator[Node]:
    """Yield what the names of a statement may stand for; ("", name) is an attribute of something unknown."""
    looked_into = {id(node.value) for node in ast.walk(body) if isinstance(node, ast.Attribute)}
    for node in ast.walk(body):
        source = _dotted(node, file) if id(node) not in looked_into else ""
        # A module handed on as a value: whoever gets it may call all that it shows.
        if source in files and source != "cxsim":
            shown = {**(files[source].imports if files[source].module.is_package else {}), **files[source].bodies}
            yield from ((source, name) for name in shown if not name.startswith("_"))
        match node:
            case ast.Name(id=name):
                yield file.imports.get(name, (module, name))
            case ast.Attribute(value=value, attr=attr):
                yield ("", attr)
                source = _dotted(value, file)
                if source in files:
                    yield (source, attr)
            case ast.Constant(value=str(text)) if text.isidentifier():
                yield ("", text)


def _dotted(node: ast.AST, file: _File) -> str:
    """Return the module that an expression may be, or nothing."""
    match node:
        case ast.Name(id="cxsim"):
            return "cxsim"
        case ast.Name(id=name) if name in file.imports:
            return ".".join(filter(None, file.imports[name]))
        case ast.Attribute(value=value, attr=attr):
            return f"{_dotted(value, file)}.{attr}"
        case _:
            return ""
