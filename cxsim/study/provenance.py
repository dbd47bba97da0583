"""Tables and the project's folder in; hashes, versions and commit by which a result is made again, and files, out."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType

import polars as pl

from cxsim.errors import ParamError, ReportError
from cxsim.library import SOURCES_FILE, layers, names, root
from cxsim.strategies.behaviour import PLAIN
from cxsim.study.loading import changes_between, load_scenario, load_valuation, parsed_changes
from cxsim.study.scenario import Scenario, Valuation


def table_hash(table: pl.DataFrame) -> str:
    """Return a hash of names and values, column by column, which knows nothing of how polars stores them."""
    digest = hashlib.sha256()
    for name in table.columns:
        column = table[name]
        digest.update(name.encode())
        if column.dtype.is_numeric():
            digest.update(column.is_null().to_numpy().tobytes())
            digest.update(column.fill_null(0).to_numpy().tobytes())
        else:
            # Texts by their place among the distinct ones in order, so that millions of rows cost no more than numbers.
            texts = column.cast(pl.String)
            distinct = texts.unique().sort()
            digest.update(json.dumps(distinct.to_list()).encode())
            digest.update(distinct.search_sorted(texts).to_numpy().astype("int64").tobytes())
    return digest.hexdigest()


def versions(packages: Sequence[str]) -> dict[str, str]:
    """Return the installed version of each package."""
    return {name: importlib.metadata.version(name) for name in packages}


def commit() -> str | None:
    """Return the commit of the project, with a mark when files differ from it; None outside of git."""
    try:
        found = _git("rev-parse", "HEAD")
        return f"{found} with changes" if _git("status", "--porcelain", "--untracked-files=no") else found
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root(), capture_output=True, text=True, check=True)  # noqa: S603, S607 - fixed words
    return done.stdout.strip()


PACKAGES = (
    "altair",
    "cxsim",
    "great-tables",
    "lifetimes",
    "nbconvert",
    "numba",
    "numpy",
    "papermill",
    "polars",
    "scipy",
    "statsmodels",
    "vl-convert-python",
)


def manifest(
    scenario: Scenario,
    rfm: pl.DataFrame,
    result: pl.DataFrame,
    *,
    reading: Mapping[str, object] = MappingProxyType({}),
    named: str = "ledger",
) -> dict[str, object]:
    """Return the manifest of a study or a search, as plain values for JSON."""
    economics = scenario.economics
    own: dict[str, object] = {
        "observed_until": scenario.observed_until.isoformat(),
        "horizon_months": scenario.horizon_months,
        "currency": economics.currency,
        "annual_discount_rate": economics.annual_discount_rate.value,
        "timing": economics.timing,
    }
    own |= {"orders_read": dict(reading)} if reading else {}
    record = _record("scenario", scenario, own, {"customers": rfm, named: result})
    try:
        changes = changes_between(load_scenario(scenario.name), scenario)
    except ParamError:
        changes = None
    if changes is None:
        return record
    files = [f"economics/{economics.name}", "sources", *_simulated(scenario)]
    files += [f"behaviour/{scenario.behaviour.name}"] if scenario.behaviour != PLAIN else []
    files += [f"strategies/{strategy.name}" for strategy in scenario.strategies]
    options = "".join(f" --set {key}={value}" for key, value in parsed_changes(changes).items())
    return (
        record
        | _file_hashes([*files, f"scenarios/{scenario.name}"])
        | ({"changes": changes} if changes else {})
        | {"command": f"cxsim report {scenario.name}{options}"}
    )


def valuation_manifest(
    valuation: Valuation, rfm: pl.DataFrame, values: pl.DataFrame, reading: Mapping[str, object]
) -> dict[str, object]:
    """Return the manifest of a valuation of customers, as plain values for JSON."""
    days = ("calibration_end", "observed_until")
    own = {day: getattr(valuation, day).isoformat() for day in days} | {"orders_read": dict(reading)}
    record = _record("valuation", valuation, own, {"customers": rfm, "values": values})
    try:
        if load_valuation(valuation.name) != valuation:
            return record
    except ParamError:
        return record
    files = _file_hashes(["sources", f"valuations/{valuation.name}", *_simulated(valuation)])
    return record | files | {"command": f"cxsim report {valuation.name}"}


def _record(
    kind: str, case: Scenario | Valuation, own: Mapping[str, object], tables: Mapping[str, pl.DataFrame]
) -> dict[str, object]:
    """Return what scenarios and valuations record alike, with what one of them records on its own."""
    return {
        kind: case.name,
        **{name: getattr(case, name) for name in ("title", "seed", "draws", "orders")},
        **own,
        f"{kind}_sha256": scenario_hash(case),
        **{f"{name}_sha256": table_hash(table) for name, table in tables.items()},
        "versions": versions(PACKAGES),
        "commit": commit(),
    }


def _simulated(case: Scenario | Valuation) -> list[str]:
    """Return the file of the simulated shop whose orders a case names, if it names one."""
    return [f"shops/{case.orders}"] if case.orders in names("shops") else []


def scenario_hash(case: Scenario | Valuation) -> str:
    """Return the hash of everything in a scenario or a valuation, down to the last assumption."""
    return _sha256(json.dumps(asdict(case), sort_keys=True, default=str).encode())


def _file_hashes(files: Sequence[str]) -> dict[str, object]:
    """Return the hashes of files under params, which are enough to make a result again."""
    return {"parameters_sha256": {f"{name}.yaml": file_hash(f"{name}.yaml") for name in files}}


def file_hash(name: str) -> str:
    """Return the hash of a file under params/ or that it is missing; of sources, the library's and the project's."""
    place = f"params/{name}"
    files = layers(place) if name == SOURCES_FILE else layers(place)[-1:]
    return _sha256(b"".join(file.read_bytes() for file in files)) if files else "missing"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def require_writable(folder: Path, names: Sequence[str]) -> None:
    """Refuse a folder that files could not be saved in, before anything is simulated; leave nothing behind."""
    for name in names:
        # Putting the files in their places would fail here only after some were.
        if (folder / name).is_dir():
            raise ReportError(f"{folder / name}: this is a folder, not a file; choose another folder with --out.")
    nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as cause:
        raise _refusal(folder, cause) from cause


def save_files(folder: Path, contents: Mapping[str, pl.DataFrame | str]) -> tuple[Path, ...]:
    """Write tables as Parquet, and texts, into a folder, all of them or none; files of these names are replaced."""
    require_writable(folder, list(contents))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".cxsim-", dir=folder) as staging:
            for name, content in contents.items():
                if isinstance(content, str):
                    (Path(staging) / name).write_text(content, encoding="utf-8", newline="\n")
                else:
                    content.write_parquet(Path(staging) / name)
            return tuple((Path(staging) / name).replace(folder / name) for name in contents)
    except OSError as cause:
        raise _refusal(folder, cause) from cause


def _refusal(folder: Path, cause: OSError) -> ReportError:
    return ReportError(f"{folder}: cannot be written to ({cause.strerror}); choose another folder with --out.")
