"""A scenario in, a study out."""

from __future__ import annotations

from cxsim.study.manifest import scenario_hash
from cxsim.study.result import Study
from cxsim.study.run import run
from cxsim.study.saving import prepare_folder, save_study

__all__ = ["Study", "prepare_folder", "run", "save_study", "scenario_hash"]
