"""A seed, a draw, a customer, a purpose and an ordinal in; 64 random bits out, always the same.

There is no shared stream: each number is a hash of what it is for, so a customer's k-th order meets the same luck under
every strategy, in any block, on any thread.

References
----------
Steele, Lea & Flood (2014), "Fast splittable pseudorandom number generators": the mixing function and its increment.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from cxsim.compiled import lean


class Purpose(IntEnum):
    """What a random number is for; the value is part of its key, so a member is never renumbered."""

    ALIVE = 1
    PURCHASE_RATE = 2
    DROPOUT_PROB = 3
    DROPOUT_RATE = 4
    SPEND_RATE = 5
    ARRIVAL = 6
    ORDER = 7
    DROPOUT = 8
    SPEND = 9
    UPTAKE = 10
    REDEMPTION = 11
    LIFETIME = 12
    POINTS = 13
    TRAIT = 14
    INCIDENT = 15
    TICKET = 16
    RESOLUTION = 17
    RECOVERY = 18
    RESPONSE = 19
    SURVEY = 20
    ANSWER = 21
    SCORE = 22
    RETURN = 23
    REFERRAL = 24
    REFERRED = 25
    ANYWAY = 26
    REVIVAL = 27
    RENEWAL = 28
    UNSUBSCRIBE = 29
    ATTRACTED = 30
    SESSION = 31


_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S12 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(12)
_STEP = np.uint64(1)
_TWO_52 = 1.0 / 4503599627370496.0


@lean
def customer_key(seed: int, draw: int, customer: int) -> np.uint64:
    """Return the key of one customer in one draw."""
    key = _mix(np.uint64(seed) + _GOLDEN)
    key = _mix(key + np.uint64(draw) * _GOLDEN + _STEP)
    return _mix(key + np.uint64(customer) * _GOLDEN + _STEP)


@lean
def purpose_key(key: np.uint64, purpose: int) -> np.uint64:
    """Return the key of one purpose of a customer."""
    return _mix(key + np.uint64(purpose) * _GOLDEN)


@lean
def random_bits(key: np.uint64, ordinal: int) -> np.uint64:
    """Return 64 random bits; they may serve as a key in turn, for a number that takes more than one uniform."""
    return _mix(key + np.uint64(ordinal + 1) * _GOLDEN)


@lean
def share(bits: np.uint64) -> float:
    """Return the upper 52 bits as a number in the open interval (0, 1): a multiple of 2**-52 and half a step."""
    # Not 53 bits: adding the half would then round the largest number to 1, and what is certain would not be.
    return (np.float64(bits >> _S12) + 0.5) * _TWO_52


@lean
def _mix(x: np.uint64) -> np.uint64:
    x = (x ^ (x >> _S30)) * _MIX_1
    x = (x ^ (x >> _S27)) * _MIX_2
    return x ^ (x >> _S31)
