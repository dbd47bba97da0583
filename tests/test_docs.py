"""What README and docs give readers to type runs as it stands, and prints what they say."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
import re

import pytest
from typer.main import get_command

from checks.source import ROOT
from cxsim.cli.commands import app
from cxsim.clv.fit import _library

# Python, and the output printed under it, if a block without a language follows at once.
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```\n(.*?)^```)?", re.MULTILINE | re.DOTALL)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLES = {path: found for path in PAGES if (found := BLOCK.findall(path.read_text(encoding="utf-8")))}


@pytest.mark.parametrize("page", EXAMPLES, ids=lambda path: path.name)
def test_the_python_of_a_page_runs_and_prints_what_stands_under_it(page, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    for code, printed in EXAMPLES[page]:
        exec(compile(code, page.name, "exec"), {})  # noqa: S102 - our own text
        shown = capsys.readouterr().out
        assert not printed or shown == printed


def test_there_is_python_in_readme_and_docs():
    assert sum(map(len, EXAMPLES.values())) >= 4


MIGRATING = (ROOT / "docs" / "migrating-from-lifetimes.md").read_text(encoding="utf-8")


def public_names():
    """Yield each public function and class of lifetimes, and each public method where it is defined."""
    library = _library()
    for found in pkgutil.walk_packages(library.__path__, "lifetimes."):
        module = importlib.import_module(found.name)
        for name, one in vars(module).items():
            if name.startswith("_") or getattr(one, "__module__", None) != found.name:
                continue
            yield name
            if inspect.isclass(one):
                yield from (f"{name}.{method}" for method in vars(one) if not method.startswith("_"))


def test_every_public_name_of_lifetimes_has_its_place_on_the_page_for_those_who_come_from_it():
    names = list(public_names())
    # The walk has seen every part of the library.
    assert {"BetaGeoFitter.fit", "plot_history_alive", "load_donations", "ConvergenceError", "pareto_nbd_model"} <= set(
        names
    )
    assert [name for name in names if f"`{name}`" not in MIGRATING] == []


def test_every_name_of_cxsim_on_that_page_exists():
    mentioned = set(re.findall(r"\bcxsim((?:\.[a-zA-Z_]+)+)", MIGRATING))
    assert len(mentioned) > 20
    for path in mentioned:
        functools.reduce(_step, path[1:].split("."), importlib.import_module("cxsim"))
    commands = set(re.findall(r"`cxsim ([a-z][a-z-]*)", MIGRATING))
    assert commands
    assert commands <= set(get_command(app).commands)


def _step(place, name):
    """Return what stands under a name, a module of a package among them."""
    try:
        return getattr(place, name)
    except AttributeError:
        return importlib.import_module(f"{place.__name__}.{name}")
