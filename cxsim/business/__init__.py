"""A study in, everything that a finance director asks of it out: one frozen business case of tables."""

from __future__ import annotations

__all__: list[str] = []
