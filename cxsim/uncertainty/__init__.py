"""What is not known, taken apart, and what knowing it would be worth: draws in, variances and values out."""

from __future__ import annotations

__all__: list[str] = []
