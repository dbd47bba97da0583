"""The name of a scenario or a valuation in; a copy of its file under another name out."""

from __future__ import annotations

import re
from pathlib import Path

from cxsim.errors import ParamError
from cxsim.params import locate, names, root
from cxsim.scenario.cases import CASES, case_of, load_case

# 80 letters, because file systems allow 255 bytes and a report adds to the name.
_NAME = re.compile(r"(?=.{1,80}$)[a-z0-9]+(-[a-z0-9]+)*")


def copy_scenario(name: str, source: str) -> Path:
    """Copy the file of a scenario or a valuation to its folder under params/, under another name."""
    if not _NAME.fullmatch(name):
        raise ParamError(
            f"'{name}' is no name for a scenario; use at most 80 small letters, digits and single "
            "hyphens, such as spring-plans."
        )
    for taken in CASES:
        if name in names(taken):
            raise ParamError(f"there is a {taken[:-1]} '{name}' already, in params/{taken}; choose another name.")
    load_case(source)
    case = case_of(source)
    target = root() / "params" / case / f"{name}.yaml"
    half = target.with_name(f".{name}.half-written")
    try:
        half.write_bytes(locate(case, source).read_bytes())
        half.replace(target)
    except OSError as cause:
        half.unlink(missing_ok=True)
        raise ParamError(f"{target}: cannot be written ({cause.strerror}).") from cause
    return target
