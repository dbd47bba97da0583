"""Speed and memory of cxsim beside named rivals, in one run."""

from __future__ import annotations
