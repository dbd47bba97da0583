"""Each rule of the house finds what it is meant to find; `make check` holds the checkout to all of them."""

from __future__ import annotations

import json
import subprocess

import pytest

from checks import figures
from checks.docstrings import FOR_USERS, faults
from checks.rules import RULES
from checks.source import ROOT

FAULTS = {
    "a file of more than six hundred lines": ("sizes", "cxsim/long.py", "x = 1\n" * 601, "601 lines"),
    "a function of forty lines": ("sizes", "cxsim/long.py", "def f():\n" + "    x = 1\n" * 39, "40 lines"),
    "a file of helpers": ("names", "cxsim/data/csv_helpers.py", "", "says nothing"),
    "a base class": ("names", "cxsim/data/rfm.py", "class BaseReader: ...", "'BaseReader' says nothing"),
    "the word discount alone": ("names", "cxsim/price.py", "def f(discount): ...", "markdown, coupon"),
    "a flag": ("signatures", "cxsim/price.py", "def f(table, loud=False): ...", "flag 'loud'"),
    "a flag that may be missing": ("signatures", "cxsim/price.py", "def f(loud: bool | None): ...", "flag 'loud'"),
    "arguments without names": ("signatures", "cxsim/price.py", "def f(*args): ...", "*args"),
    "a fifth place": ("signatures", "cxsim/price.py", "def f(a, b, c, d, e): ...", "5 positional"),
    "a default that changes": ("signatures", "cxsim/price.py", "def f(a=[]): ...", "can change"),
    "a dict of anything": ("signatures", "cxsim/price.py", "def f() -> dict[str, Any]: ...", "dict[str, Any]"),
    "a flag on a method": ("signatures", "cxsim/price.py", "class A:\n    def f(self, on: bool): ...", "flag 'on'"),
    "code in a package file": ("imports", "cxsim/data/__init__.py", '"""Data."""\n__all__ = []\nx = 1', "nothing else"),
    "a package without a list": (
        "imports",
        "cxsim/data/__init__.py",
        '"""Data."""\nfrom cxsim.data.rfm import summarise',
        "__all__",
    ),
    "a package that lists less": (
        "imports",
        "cxsim/data/__init__.py",
        '"""Data."""\nfrom cxsim.data.rfm import summarise\n__all__ = []',
        "differ in summarise",
    ),
    "an import of the lazy root": ("imports", "cxsim/price.py", "from cxsim import run", "imports run from the root"),
    "an import of the root itself": ("imports", "cxsim/price.py", "import cxsim", "from the root"),
    "an import of another file's own": ("imports", "cxsim/price.py", "from cxsim.data.rfm import _sum", "imports _sum"),
    "a typed figure": ("figures", "cxsim/price.py", 'TEXT = "It brings 6.3 % more orders."', "'6.3' is typed"),
    "a figure beside a computed one": ("figures", "cxsim/price.py", 'f"In {n} months 12 % more."', "{} months 12 %"),
    "a typed figure in words": ("figures", "cxsim/price.py", 'TEXT = "It doubles half of sales."', "is typed"),
    "a typed figure on a page": ("figures", "cxsim/a/page.j2", "<p>{{ n }} orders, 12 % of all</p>", "{} orders, 12 %"),
    "a typed figure of a strategy": ("figures", "params/strategies/a.yaml", "title: Get 10 % off", "title: '10'"),
    "a figure in a notebook's prose": (
        "figures",
        "notebooks/a.ipynb",
        '{"cells": [{"cell_type": "markdown", "source": ["It is 3 % more."]}]}',
        "'3'",
    ),
    "a test without a claim": ("assertions", "tests/test_price.py", "def test_it_runs():\n    f()", "claims nothing"),
}


@pytest.mark.parametrize(("rule", "place", "text", "found"), FAULTS.values(), ids=FAULTS)
def test_the_rule_finds(tmp_path, rule, place, text, found):
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    problems = RULES[rule](tmp_path)
    assert len(problems) == 1
    assert found in problems[0]


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (
            "cxsim/price.py",
            'def f(n):\n    """Return 12 % of it."""\n    # 12 % of all\n    g(f"It brings {n:.12f} % more.")',
        ),
        ("cxsim/price.py", 'raise ParamError("a season must have 12 numbers")'),
        ("cxsim/price.py", 'TEXT = "By IFRS 15; bars: 90 % interval, 1 is no effect."'),
        # What a named source found is evidence, and stands beside the source.
        ("params/strategies/a.yaml", "description: Tests found 7.5 % more.\nsource: lee-2021"),
    ],
)
def test_no_figure_is_found_where_none_is_claimed(tmp_path, place, text):
    (tmp_path / place).parent.mkdir(parents=True)
    (tmp_path / place).write_text(text, encoding="utf-8")
    assert RULES["figures"](tmp_path) == []


@pytest.mark.parametrize("name", ["ALLOWED", "UNREAD"])
def test_every_exception_to_computed_figures_is_needed(name, monkeypatch):
    texts, table = figures.texts(ROOT), getattr(figures, name)
    for pattern in table:
        monkeypatch.setattr(figures, name, {one: why for one, why in table.items() if one != pattern})
        assert any(figures.figure(text) for _, text in texts), pattern


def _checkout(root, **files):
    """A checkout whose files are written with __ for the slash."""
    for place in ("Makefile", "README.md"):
        (root / place).write_text("")
    for place, text in {
        "cxsim/__init__": '"""Made for a test."""',
        **{name.replace("__", "/"): text for name, text in files.items()},
    }.items():
        (root / f"{place}.py").parent.mkdir(parents=True, exist_ok=True)
        (root / f"{place}.py").write_text(text, encoding="utf-8")
    return root


