"""A seed, a draw and a name in; a generator for the few numbers that are drawn outside the kernel out."""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, draw: int, name: str) -> np.random.Generator:
    """Return the generator for one named purpose of one draw, for the few numbers drawn outside the kernel."""
    # A cryptographic digest, because Python's own hash() differs from run to run.
    digest = hashlib.sha256(f"{seed}/{draw}/{name}".encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))
