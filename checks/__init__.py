"""The house rules that no linter knows: a checkout in, a list of problems out; run as `python -m checks`."""

from __future__ import annotations
