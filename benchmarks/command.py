"""Seconds and peak memory of the command `cxsim value`, from a Parquet file of orders to one of customers.

A process of its own, and a small one, because on Linux the peak of a command begins with the size of its starter.
`python -m benchmarks.command 1000000`
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.shop import order_log


def main(customers: int) -> None:
    """Run the command, and print what it took, in seconds and in thousands of millions of bytes."""
    program = Path(sys.executable).with_name("cxsim")
    with tempfile.TemporaryDirectory() as folder:
        command = [str(program), "value", str(order_log(customers)), "--out", str(Path(folder) / "values.parquet")]
        begun = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - fixed words
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        took = time.perf_counter() - begun
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}.")
    print(json.dumps({"seconds": took, "gigabytes": used.ru_maxrss * 1024 / 1e9}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
