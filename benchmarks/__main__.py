"""`make bench`: print every case beside its rival and write benchmarks/latest.json.

`python -m benchmarks value fit`, or `make bench CASES="value fit"`, measures these groups alone and leaves what is
written of the others.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.cases import cases
from benchmarks.measuring import Case

LATEST = Path(__file__).parent / "latest.json"


def main(words: list[str]) -> None:
    """Measure, print, write."""
    console = Console(width=170)
    measured = []
    for case in cases(words):
        console.print(f"measured: {case.name} against {case.rival_name}", style="dim")
        measured.append(case)
    console.print(_table(measured))
    half = LATEST.with_suffix(".half-written")
    before = json.loads(LATEST.read_text(encoding="utf-8")) if words and LATEST.exists() else {}
    record = before | {case.name: asdict(case) for case in measured}
    half.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    os.replace(half, LATEST)  # noqa: PTH105 - atomic, also over an older file


def _table(measured: list[Case]) -> Table:
    table = Table(title="Medians; the ratio says how many times better we are", title_justify="left")
    for name in ("case", "ours", "rival", "rival is", "ratio", "target", "unit"):
        table.add_column(name, justify="right" if name in {"ours", "rival", "ratio", "target"} else "left")
    for case in measured:
        target = "–" if case.target is None else f"{case.target:,.2f}"
        row = (
            case.name,
            _written(case.ours),
            _written(case.rival),
            case.rival_name,
            f"{case.ratio:,.2f}",
            target,
            case.unit,
        )
        table.add_row(*row)
    return table


def _written(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


if __name__ == "__main__":
    main(sys.argv[1:])
