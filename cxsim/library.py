"""The name or the place of a file in; where it lies, in a project or in the library that comes with cxsim, out.

A project is any folder. What it has of its own counts before what the library has under the same name; of files with
many entries, such as params/sources.yaml, each entry counts so. Nothing is ever written to the library.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from cxsim.errors import ParamError, choices, refuse_unknown

Kind = Literal["scenarios", "strategies", "economics", "behaviour", "valuations", "shops", "formats"]
SOURCES_FILE, LEVERS_FILE, METRICS_FILE = "sources.yaml", "levers.yaml", "metrics.yaml"
PROJECT = "CXSIM_PROJECT"
_ALL = "`cxsim where {}`"
_PACKAGE = Path(__file__).resolve().parent


def library() -> Path:
    """Return the folder of the library: packed into an installed package, or the checkout itself."""
    packed = _PACKAGE / "library"
    return packed if packed.is_dir() else _PACKAGE.parent


def root() -> Path:
    """Return the folder of the project: the nearest one from the working folder up with scenarios, or else that one.

    Where CXSIM_PROJECT is set in the environment, it names the folder.
    """
    if named := os.environ.get(PROJECT):
        return Path(named).absolute()
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / "params" / "scenarios").is_dir()), here)


def layers(place: str) -> list[Path]:
    """Return the files that have a place, such as `params/sources.yaml`: the library's, then the project's own."""
    both = dict.fromkeys(folder.resolve() / place for folder in (library(), root()))
    return [path for path in both if path.exists()]


def at(place: str) -> Path:
    """Return the file of a place that counts: the project's own, or the library's where it has none."""
    return next(reversed(layers(place)), root() / place)


def names(kind: Kind) -> list[str]:
    """Return the names of all files of one kind, sorted."""
    return sorted({path.stem for folder in layers(f"params/{kind}") for path in folder.glob("*.yaml")})


def own_names(kind: Kind) -> list[str]:
    """Return the names of the project's own files of one kind, sorted."""
    return sorted(path.stem for path in (root() / "params" / kind).glob("*.yaml"))


def locate(kind: Kind, name: str) -> Path:
    """Return the file of a name, or of a path that ends in .yaml."""
    if name.endswith((".yaml", ".yml")):
        path = Path(name)
        if path.is_file():
            return path
        raise ParamError(f"no file {name}; {choices(path.stem, names(kind), all_in=_ALL.format(kind))}")
    return named(kind, name)


def named(kind: Kind, name: str) -> Path:
    """Return the file of a name alone."""
    refuse_unknown(name, names(kind), f"params/{kind}: no '{name}'", all_in=_ALL.format(kind))
    return at(f"params/{kind}/{name}.yaml")


def shown(path: Path) -> str:
    """Return a path as messages show it: relative to the project or to the library where it can be."""
    whole = path.resolve()
    for folder, mark in ((root().resolve(), ""), (library(), " (library)")):
        if whole.is_relative_to(folder):
            return f"{whole.relative_to(folder).as_posix()}{mark}"
    return os.fspath(path)
