from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxsim.errors import ParamError
from cxsim.params import BOUNDS, Z95, Quantity, Unit, quantities, with_values
from tests.simulated import assumed


@st.composite
def beliefs(draw):
    """Any quantity that may be written down: three values inside the unit, in order."""
    unit = draw(st.sampled_from(list(Unit)))
    bounds = BOUNDS[unit]
    margin = 0.0 if bounds.scale == "linear" else 1e-6
    low, value, high = sorted(
        draw(st.lists(st.floats(bounds.low + margin, bounds.high - margin), min_size=3, max_size=3))
    )
    return assumed(value, unit, range=(low, high))


@given(beliefs())
def test_the_ends_of_the_range_are_its_five_and_ninety_five_percent_quantiles(belief):
    low, high = belief.range
    # The way over log or logit and back costs a few of the sixteen digits, more of them near the edge of a share.
    assert belief.quantile(-Z95) == pytest.approx(low, rel=1e-9, abs=1e-9)
    assert belief.quantile(Z95) == pytest.approx(high, rel=1e-9, abs=1e-9)
    assert belief.quantile(0.0) == pytest.approx(belief.value, rel=1e-9, abs=1e-9)


@given(beliefs(), st.floats(-12.0, 12.0), st.floats(-12.0, 12.0))
def test_a_larger_score_never_gives_a_smaller_value(belief, one, other):
    small, large = sorted((one, other))
    slack = 1e-9 * max(1.0, abs(belief.quantile(large)))  # the digits lost on the way over the scale
    assert belief.quantile(small) <= belief.quantile(large) + slack


@given(beliefs(), st.floats(-40.0, 40.0))
def test_no_draw_leaves_what_the_unit_allows(belief, score):
    bounds = BOUNDS[belief.unit]
    assert bounds.low <= belief.quantile(score) <= bounds.high


@given(beliefs(), st.floats(-12.0, 12.0))
def test_what_is_known_for_certain_is_drawn_as_it_is(belief, score):
    assert belief.at(belief.value).quantile(score) == belief.value


# Halfway to the end of the range on the scale itself: geometric mean, mean of the logits, arithmetic mean.
@pytest.mark.parametrize(
    ("unit", "value", "high", "halfway"),
    [
        (Unit.RATIO, 1.0, 4.0, 2.0),
        (Unit.SHARE, 0.5, 0.9, 0.75),  # logit 0.9 = log 9, half of it log 3, and 3 / 4
        (Unit.ELASTICITY, -3.0, -1.0, -2.0),
    ],
)
def test_between_value_and_end_the_scale_of_the_unit_counts(unit, value, high, halfway):
    assert assumed(value, unit, range=(value, high)).quantile(Z95 / 2) == pytest.approx(halfway, rel=1e-12)


@pytest.mark.parametrize(
    "belief", [assumed(1e-300, Unit.SHARE, range=(1e-300, 0.5)), assumed(1e-300, Unit.MONEY, range=(1e-300, 1e9))]
)
def test_the_farthest_draws_of_the_widest_ranges_are_numbers(belief):
    assert all(math.isfinite(belief.quantile(score)) for score in (-40.0, 40.0))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"value": 2.0}, "value 2 is outside its range \\[0.9, 1.1\\]"),
        ({"range": (1.1, 0.9)}, "outside its range"),
        ({"range": (0.001, 1.1)}, "outside what the unit 'ratio' allows: 0.01 to 100"),
        ({"value": math.nan}, "must be finite"),
        ({"range": (0.9, math.inf)}, "must be finite"),
        ({"unit": Unit.SHARE, "range": (0.9, 1.0), "value": 0.95}, "touches the edge"),
        ({"unit": Unit.MONEY, "range": (0.0, 1.0), "value": 0.5}, "touches the edge"),
        ({"unit": "ratios"}, "unit: no 'ratios'; did you mean 'ratio'"),
        ({"evidence": "guessed"}, "evidence: no 'guessed'; possible: measured, published, assumed"),
        ({"evidence": "published"}, "evidence 'published' needs a source"),
        ({"evidence": "measured", "source": ""}, "evidence 'measured' needs a source"),
    ],
)
def test_a_quantity_is_refused_when(changes, words):
    written = {"description": "d", "unit": Unit.RATIO, "value": 1.0, "range": (0.9, 1.1), "evidence": "assumed"}
    with pytest.raises(ParamError, match=words):
        Quantity(**written | changes)


@pytest.mark.parametrize("unit", [Unit.SHARE, Unit.MONEY, Unit.DAYS])
def test_an_edge_is_allowed_for_what_is_known_for_certain(unit):
    assert assumed(0.0, unit).quantile(3.0) == 0.0


@dataclass(frozen=True)
class Part:
    kind: str
    size: Quantity


@dataclass(frozen=True)
class Whole:
    name: str
    first: Quantity
    missing: Quantity | None
    parts: tuple[Part, ...]


WHOLE = Whole(
    name="w",
    first=assumed(1.0, Unit.RATIO, range=(0.9, 1.1)),
    missing=None,
    parts=(Part("a", assumed(2.0, Unit.MONEY, range=(1.0, 3.0))), Part("b", assumed(5.0, Unit.DAYS, range=(4.0, 6.0)))),
)


def test_every_quantity_is_found_by_a_path_in_the_order_of_the_fields():
    assert [path for path, _ in quantities(WHOLE)] == ["first", "parts.a_1.size", "parts.b_2.size"]


def test_values_put_in_are_the_values_found():
    values = {path: quantity.quantile(1.0) for path, quantity in quantities(WHOLE)}
    changed = with_values(WHOLE, values)
    assert {path: quantity.value for path, quantity in quantities(changed)} == values
    assert all(quantity.range == (quantity.value, quantity.value) for _, quantity in quantities(changed))


def test_what_is_not_named_stays_as_it_is():
    changed = with_values(WHOLE, {"parts.b_2.size": 4.5})
    assert changed.first is WHOLE.first
    assert changed.parts[0] == WHOLE.parts[0]
    assert changed.parts[1].size.value == 4.5
    assert with_values(WHOLE, {}) == WHOLE
