"""The command line: cxsim fit | value | metrics | simulate | report | break-even | tables | check | new | levers."""

from __future__ import annotations

from cxsim.cli.commands import app, main

__all__ = ["app", "main"]
