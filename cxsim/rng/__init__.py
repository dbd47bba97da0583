"""The one tap of luck: counter-based numbers for the kernel, named generators for everything else."""

from __future__ import annotations

from cxsim.rng.elementary import exp, log
from cxsim.rng.keys import Purpose, customer_key, purpose_key, random_bits
from cxsim.rng.streams import stream
from cxsim.rng.variates import exponential, gamma, normal, uniform

__all__ = [
    "Purpose",
    "customer_key",
    "exp",
    "exponential",
    "gamma",
    "log",
    "normal",
    "purpose_key",
    "random_bits",
    "stream",
    "uniform",
]