def test_a_circle_of_imports_is_found_once_although_it_hides_in_a_function(tmp_path):
    one, other = "from cxsim.b import g\ndef f(): ...", "def g():\n    from cxsim.a import f"
    assert RULES["imports"](_checkout(tmp_path, cxsim__a=one, cxsim__b=other)) == [
        "import in a circle: cxsim.a > cxsim.b."
    ]


def test_sixteen_files_in_a_folder_and_one_name_for_two_ideas_are_found(tmp_path):
    many = {f"cxsim__data__f{number}": "" for number in range(16)}
    found = RULES["sizes"](_checkout(tmp_path, cxsim__clv__f1="", **many))
    assert [fault.partition(":")[0] for fault in found] == ["cxsim/data", "cxsim/clv/f1.py, cxsim/data/f1.py"]


def test_what_neither_commands_nor_examples_reach_is_found(tmp_path):
    root = _checkout(
        tmp_path,
        cxsim__cli__commands="from cxsim.data import read\ndef show():\n    return read().height",
        cxsim__data="class Table:\n    def height(self): ...\n    def width(self): ...\n"
        "def read():\n    return Table()\ndef write(): ...\ndef shown(): ...\nLIMIT = 3",
    )
    (root / "README.md").write_text("```python\nimport cxsim\n\ncxsim.data.shown()\n```\n")
    assert [fault.split(": ")[1] for fault in RULES["reach"](root)] == [
        "nothing reaches Table.width; delete it.",
        "nothing reaches write; delete it with its tests, or show it to users.",
        "nothing reaches LIMIT; delete it with its tests, or show it to users.",
    ]


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("cxsim/cli.py", "def report(quiet: bool = False): ..."),
        ("cxsim/price.py", "class Pool(Protocol):\n    def submit(self, *args): ..."),
        ("cxsim/price.py", "@njit(cache=True)\ndef f(a, b, c, d, e): ..."),
        ("cxsim/price.py", "fast = njit(cache=True)\n@fast\ndef f(a, b, c, d, e): ..."),
        ("cxsim/price.py", "def _f(*args): ..."),
    ],
    ids=[
        "options of the command line",
        "a protocol",
        "compiled functions",
        "a compiler with a name",
        "private functions",
    ],
)
def test_signatures_are_left_alone_for(tmp_path, place, text):
    path = tmp_path / place
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    assert RULES["signatures"](tmp_path) == []


def _cell(source, *, count=1, tags=(), outputs=()):
    return {
        "cell_type": "code",
        "source": source,
        "execution_count": count,
        "metadata": {"tags": list(tags)},
        "outputs": list(outputs),
    }


TITLE = {"cell_type": "markdown", "source": "# What does it earn?", "metadata": {}}
PARAMETERS = _cell('scenario = "cdnow"', tags=["parameters"])
ERROR = {"output_type": "error", "ename": "E", "evalue": "", "traceback": []}

NOTEBOOK_FAULTS = {
    "no title": ([PARAMETERS], "0 titles"),
    "two titles": ([TITLE, PARAMETERS, TITLE], "2 titles"),
    "no parameters": ([TITLE], "0 cells tagged"),
    "a parameter that is computed": ([TITLE, _cell("n = 2 * m", tags=["parameters"])], "n = 2 * m"),
    "nine code cells": ([TITLE, PARAMETERS, *(_cell("n", count=n) for n in range(2, 10))], "9 code cells"),
    "seven lines": ([TITLE, PARAMETERS, _cell("n\n" * 7, count=2)], "7 lines"),
    "a loop": ([TITLE, PARAMETERS, _cell("for n in m:\n    n", count=2)], "a loop"),
    "a function": ([TITLE, PARAMETERS, _cell("def f(): ...", count=2)], "a function"),
    "cells run out of order": ([TITLE, PARAMETERS, _cell("n", count=7)], "[1, 7]"),
    "a cell that was not run": ([TITLE, PARAMETERS, _cell("n", count=None)], "[1, None]"),
    "a stored error": ([TITLE, PARAMETERS, _cell("n", count=2, outputs=[ERROR])], "an error"),
    "a path of one machine": ([TITLE, PARAMETERS, _cell('read("/data/orders.csv")', count=2)], "names a path"),
}


@pytest.mark.parametrize(("cells", "found"), NOTEBOOK_FAULTS.values(), ids=NOTEBOOK_FAULTS)
def test_a_notebook_is_refused_for(tmp_path, cells, found):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "question.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
    assert any(found in problem for problem in RULES["notebooks"](tmp_path))


def test_a_thin_notebook_that_was_run_is_accepted(tmp_path):
    (tmp_path / "notebooks").mkdir()
    cells = [TITLE, PARAMETERS, _cell("cxsim.run(scenario)", count=2)]
    (tmp_path / "notebooks" / "question.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
    assert RULES["notebooks"](tmp_path) == []


# In pieces, so that this file names none of them.
@pytest.mark.parametrize("text", ["https://" + "pypi" + ".org/simple", "/" + "home/ann/orders.csv", ROOT.as_posix()])
def test_a_registry_or_a_path_of_one_machine_is_found(tmp_path, text):
    if text == ROOT.as_posix() and len(ROOT.parts) <= 2:
        text = "/" + "Users/ann"
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    (tmp_path / "notes.md").write_text(f"Fetched from {text}\n", encoding="utf-8")
    assert len(RULES["hygiene"](tmp_path)) == 1


def earn(amount, rate):
    """Return what is earned.

    Parameters
    ----------
    amount
        Money put in.
    """
    return amount * rate


def undocumented(amount):
    return amount


@pytest.mark.parametrize(("function", "found"), [(earn, "rate"), (undocumented, "docstring")])
def test_a_docstring_that_leaves_something_out_is_found(function, found):
    assert any(found in fault for fault in faults(function, FOR_USERS))
