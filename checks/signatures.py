"""Modules in; public signatures with flags, catch-alls, shapeless dicts or too many places out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from checks.source import Module, modules

Function = ast.FunctionDef | ast.AsyncFunctionDef

PLACES = 4
# A command line is made of flags, so cxsim.cli is left out. Each other exception has its reason here.
FLAGS_ALLOWED = {
    "load_cdnow.sample": "the literature itself names the data so: the one-in-ten sample, or the whole master file",
}
# numba's own, and those of cxsim.compiled.
COMPILERS = frozenset({"guvectorize", "jit", "njit", "vectorize", "counted", "inlined", "lean"})


def problems(root: Path) -> list[str]:
    """Return what is wrong with the public signatures of the package."""
    package = list(modules(root, "cxsim"))
    compilers = COMPILERS.union(*(_compilers(module) for module in package))
    return [
        f"{module.place}:{function.lineno}: {function.name} {fault}"
        for module in package
        if not f"{module.name}.".startswith("cxsim.cli.")
        for function in _public(module)
        for fault in _faults(function, compilers)
    ]


def _compilers(module: Module) -> set[str]:
    """Return the names under which a file keeps a compiler with its options."""
    return {
        node.targets[0].id
        for node in module.tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and _last_name(node.value) in COMPILERS
    }


def _public(module: Module) -> Iterator[Function]:
    """Yield public functions and the public methods of public classes; a Protocol describes what others wrote."""
    if any(step.startswith("_") for step in module.name.split(".")):
        return
    for node in module.tree.body:
        holders = node.body if isinstance(node, ast.ClassDef) and not _is_protocol(node) else [node]
        if isinstance(node, ast.ClassDef) and node.name.startswith("_"):
            continue
        for inner in holders:
            if isinstance(inner, Function) and not inner.name.startswith("_"):
                yield inner


def _faults(function: Function, compilers: frozenset[str]) -> Iterator[str]:
    arguments = function.args
    if arguments.vararg or arguments.kwarg:
        yield "takes *args or **kwargs; name what it takes."
    places = [argument for argument in arguments.posonlyargs + arguments.args if argument.arg not in {"self", "cls"}]
    # A compiled function cannot take keyword-only arguments.
    if len(places) > PLACES and not _is_compiled(function, compilers):
        yield f"has {len(places)} positional arguments; past the {PLACES}th they are keyword-only."
    for argument, default in _with_defaults(arguments):
        flag = f"{function.name}.{argument.arg}"
        if (_is_bool(argument.annotation) or _is_bool_constant(default)) and flag not in FLAGS_ALLOWED:
            yield f"has the flag '{argument.arg}'; let a Literal say what each case means."
        if isinstance(default, ast.List | ast.Dict | ast.Set):
            yield f"has a default for '{argument.arg}' that can change; use a tuple or None."
    annotations = [argument.annotation for argument, _ in _with_defaults(arguments)] + [function.returns]
    if any("dict[str, Any]" in ast.unparse(annotation) for annotation in annotations if annotation):
        yield "speaks dict[str, Any]; a dataclass says what is inside."


def _with_defaults(arguments: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    placed = arguments.posonlyargs + arguments.args
    missing: list[ast.expr | None] = [None] * (len(placed) - len(arguments.defaults))
    yield from zip(placed, missing + list(arguments.defaults), strict=True)
    yield from zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)


def _is_bool(annotation: ast.expr | None) -> bool:
    match annotation:
        case ast.Name(id="bool"):
            return True
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _is_bool(left) or _is_bool(right)
        case _:
            return False


def _is_bool_constant(default: ast.expr | None) -> bool:
    return isinstance(default, ast.Constant) and isinstance(default.value, bool)


def _is_protocol(node: ast.ClassDef) -> bool:
    return any(_last_name(parent) == "Protocol" for parent in node.bases)


def _is_compiled(function: Function, compilers: frozenset[str]) -> bool:
    return any(_last_name(decorator) in compilers for decorator in function.decorator_list)


def _last_name(node: ast.expr) -> str:
    """Return the last word of a dotted name, whether it is called or indexed."""
    match node:
        case ast.Call(func=inner) | ast.Subscript(value=inner):
            return _last_name(inner)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""
