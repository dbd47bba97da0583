"""The name of a scenario, and what is changed of it, in; the scenario with everything that it names out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, Literal, get_args

from cxsim.data.exports.formats import Format
from cxsim.data.exports.read_shop import checked_format
from cxsim.errors import ParamError, choices, refuse_unknown
from cxsim.finance.economics import Economics
from cxsim.library import LEVERS_FILE, METRICS_FILE, SOURCES_FILE, at, layers, locate, names, root, shown
from cxsim.metrics.catalogue import Metric, load_metrics
from cxsim.params import Quantity, quantities, read, schema_text, source_names, sources, written_whole
from cxsim.strategies.behaviour import Behaviour
from cxsim.strategies.levers import Lever, load_levers, refuse_unmeasured
from cxsim.strategies.strategy import Strategy
from cxsim.study.assumptions import Assumption, assumptions, with_quantities_in
from cxsim.study.scenario import (
    Scenario,
    ScenarioFile,
    SimulatedShop,
    Structure,
    Valuation,
    files_of,
    resolved,
)

_ARRIVALS, _LEAVING = "new_customers.per_month", "dropout"
_CHOSEN_BY_HAND = "Set by hand."
_WHOLE = ("draws", "horizon_months", "seed", _ARRIVALS)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)


def parsed_changes(text: str) -> dict[str, str]:
    """Return keys and values of a text such as `economics.gross_margin=0.5; draws=40`, in its order."""
    found: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(";"))):
        key, sign, value = (piece.strip() for piece in part.partition("="))
        if not (key and sign and value):
            raise ParamError(f"change '{part}': it must be KEY=VALUE, such as economics.gross_margin=0.5.")
        if key in found:
            raise ParamError(f"change '{key}': it is written twice, as {found[key]} and as {value}; write it once.")
        found[key] = value
    return found


def changed(scenario: Scenario, changes: str) -> Scenario:
    """Return a scenario with some of its numbers set by hand."""
    wanted = parsed_changes(changes)
    known = _identifiers(scenario)
    searched = {f"strategies.{one.name}.{one.searches}" for one in scenario.searched}
    quantities: dict[str, Quantity] = {}
    settings: dict[str, Any] = {}
    for key, text in wanted.items():
        if key in searched:
            raise ParamError(
                f"change '{key}': it has no prior (mode: break-even); change another number of the strategy, or the "
                "range in its file."
            )
        if key in known:
            quantities[known[key].id] = _by_hand(known[key].quantity, key, text)
        else:
            settings |= _setting(scenario, key, text, known)
    try:
        return replace(with_quantities_in(scenario, quantities), **settings) if wanted else scenario
    except ParamError as cause:
        raise ParamError(f"{scenario.name} with {canonical(changes)}: {cause}") from cause


def canonical(changes: str) -> str:
    """Return changes in the one order and spelling that stands for them: by key, numbers without needless digits."""
    return "; ".join(f"{key}={_spelt(key, value)}" for key, value in sorted(parsed_changes(changes).items()))


def changes_between(before: Scenario, after: Scenario) -> str | None:
    """Return the changes by which one scenario becomes another; empty when they are equal, None when there are none."""
    if before == after:
        return ""
    old, new = _identifiers(before), _identifiers(after)
    found = {key: repr(one.quantity.value) for key, one in new.items() if old.get(key, one) != one}
    held, wanted = _settings(before), _settings(after)
    found |= {key: str(value) for key, value in wanted.items() if value not in (None, held[key])}
    try:
        text = canonical("; ".join(f"{key}={value}" for key, value in found.items()))
        return text if changed(before, text) == after else None
    except ParamError:
        return None


def _spelt(key: str, text: str) -> str:
    if key in _WHOLE:
        return str(int(text)) if _INTEGER.fullmatch(text) else text
    return repr(float(text) + 0.0).removesuffix(".0") if _NUMBER.fullmatch(text) else text


def _identifiers(scenario: Scenario) -> dict[str, Assumption]:
    """Return each assumption by its short form, such as economics.gross_margin."""
    found = {}
    for one in assumptions(scenario):
        kind, name, path = one.id.split("/", 2)
        prefix = {"scenarios": "", "strategies": f"{kind}.{name}."}.get(kind, f"{kind}.")
        found[f"{prefix}{path}"] = one
    return found


def _settings(scenario: Scenario) -> dict[str, int | str | None]:
    """Return what can be changed beside assumptions, as it is."""
    arriving = scenario.new_customers
    return {name: getattr(scenario, name) for name in ("draws", "horizon_months", "seed", _LEAVING)} | {
        _ARRIVALS: None if arriving is None else arriving.per_month
    }


def _by_hand(quantity: Quantity, key: str, text: str) -> Quantity:
    if not _NUMBER.fullmatch(text):
        raise ParamError(f"change '{key}': must be a number with a point, such as {quantity.value:g}; found '{text}'.")
    value = float(text) + 0.0
    low, high = quantity.range
    given = quantity.evidence if quantity.source is None else f"{quantity.evidence} ({quantity.source})"
    before = f"{quantity.value:g}" if low == high else f"{quantity.value:g}, 90 % range {low:g} to {high:g}"
    try:
        return replace(
            quantity,
            value=value,
            range=(value, value),
            evidence="assumed",
            source=None,
            description=f"{quantity.description} Set by hand; the file has {before}, {given}.",
        )
    except ParamError as cause:
        raise ParamError(f"change '{key}={text}': {cause}") from cause


def _setting(scenario: Scenario, key: str, text: str, known: Mapping[str, object]) -> dict[str, object]:
    settings, arriving = _settings(scenario), scenario.new_customers
    if key == _LEAVING:
        refuse_unknown(text, get_args(Structure), f"change '{key}': '{text}' is not possible")
        return {key: text, "dropout_reason": "" if text == "all" else _CHOSEN_BY_HAND}
    if key not in settings:
        raise ParamError(f"change '{key}': {scenario.name} has no such number; {_possible(key, [*known, *settings])}")
    if not _INTEGER.fullmatch(text):
        raise ParamError(f"change '{key}': must be a whole number, such as {settings[key] or 1000}; found '{text}'.")
    if key != _ARRIVALS:
        return {key: int(text)}
    if arriving is None:
        raise ParamError(f"change '{key}': {scenario.name} has no new customers; write new_customers in its file.")
    try:
        return {"new_customers": replace(arriving, per_month=int(text))}
    except ParamError as cause:
        raise ParamError(f"change '{key}={text}': {cause}") from cause


def _possible(key: str, every: Sequence[str]) -> str:
    """Return what is possible instead: of the same part of the scenario where there is such a part."""
    head, beside = key, list[str]()
    while (head := head.rpartition(".")[0]) and not beside:
        beside = [name for name in every if name.startswith(f"{head}.")]
    return choices(key, beside or every, all_in="its files under params/")


def load_scenario(name: str, changes: str = "") -> Scenario:
    """Return a scenario of params/scenarios by its name, or from a path that ends in .yaml.

    Parameters
    ----------
    name
        Such as `cdnow-programmes`.
    changes
        Numbers that are set by hand, such as `economics.gross_margin=0.5; draws=40`; as for `changed`.

    Raises
    ------
    ParamError
        For an unknown name, with the choices, or mistakes in any of its files: one line each, with file and key. For a
        change that is not possible.

    Examples
    --------
    >>> load_scenario("cdnow-quick").arms
    ('baseline', 'points-programme', 'win-back-coupon', 'faster-delivery')
    >>> load_scenario("cdnow-quick", "economics.gross_margin=0.5").economics.gross_margin.range
    (0.5, 0.5)
    """
    path = locate("scenarios", name)
    return changed(resolved(read(path, ScenarioFile), shown(path)), changes)


def load_valuation(name: str) -> Valuation:
    """Return a valuation of params/valuations by its name, or from a path that ends in .yaml.

    Parameters
    ----------
    name
        Such as `cdnow-value`.

    Raises
    ------
    ParamError
        For an unknown name, with the choices, or mistakes in its file: one line each, with file and key.

    Examples
    --------
    >>> load_valuation("cdnow-value").holdout_days
    273
    """
    return read(locate("valuations", name), Valuation)


Case = Literal["scenarios", "valuations"]
CASES: tuple[Case, ...] = get_args(Case)


def case_of(name: str) -> Case:
    """Return whether a name is one of params/scenarios or of params/valuations; of a path, by its folder."""
    if name.endswith((".yaml", ".yml")):
        return "valuations" if Path(name).resolve().parent.name == "valuations" else "scenarios"
    known: dict[str, Case] = {found: case for case in CASES for found in names(case)}
    refuse_unknown(
        name,
        sorted(known),
        f"params/scenarios and params/valuations: no '{name}' in the library or in {root()}",
        all_in="these folders",
    )
    return known[name]


def load_case(name: str, changes: str = "") -> Scenario | Valuation:
    """Return a scenario or a valuation by its name, or from a path that ends in .yaml."""
    if case_of(name) == "scenarios":
        return load_scenario(name, changes)
    if changes:
        raise ParamError(
            f"{name} is a valuation, and only the numbers of a scenario can be set by hand; found '{changes}'. "
            "Copy its file with `cxsim new` and edit the copy."
        )
    return load_valuation(name)


def case_files(name: str) -> tuple[Path, ...]:
    """Return the files under params/ that make a scenario or a valuation: its own, those it names, the sources."""
    case = case_of(name)
    own, cited = locate(case, name), layers(f"params/{SOURCES_FILE}")
    orders = load_case(name).orders
    simulated = [locate("shops", orders)] if orders in names("shops") else []
    if case == "valuations":
        return (own, *cited, *simulated)
    files = files_of(read(own, ScenarioFile), shown(own))
    return (own, *cited, *simulated, *chain.from_iterable(files.values()))


SHAPES: dict[str, type[object]] = {
    "scenarios": ScenarioFile,
    "strategies": Strategy,
    "economics": Economics,
    "behaviour": Behaviour,
    "valuations": Valuation,
    "shops": SimulatedShop,
    "levers": dict[str, Lever],
    "formats": Format,
    "metrics": dict[str, Metric],
}
# What one call reads and checks, by the name of the file or of its folder.
_CHECKED: dict[str, Callable[[Path], object]] = {
    LEVERS_FILE: lambda path: load_levers(None if path in layers(f"params/{LEVERS_FILE}") else path),
    METRICS_FILE: load_metrics,
    "formats": checked_format,
}
_HOLDERS = ("scenarios", "strategies", "economics", "behaviour", "valuations", "shops")
SCHEMA_FILE = "schema.json"


def check_params(paths: Sequence[Path]) -> list[str]:
    """Return what is wrong with the files."""
    # A strategy's mistakes are also those of the scenarios that name it; they are listed once.
    return list(dict.fromkeys(chain.from_iterable(_problems(path, path.parent.name) for path in params_files(paths))))


def params_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files to check, sorted within each folder."""
    found: list[Path] = []
    for path in paths or [at("params")]:
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


