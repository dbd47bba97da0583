"""The number of a rank is found as sorting would find it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cxsim.clv.forecast_kernel import ranked


@given(
    st.lists(st.floats(min_value=0.0, max_value=1e6, exclude_min=True) | st.just(1.0), max_size=40),
    st.integers(0, 40),
    st.randoms(use_true_random=False),
)
def test_it_is_the_number_at_that_place_of_the_sorted_ones(numbers, zeros, luck):
    everything = sorted([0.0] * zeros + numbers)
    room = np.array([*numbers, np.nan])
    for rank in luck.sample(range(len(everything)), len(everything)):
        assert ranked(room, len(numbers), zeros, rank) == everything[rank]
