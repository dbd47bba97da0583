"""A small project in a folder of its own, and the command line called in it."""

from __future__ import annotations

import io
import os
import shutil
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest

from cxsim.cli.commands import main
from cxsim.library import root

TINY = """\
title: What would two programmes bring?
description: Forty new customers of a record shop over three months.
orders: cdnow-sample
observed_until: 1998-06-30
economics: cdnow
strategies: [points-programme, win-back-coupon]
dropout: bgnbd
dropout_reason: One is enough.
existing_customers: none
new_customers:
  per_month: 20
  months: 2
horizon_months: 3
draws: 2
seed: 7
"""
ORDERS = "customer_id,ordered_at,amount\n"


@dataclass(frozen=True)
class Outcome:
    """What a call left behind: exit code, standard output, standard error, and apart from that the next step."""

    code: int
    out: str
    err: str
    next: str = ""

    @property
    def error(self):
        """The message of a call that was refused, printed once."""
        assert self.code == 1, (self.code, self.out, self.err)
        assert self.out == ""
        assert self.err.count("Error:") == 1
        assert self.err.startswith("Error: ")
        assert "Traceback" not in self.err
        return self.err.removeprefix("Error: ").strip()


class Project:
    """A copy of the bundled params/, with the scenario `tiny`, in which the command line is called."""

    def __init__(self, folder):
        self.folder = folder
        shutil.copytree(_PARAMS, folder / "params")
        for kind in ("scenarios", "valuations"):
            for old in (folder / "params" / kind).glob("*.yaml"):
                old.unlink()
        self.scenario("tiny", TINY)

    def __call__(self, *words):
        out, err = io.StringIO(), io.StringIO()
        with (
            chdir(self.folder),
            patch.object(sys, "argv", ["cxsim", *map(str, words)]),
            # Tests that run side by side are given a narrow terminal.
            patch.dict(os.environ, {key: value for key, value in os.environ.items() if key != "COLUMNS"}, clear=True),
            pytest.raises(SystemExit) as done,
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            main()
        said, _, then = err.getvalue().partition("Next: ")
        return Outcome(done.value.code or 0, out.getvalue(), said, then.strip())

    def scenario(self, name, text):
        (self.folder / "params" / "scenarios" / f"{name}.yaml").write_text(text, encoding="utf-8")

    def edit(self, place, old, new):
        file = self.folder / "params" / place
        text = file.read_text(encoding="utf-8")
        assert text.count(old) >= 1
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
        return file

    def files(self):
        found = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in found}

    def folders(self):
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_dir())


_PARAMS = root() / "params"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of its own for each test, which works in it."""
    made = Project(tmp_path / "shop")
    monkeypatch.chdir(made.folder)
    return made


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A project for runs that many tests look at; nothing in it may be changed."""
    return Project(tmp_path_factory.mktemp("shared") / "shop")


@pytest.fixture
def orders(project):
    """Write an order file from lines, and return its path."""

    def write(*lines, header=ORDERS, name="orders.csv") -> Path:
        path = project.folder / name
        path.write_text(header + "".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    return write
