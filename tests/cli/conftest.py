"""A small project in a folder of its own, and the command line called in it."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from cxsim.cli.commands import main
from cxsim.params import root

TINY = """\
title: What would two programmes bring?
description: Forty new customers of a record shop over three months.
orders: cdnow-sample
observed_until: 1998-06-30
economics: cdnow
strategies: [points-programme, win-back-coupon]
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
    """What a call left behind: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

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
    """A copy of the bundled params/, with the scenario `tiny`."""

    def __init__(self, folder, monkeypatch, capsys):
        self.folder, self.monkeypatch, self.capsys = folder, monkeypatch, capsys

    def __call__(self, *words):
        self.monkeypatch.setattr(sys, "argv", ["cxsim", *map(str, words)])
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as done:
            main()
        printed = self.capsys.readouterr()
        return Outcome(done.value.code or 0, printed.out, printed.err)

    def edit(self, place, old, new):
        file = self.folder / "params" / place
        text = file.read_text(encoding="utf-8")
        assert text.count(old) >= 1
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
        return file

    def files(self):
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in _files(self.folder)}

    def folders(self):
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_dir())


def _files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


_PARAMS = root() / "params"


@pytest.fixture
def project(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "shop"
    shutil.copytree(_PARAMS, folder / "params")
    for kind in ("scenarios", "valuations"):
        for old in (folder / "params" / kind).glob("*.yaml"):
            old.unlink()
    (folder / "params" / "scenarios" / "tiny.yaml").write_text(TINY, encoding="utf-8")
    monkeypatch.chdir(folder)
    return Project(folder, monkeypatch, capsys)


@pytest.fixture
def orders(project):
    """Write an order file from lines, and return its path."""

    def write(*lines, header=ORDERS, name="orders.csv") -> Path:
        path = project.folder / name
        path.write_text(header + "".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    return write