def _problems(path: Path, kind: str) -> Iterator[str]:
    """Yield what is wrong with a file, one line for each mistake."""
    if path.name == SCHEMA_FILE:
        if path.read_bytes() != schema_text(SHAPES).encode():
            yield f"{shown(path)}: differs from what the code reads; rebuild it with `cxsim check --write-schema`."
        return
    try:
        if path.name == SOURCES_FILE:
            for key, source in sources(path).items():
                if not source.measured.strip():
                    yield f"{shown(path)}: {key}.measured: empty; say what was measured, and on whom."
        elif checked := _CHECKED.get(path.name, _CHECKED.get(kind)):
            checked(path)
        elif kind in _HOLDERS:
            yield from _of_file(path, kind)
        else:
            known = (*_HOLDERS, "formats")
            yield f"{shown(path)}: is in the unknown folder '{kind}'; {choices(kind, known)}"
    except ParamError as error:
        yield from str(error).splitlines()


def _of_file(path: Path, kind: str) -> Iterator[str]:
    """Yield the mistakes of a file that holds quantities, and of the files that a scenario names."""
    holder: Any = read(path, SHAPES[kind])
    named = files_of(holder, shown(path)) if isinstance(holder, ScenarioFile) else {}
    for folder, files in named.items():
        for file in files:
            yield from _problems(file, folder)
    yield from _of_quantities(path, holder)
    try:
        if isinstance(holder, Strategy):
            refuse_unmeasured([holder])
    except ParamError as cause:
        yield f"{shown(path)}: {cause}"
    if named:
        resolved(holder, shown(path))
    if kind in CASES and path.resolve() == at(f"params/{kind}/{path.name}"):
        # The same name in both would not say which report is meant.
        other = CASES[1 - CASES.index(kind)]
        if path.stem in names(other):
            yield f"{shown(path)}: there is a file {other}/{path.name} too; give one of them another name."


