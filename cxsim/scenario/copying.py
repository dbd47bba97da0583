"""A scenario's name in; a copy of its file under another name out."""

from __future__ import annotations

import re
from pathlib import Path

from cxsim.errors import ParamError
from cxsim.params import locate, root
from cxsim.scenario.scenario import load_scenario

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def copy_scenario(name: str, source: str) -> Path:
    """Copy the file of scenario `source` to params/scenarios under `name`, and return the new file.

    Raises
    ------
    ParamError
        For a name that is not one or is taken, a source that does not exist or is not sound, or a folder that cannot
        be written to.
    """
    if not _NAME.fullmatch(name):
        raise ParamError(f"'{name}' is no name for a scenario; use small letters, digits and single hyphens, such as spring-plans.")
    target = root() / "params" / "scenarios" / f"{name}.yaml"
    if target.exists():
        raise ParamError(f"there is a scenario '{name}' already, in {target}; choose another name.")
    load_scenario(source)
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(locate("scenarios", source).read_text(encoding="utf-8"))
    except OSError as cause:
        target.unlink(missing_ok=True)
        raise ParamError(f"{target}: cannot be written ({cause.strerror}).") from cause
    return target
