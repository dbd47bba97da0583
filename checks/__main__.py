"""Hold all house rules against the checkout; print what is wrong and exit with 1 if anything is."""

from __future__ import annotations

import sys

from checks.rules import RULES
from checks.source import ROOT


def main() -> int:
    """Return the number of rules that are broken."""
    broken = 0
    for name, problems in RULES.items():
        found = problems(ROOT)
        broken += bool(found)
        for problem in found:
            print(f"{name}: {problem}")
    return broken


if __name__ == "__main__":
    sys.exit(min(main(), 1))
