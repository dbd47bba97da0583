"""Many cases in; their reports made side by side, only where something changed, out."""

from __future__ import annotations

__all__: list[str] = []
