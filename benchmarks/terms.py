"""On what terms customers are valued, by us and by the rival: numbers alone, so that nothing heavy is imported."""

from __future__ import annotations

HORIZON_DAYS = 365
HORIZON_MONTHS = 12
RATE = 0.10
MONTHLY_RATE = (1.0 + RATE) ** (1 / 12) - 1.0
