"""Many cases in; their reports made side by side, only where something changed, out."""

from __future__ import annotations

from cxsim.batch.grid import Point, grid
from cxsim.batch.making import Outcome, default_jobs, make_all
from cxsim.batch.planning import every_case, report_task
from cxsim.batch.reports_page import write_reports_index
from cxsim.batch.sweeping import Sweep, sweep
from cxsim.batch.task import Task, carry_out, is_current
from cxsim.batch.workers import Event

__all__ = [
    "Event",
    "Outcome",
    "Point",
    "Sweep",
    "Task",
    "carry_out",
    "default_jobs",
    "every_case",
    "grid",
    "is_current",
    "make_all",
    "report_task",
    "sweep",
    "write_reports_index",
]
