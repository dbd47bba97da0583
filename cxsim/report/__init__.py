"""A notebook and its parameters go in, one HTML file that needs no network comes out; the only door to papermill."""

from __future__ import annotations

from cxsim.report.making import ReportFiles, make

__all__ = ["ReportFiles", "make"]
