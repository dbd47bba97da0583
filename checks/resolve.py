"""The pins in constraints.txt in; for each Python and platform, whether all packages resolve to those pins as wheels.

Exits with 1 where a set does not resolve, and with 3 where the package index cannot be reached, so that nobody takes
silence for an answer.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from itertools import product

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from checks.source import ROOT

# Macs with an Intel processor are missing: numba has no wheels for them any more.
PLATFORMS = {
    "x86_64-manylinux_2_28": {"sys_platform": "linux", "os_name": "posix"},
    "aarch64-manylinux_2_28": {"sys_platform": "linux", "os_name": "posix"},
    "macos": {"sys_platform": "darwin", "os_name": "posix"},
    "windows": {"sys_platform": "win32", "os_name": "nt"},
}
UNREACHABLE = 3
_OUT_OF_REACH = re.compile("Failed to fetch|network was disabled")


def pythons() -> list[str]:
    """Return the minor versions of Python that the project allows, oldest first."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    allowed = SpecifierSet(project["requires-python"])
    return [python for minor in range(100) if (python := f"3.{minor}") in allowed]


def pins(python: str, platform: str = "x86_64-manylinux_2_28") -> dict[str, Requirement]:
    """Return the pins that hold in one place, by name; a package that is pinned twice there is refused."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    environment = {**PLATFORMS[platform], "python_version": python, "python_full_version": f"{python}.0"}
    found: dict[str, Requirement] = {}
    for pin in (Requirement(line) for line in lines if line and not line.startswith("#")):
        if pin.marker is None or pin.marker.evaluate(environment):
            name = canonicalize_name(pin.name)
            if name in found:
                raise SystemExit(f"constraints.txt pins {name} twice for Python {python}; its markers must exclude.")
            found[name] = pin
    return found


def _problem(case: tuple[str, str]) -> str:
    """Return what uv says against one version and platform, or nothing.

    uv and not pip, which reads markers as if the target were the Python that runs it.
    """
    python, platform = case
    words = ["pip", "compile", "--quiet", "--no-header", "--no-annotate", "--only-binary", ":all:"]
    words += ["--python", sys.executable, "--python-version", python, "--python-platform", platform]
    words += ["--group", "dev", "--all-extras", "--constraints", "constraints.txt", "pyproject.toml"]
    run = subprocess.run(
        [sys.executable, "-m", "uv", *words],
        cwd=ROOT,
        check=False,
        capture_output=True,
        encoding="utf-8",
    )
    if run.returncode:
        return run.stderr.strip()
    loose = {canonicalize_name(Requirement(line).name) for line in run.stdout.splitlines()}
    loose -= pins(python, platform).keys()
    return f"constraints.txt does not pin {', '.join(sorted(loose))}" if loose else ""


def main() -> int:
    """Resolve every case, say what was found, and return the exit code."""
    start = time.monotonic()
    cases = list(product(pythons(), PLATFORMS))
    with ThreadPoolExecutor(4) as pool:
        problems = {case: problem for case, problem in zip(cases, pool.map(_problem, cases), strict=True) if problem}
    found = {case: problem for case, problem in problems.items() if not _OUT_OF_REACH.search(problem)}
    for (python, platform), problem in found.items():
        print(f"Python {python} on {platform}: {problem}")
    if problems and not found:
        print(f"NOT RESOLVED: the package index was out of reach. {next(iter(problems.values()))}")
        return UNREACHABLE
    seconds = round(time.monotonic() - start)
    print(f"{len(cases) - len(problems)} of {len(cases)} sets resolve to wheels alone: Python {', '.join(pythons())}")
    print(f"on {', '.join(PLATFORMS)} ({seconds} s).")
    return min(len(problems), 1)


if __name__ == "__main__":
    sys.exit(main())