def _of_quantities(path: Path, holder: object) -> Iterator[str]:
    known = source_names()
    for key, quantity in quantities(holder):
        source = quantity.source
        if source is not None and source not in known:
            near = choices(source, known, all_in=f"params/{SOURCES_FILE}")
            yield f"{shown(path)}: {key}.source: no '{source}' in {SOURCES_FILE}; {near} A new one needs an entry."
        if not quantity.description.strip():
            yield f"{shown(path)}: {key}.description: empty; say what the number means."


# 80 letters, because file systems allow 255 bytes and a report adds to the name.
_NAME = re.compile(r"(?=.{1,80}$)[a-z0-9]+(-[a-z0-9]+)*")


def copy_scenario(name: str, source: str) -> Path:
    """Copy the file of a scenario or a valuation to its folder under params/, under another name."""
    if not _NAME.fullmatch(name):
        raise ParamError(
            f"'{name}' is not a valid scenario name; use at most 80 lower-case letters, digits and single "
            "hyphens, such as spring-plans."
        )
    for taken in CASES:
        if name in names(taken):
            raise ParamError(f"there is a {taken[:-1]} '{name}' already, in params/{taken}; choose another name.")
    load_case(source)
    case = case_of(source)
    target = root() / "params" / case / f"{name}.yaml"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(target) as half:
            half.write_bytes(locate(case, source).read_bytes())
    except OSError as cause:
        raise ParamError(f"{target}: cannot be written ({cause.strerror}).") from cause
    return target
