"""A module and a number of customers go in; what it measures in a process of its own, by name, comes out."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path


def measured(module: str, customers: int, folder: str | None = None) -> dict[str, float]:
    """Return the numbers that `python -m benchmarks.MODULE CUSTOMERS` prints as JSON; run in `folder`, if given."""
    command = [sys.executable, "-m", f"benchmarks.{module}", str(customers)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)  # noqa: S603 - fixed words
    return {name: float(number) for name, number in json.loads(done.stdout).items()}


def peak() -> float:
    """Return the peak resident memory of this process so far, in millions of bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        # What getrusage says of a process begins, on Linux, with the size of the one that started it.
        lines = dict(line.split(":", 1) for line in status.read_text(encoding="ascii").splitlines())
        return float(lines["VmHWM"].split()[0]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
