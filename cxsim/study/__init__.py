"""A scenario in, a study out."""

from __future__ import annotations

from cxsim.study.manifest import scenario_hash
from cxsim.study.playing import run
from cxsim.study.result import Study
from cxsim.study.saving import require_writable, save_study

__all__ = ["Study", "require_writable", "run", "save_study", "scenario_hash"]
