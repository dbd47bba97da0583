"""The command line: cxsim fit | value | simulate | report | check | new."""

from __future__ import annotations

from cxsim.cli.commands import app, main

__all__ = ["app", "main"]
