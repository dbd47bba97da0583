"""Files under params/ in; everything that is wrong with them, in words, out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from cxsim.behaviour import Behaviour
from cxsim.errors import ParamError, choices
from cxsim.params import LEVERS_FILE, SOURCES_FILE, Kind, names, read, root, schema_text, shown, source_names, sources
from cxsim.quantity import quantities
from cxsim.scenario.scenario import files_of, resolved
from cxsim.scenario.valuation import Valuation
from cxsim.scenario.written import ScenarioFile
from cxsim.strategies import Lever, Strategy, load_levers, refuse_unmeasured
from cxsim.valuation import Economics

SHAPES: dict[str, type[object]] = {
    "scenarios": ScenarioFile,
    "strategies": Strategy,
    "economics": Economics,
    "behaviour": Behaviour,
    "valuations": Valuation,
    "levers": dict[str, Lever],
}
SCHEMA_FILE = "schema.json"


def check_params(paths: Sequence[Path]) -> list[str]:
    """Return what is wrong with the files."""
    # A strategy's mistakes are also those of the scenarios that name it; they are told once.
    found = dict.fromkeys(problem for path in params_files(paths) for problem in _problems(path))
    return list(found)


def params_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files to check, sorted within each folder."""
    found: list[Path] = []
    for path in paths or [root() / "params"]:
        if not path.exists():
            raise ParamError(f"no file or folder {path}.")
        inside = [*path.rglob("*.yaml"), *path.rglob("*.yml"), *path.rglob(SCHEMA_FILE)] if path.is_dir() else [path]
        if not inside:
            raise ParamError(f"{path}: no YAML file in this folder.")
        found += sorted(inside)
    return found


def write_schemas() -> Path:
    """Write params/schema.json anew: the JSON schemas of all kinds of files, for editors."""
    file = root() / "params" / SCHEMA_FILE
    try:
        file.write_bytes(schema_text(SHAPES).encode())
    except OSError as cause:
        raise ParamError(f"{shown(file)}: cannot be written ({cause.strerror}).") from cause
    return file


def _problems(path: Path) -> Iterator[str]:
    match path.name, path.parent.name:
        case (name, _) if name == SCHEMA_FILE:
            yield from _of_schema(path)
        case (name, _) if name == SOURCES_FILE:
            yield from _told(_of_sources, path)
        case (name, _) if name == LEVERS_FILE:
            yield from _told(_of_levers, path)
        case (_, kind) if kind in _CHECKS:
            yield from _told(_CHECKS[kind], path)
        case (_, kind):
            yield f"{shown(path)}: lies in '{kind}', so it is not known what it holds; {choices(kind, _CHECKS)}"


def _told(mistakes: Callable[[Path], Iterator[str]], path: Path) -> Iterator[str]:
    try:
        yield from mistakes(path)
    except ParamError as error:
        yield from str(error).splitlines()


def _of_schema(path: Path) -> Iterator[str]:
    if path.read_bytes() != schema_text(SHAPES).encode():
        yield f"{shown(path)}: differs from what the code reads; write it anew with `cxsim check --write-schema`."


def _of_sources(path: Path) -> Iterator[str]:
    for key, source in sources(path).items():
        if not source.measured.strip():
            yield f"{shown(path)}: {key}.measured: empty; say what was measured, and on whom."


def _of_levers(path: Path) -> Iterator[str]:
    load_levers(path)
    return iter(())


def _of_scenario(path: Path) -> Iterator[str]:
    written = read(path, ScenarioFile)
    files = files_of(written, shown(path))
    yield from _told(_of_economics, files.economics)
    for file in files.strategies:
        yield from _told(_of_strategy, file)
    if files.behaviour is not None:
        yield from _told(_of_behaviour, files.behaviour)
    yield from _of_quantities(path, written)
    resolved(written, shown(path))
    yield from _of_name(path, "valuations")


def _of_valuation(path: Path) -> Iterator[str]:
    yield from _of_quantities(path, read(path, Valuation))
    yield from _of_name(path, "scenarios")


def _of_economics(path: Path) -> Iterator[str]:
    yield from _of_quantities(path, read(path, Economics))


def _of_strategy(path: Path) -> Iterator[str]:
    strategy = read(path, Strategy)
    yield from _of_quantities(path, strategy)
    try:
        refuse_unmeasured([strategy])
    except ParamError as cause:
        yield f"{shown(path)}: {cause}"


def _of_behaviour(path: Path) -> Iterator[str]:
    yield from _of_quantities(path, read(path, Behaviour))


def _of_name(path: Path, other: Kind) -> Iterator[str]:
    """Refuse a name that also stands under `other`: it would not say which report is meant."""
    if path.resolve().is_relative_to(root() / "params") and path.stem in names(other):
        yield f"{shown(path)}: there is a file {other}/{path.name} too; give one of them another name."


def _of_quantities(path: Path, holder: object) -> Iterator[str]:
    known = source_names()
    for key, quantity in quantities(holder):
        source = quantity.source
        if source is not None and source not in known:
            yield f"{shown(path)}: {key}.source: no '{source}' in {SOURCES_FILE}; {choices(source, known)}"
        if not quantity.description.strip():
            yield f"{shown(path)}: {key}.description: empty; say what the number means."


_CHECKS = {
    "scenarios": _of_scenario,
    "strategies": _of_strategy,
    "economics": _of_economics,
    "behaviour": _of_behaviour,
    "valuations": _of_valuation,
}
