"""Hold all house rules against the checkout; print what is wrong and exit with 1 if anything is.

With `--table`, print the figures of its size instead; a revision after it is measured beside.
"""

from __future__ import annotations

import sys

from checks.rules import RULES
from checks.source import ROOT
from checks.table import table


def main() -> int:
    """Return the number of rules that are broken."""
    if sys.argv[1:2] == ["--table"]:
        print(table(ROOT, next(iter(sys.argv[2:]), None)))
        return 0
    broken = 0
    for name, problems in RULES.items():
        found = problems(ROOT)
        broken += bool(found)
        for problem in found:
            print(f"{name}: {problem}")
    return broken


if __name__ == "__main__":
    sys.exit(min(main(), 1))
