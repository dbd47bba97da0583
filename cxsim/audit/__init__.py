"""A finished report in; whether it can be made again, and what moved between two versions, out."""

from __future__ import annotations

__all__: list[str] = []
