"""The command line: fit, value, metrics, simulate, report, sweep, break-even, tables, check, new, levers and more."""

from __future__ import annotations

from cxsim.cli.commands import app, main

__all__ = ["app", "main"]
