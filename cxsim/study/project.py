"""A folder in; the project that it is, which of its files count, and what `cxsim start` writes to it, out."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

import polars as pl

from cxsim.display import facts_html
from cxsim.errors import ParamError, choices, require_kind
from cxsim.library import LEVERS_FILE, METRICS_FILE, PROJECT, SOURCES_FILE, Kind, layers, library, names, root
from cxsim.metrics.catalogue import load_metrics
from cxsim.params import Plain, content_of, source_names, text_of, written_whole
from cxsim.strategies.levers import load_levers
from cxsim.study.loading import check_params, load_scenario
from cxsim.study.scenario import Scenario
from cxsim.study.sources import check_orders

# What was answered, and which files were written: a file that still is as it was written may be written again.
ANSWERS = "answers.yaml"
_FOLDERS = ("notebooks", "reports")
_MARK = "half-written"


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Project:
    """A folder with the files of one shop, as `start` wrote it.

    Attributes
    ----------
    folder
        Where it is.
    scenario
        Name of its scenario, for `cxsim report` and `cxsim.scenario`.
    answers
        One row per question: question, answer, evidence (measured, assumed, or choice), answered_on.
    costs
        One row per cost of its strategies: strategy, cost, amount, low, high, unit, evidence.
    written, kept
        Files of the project that were written now, and those that were kept because somebody edited them.
    cautions
        What a reader must know of it, one sentence each.
    """

    folder: Path
    scenario: str
    answers: pl.DataFrame
    costs: pl.DataFrame
    written: tuple[str, ...]
    kept: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Project({self.scenario} in {self.folder}; {len(self.written)} files written, {len(self.kept)} kept)"

    def _repr_html_(self) -> str:
        facts = {"scenario": self.scenario, "folder": self.folder, "kept": ", ".join(self.kept)}
        cautions = {f"caution {number}": one for number, one in enumerate(self.cautions, start=1)}
        return facts_html("Project", facts | cautions, self.answers.columns, self.answers.iter_rows())


def scenario(project: Project | str, changes: str = "") -> Scenario:
    """Return the scenario of a project, or one by its name.

    Parameters
    ----------
    project
        What `start` returned, or the name of a scenario of the project or of the library.
    changes
        Numbers that are set by hand, such as `economics.gross_margin=0.5; draws=40`.

    Returns
    -------
    Scenario
        For `run` and `business_case`.

    Raises
    ------
    ParamError
        For an unknown name or a change that is not possible.

    Examples
    --------
    >>> scenario("cdnow-quick").horizon_months
    36
    """
    if isinstance(project, str):
        return load_scenario(project, changes)
    require_kind(project, Project, "what cxsim.start returned, or the name of a scenario")
    with working_in(project.folder):
        return load_scenario(project.scenario, changes)


def where(name: str) -> list[dict[str, str]]:
    """Return which file counts for a name: kind, file, and whether the project's own or the library's.

    `name`: of any file or entry under params/, of a notebook, or of a file such as `metrics.yaml`; or of a folder
    under params/, of which all files are listed.
    """
    if name in get_args(Kind):
        kind = cast("Kind", name)
        return [_place(f"params/{kind}/{one}.yaml", kind) for one in names(kind)]
    found = [_place(f"params/{kind}/{name}.yaml", kind) for kind in get_args(Kind) if name in names(kind)]
    entries: dict[str, Collection[str]] = {
        LEVERS_FILE: load_levers(),
        METRICS_FILE: load_metrics(),
        SOURCES_FILE: source_names(),
    }
    found += [_place(f"params/{file}", f"entry of {file}", name) for file, known in entries.items() if name in known]
    stem = name.removesuffix(".ipynb")
    for place in (f"notebooks/{stem}.ipynb", f"params/{name}"):
        found += [_place(place, "notebook" if place.endswith(".ipynb") else "file")] if layers(place) else []
    if not found:
        notebooks = [path.stem for folder in layers("notebooks") for path in folder.glob("*.ipynb")]
        files = [one for kind in get_args(Kind) for one in names(kind)]
        every = sorted({*files, *notebooks, *(one for known in entries.values() for one in known)})
        near = choices(name, every, all_in="`cxsim where strategies`, scenarios and so on")
        raise ParamError(f"no file or entry '{name}' in the project or the library; {near}")
    return found


def _place(place: str, kind: str, entry: str = "") -> dict[str, str]:
    """Return where a file is, or the last of its layers that has an entry."""
    *hidden, file = [one for one in layers(place) if not entry or entry in content_of(one.read_text(encoding="utf-8"))]
    own = file.is_relative_to(root().resolve())
    whose = "library" if file.is_relative_to(library()) and root().resolve() != library() else "project"
    return {
        "kind": kind,
        "file": str(file),
        "from": whose if own or whose == "library" else "elsewhere",
        "instead_of": str(hidden[0]) if hidden else "",
    }


@contextlib.contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Take a folder for the project, in this process and those that it starts, for a while."""
    before = os.environ.get(PROJECT)
    os.environ[PROJECT] = str(folder)
    try:
        yield
    finally:
        os.environ.pop(PROJECT)
        if before is not None:
            os.environ[PROJECT] = before


