"""What a process of our own does without: nothing in, a library that others would load for nothing is not found."""

from __future__ import annotations

import sys

# altair and nbformat check their JSON by jsonschema, which, where this package is installed, builds a grammar of web
# addresses for two seconds; no address is checked here.
_GRAMMAR = "rfc3987_syntax"


def leave_out() -> None:
    """Keep this process from loading it; for the command line and the kernels of reports, not for a user's session."""
    sys.modules.setdefault(_GRAMMAR, None)  # type: ignore[arg-type]  # None means that it is not found
