"""How the functions of the kernel are compiled."""

from __future__ import annotations

from numba import njit

# Without reference counts on the arrays that go from function to function: they cost more than half of the kernel's time.
# Safe because no function compiled so makes an array or keeps one; `play`, which makes the customer's card, is compiled
# with them.
lean = njit(cache=True, nogil=True, _nrt=False)
counted = njit(cache=True, nogil=True)