def require_place(folder: Path) -> None:
    """Refuse a folder that is no place for a project of one's own."""
    inside = folder.resolve()
    for taken in dict.fromkeys((library(), Path(__file__).resolve().parents[1])):
        if inside.is_relative_to(taken):
            raise ParamError(
                f"{folder} lies inside {taken}, where cxsim itself is kept; nothing of yours is written there. Name "
                "another folder with --project, such as --project ~/my-shop."
            )
    if folder.exists() and not folder.is_dir():
        raise ParamError(f"{folder}: this is a file, and a project is a folder; name another one with --project.")
    others = [path.name for path in folder.iterdir() if path.name != ".DS_Store"] if folder.is_dir() else []
    if others and not (folder / ANSWERS).exists() and (folder / "params").exists():
        raise ParamError(
            f"{folder}: there is a folder params/ that `cxsim start` did not write; name another folder with --project."
        )


def record_of_answers(folder: Path) -> Mapping[str, Any]:
    """Return what the record of earlier answers in a project says; nothing where there is none."""
    file = folder / ANSWERS
    if not file.exists():
        return {}
    try:
        content = content_of(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as cause:
        raise ParamError(f"{file}: cannot be read ({cause}); mend it, or remove it and answer again.") from cause
    return content if isinstance(content, dict) else {}


def write_project(
    folder: Path, files: Mapping[str, str | bytes], record: Mapping[str, Plain]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Check files of a project together with its other ones and write them; return those written and those kept.

    A file that somebody has edited since it was written is kept. Where anything is wrong, nothing is written.
    """
    earlier = record_of_answers(folder).get("files", {})
    hashes = dict(earlier) if isinstance(earlier, dict) else {}
    # The sources are what was there, with what was missing.
    kept = tuple(
        name for name in files if name != f"params/{SOURCES_FILE}" and _edited(folder / name, hashes.get(name))
    )
    new = {name: _bytes(content) for name, content in files.items() if name not in kept}
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staged = folder.with_name(f".{folder.name}.{os.getpid()}.{_MARK}")
        try:
            _stage(folder, staged, new)
            _require_sound(staged, folder)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        for name in _FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
        now = {name: _digest(content) for name, content in new.items()}
        # Before and after: however far this comes, no file of its own passes for one that somebody edited.
        both = {name: f"{hashes.get(name, '')} {found}".strip() for name, found in now.items()}
        _write(folder / ANSWERS, _record(record, hashes | both))
        for name, content in new.items():
            _write(folder / name, content)
        _write(folder / ANSWERS, _record(record, hashes | now))
    except OSError as cause:
        raise ParamError(f"{folder}: cannot be written ({cause.strerror}); choose another with --project.") from cause
    return tuple(new), kept


def _stage(folder: Path, staged: Path, new: Mapping[str, bytes]) -> None:
    """Write the project with new files into a folder beside it, from which relative paths lead to the same places."""
    if folder.is_dir():
        shutil.copytree(folder, staged, copy_function=_linked, ignore=shutil.ignore_patterns(*_FOLDERS))
    for name, content in new.items():
        _write(staged / name, content)


def _linked(source: str, target: str) -> None:
    """Give a file a second name, or copy it where the file system cannot."""
    try:
        Path(target).hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)


def _require_sound(staged: Path, folder: Path) -> None:
    with working_in(staged):
        problems = check_params([staged / "params"])
        problems = problems or check_orders(sorted((staged / "params" / "scenarios").glob("*.yaml")))
    if problems:
        said = "\n".join(problems)
        raise ParamError(f"{folder}: nothing was written, because the project would not be sound.\n{said}")


def _record(record: Mapping[str, Plain], hashes: Mapping[str, str]) -> bytes:
    head = "# What `cxsim start` took for answers, and what it wrote. Edit the files under params/, not this one.\n"
    return (head + text_of({**record, "files": dict(hashes)})).encode()


def _edited(file: Path, written: object) -> bool:
    """Whether a file is there and is not as it was written."""
    return file.exists() and _digest(file.read_bytes()) not in str(written).split()


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(file) as half:
        half.write_bytes(content)
