from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

import pytest
from hypothesis import given, strategies as st

from cxsim.errors import ParamError
from cxsim.library import root, shown
from cxsim.params import (
    BY_KIND,
    MICROS,
    MICROS_PER_CENT,
    SHARE_STEPS,
    Z95,
    Quantity,
    Unit,
    content_of,
    micros,
    quantities,
    read,
    schema_text,
    share_steps,
    sources,
    text_of,
    with_values,
)
from tests.simulated import assumed


@dataclass(frozen=True, kw_only=True)
class Circle:
    radius: float
    kind: Literal["circle"] = "circle"


@dataclass(frozen=True, kw_only=True)
class Square:
    side: float
    kind: Literal["square"] = "square"


@dataclass(frozen=True, kw_only=True)
class Drawing:
    name: str
    day: date
    copies: int
    shapes: tuple[Annotated[Circle | Square, BY_KIND], ...]
    frame: Square | None = None

    def __post_init__(self):
        if self.copies < 1:
            raise ParamError(f"copies must be 1 or more; found {self.copies}.")


SOUND = "day: 1998-06-30\ncopies: 2\nshapes:\n  - {kind: circle, radius: 1}\n  - {kind: square, side: 2.5}\n"


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "garden.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_file_becomes_the_dataclass_and_its_name_the_field_name(write):
    assert read(write(SOUND), Drawing) == Drawing(
        name="garden", day=date(1998, 6, 30), copies=2, shapes=(Circle(radius=1.0), Square(side=2.5))
    )


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("copies: 2", "copys: 2", "garden.yaml: copys: unknown key; did you mean 'copies'? Possible: day, "),
        ("copies: 2", "copies: 0", "garden.yaml: copies must be 1 or more; found 0."),
        ("copies: 2\n", "", "garden.yaml: copies: missing; write it."),
        ("copies: 2", 'copies: "2"', "copies: must be a whole number, without quotes and without a point; found '2'."),
        ("copies: 2", "copies: true", "copies: must be a whole number"),
        ("copies: 2", "copies: null", "copies: must be a whole number"),
        ("radius: 1", "radius: 1e3", "shapes.0.circle.radius: must be a number"),
        ("radius: 1", "raduis: 1", "circle.raduis: unknown key; did you mean 'radius'? Possible: radius, kind."),
        ("kind: circle", "kind: circel", "shapes.0: kind 'circel' is not possible; did you mean 'circle'? Possible: "),
        ("kind: circle, ", "", "shapes.0: the key 'kind' is missing"),
        ("copies: 2", "copies: 2\nframe: {sid: 1}", "frame.sid: unknown key; did you mean 'side'? Possible: "),
        ("day: 1998-06-30", "day: 30.6.1998", "day: must be a valid date in the format YYYY-MM-DD"),
        ("copies: 2", "copies: 2\ncopies: 3", "garden.yaml: line 3: not readable as YAML: key 'copies' is"),
        ("side: 2.5", "side: 2.5, side: 3", "line 5: not readable as YAML: key 'side' is written twice."),
        ("copies: 2", "copies: 2\n1: 3", "the key 1 is not text"),
        ("copies: 2", "copies: 2\nname: x", "name: unknown key; the name is the file's own, 'garden'."),
    ],
)  # fmt: skip
def test_a_mistake_is_sentence_with_file_key_and_what_is_possible(write, old, new, words):
    with pytest.raises(ParamError) as sentence:
        read(write(SOUND.replace(old, new)), Drawing)
    assert words in str(sentence.value)


def test_all_mistakes_of_a_file_are_sentence_one_in_a_line(write):
    text = SOUND.replace("copies: 2", 'copies: "2"').replace("radius", "raduis")
    with pytest.raises(ParamError) as sentence:
        read(write(text), Drawing)
    lines = str(sentence.value).splitlines()
    assert len(lines) == 3
    assert all(line.startswith(f"{shown(write(text))}: ") for line in lines)


def test_a_short_file_cannot_stand_for_an_endless_one(write):
    laughs = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
    with pytest.raises(ParamError, match=r"line 2: not readable as YAML: a reference \(\*\); write it out"):
        read(write(laughs), Drawing)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ParamError, match="cannot be read"):
        read(tmp_path, Drawing)


def test_messages_name_files_from_the_project_on(monkeypatch):
    monkeypatch.chdir(root() / "params")
    assert shown(root() / "params" / "economics" / "cdnow.yaml") == "params/economics/cdnow.yaml"


def test_every_source_says_what_was_measured():
    assert all(source.measured.strip() for source in sources().values())


def test_the_schema_names_every_key():
    text = schema_text({"drawings": Drawing})
    assert all(f'"{key}"' in text for key in ("day", "copies", "shapes", "frame", "radius", "side"))
    assert text == schema_text({"drawings": Drawing})


@st.composite
def beliefs(draw):
    """Any quantity that may be written down: three values inside the unit, in order."""
    unit = draw(st.sampled_from(list(Unit)))
    margin = 0.0 if unit.scale == "linear" else 1e-6
    low, value, high = sorted(draw(st.lists(st.floats(unit.low + margin, unit.high - margin), min_size=3, max_size=3)))
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
    assert belief.unit.low <= belief.quantile(score) <= belief.unit.high


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


@pytest.mark.parametrize("unit", Unit)
def test_every_unit_says_what_it_allows(unit):
    assert unit.low < unit.high


def test_a_share_of_a_cent_is_a_whole_number_of_millionths():
    # What makes the ledger exact: 10**-2 * 10**-4 = 10**-6.
    assert MICROS_PER_CENT == SHARE_STEPS
    assert MICROS_PER_CENT * 100 == MICROS


@pytest.mark.parametrize(("amount", "whole"), [(0.01, 10_000), (2.5, 2_500_000), (0.0, 0), (1e9, 10**15)])
def test_money_becomes_whole_millionths(amount, whole):
    assert micros(amount) == whole


# 0.29 * 10_000 is 2899.9999999999995 as a float.
@pytest.mark.parametrize(("share", "whole"), [(0.29, 2900), (0.0, 0), (1.0, 10_000), (0.00004, 0), (0.00006, 1)])
def test_a_share_becomes_whole_hundredths_of_a_percent(share, whole):
    assert share_steps(share) == whole


TEXT = st.text(max_size=200)
NUMBER = st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.recursive(
    TEXT | NUMBER | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(TEXT, PLAIN, max_size=4))
def test_what_is_written_is_read_again_as_it_was(content):
    assert content_of(text_of(content)) == content


def test_keys_keep_their_order_and_numbers_stand_on_one_line():
    assert (
        text_of({"value": 0.5, "range": [0.1, 0.9], "as": [{"b": 1}]}) == "value: 0.5\nrange: [0.1, 0.9]\nas:\n- b: 1\n"
    )


def test_the_same_part_twice_is_written_twice():
    part = {"a": [1, 2]}
    assert text_of({"one": part, "other": part}) == "one:\n  a: [1, 2]\nother:\n  a: [1, 2]\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", r"line 2: not readable as YAML: key 'a' is written twice\."),
        ("on: 1\n", r"line 1: not readable as YAML: the key True is not text\."),
        ("a: &x 1\nb: *x\n", r"line 2: not readable as YAML: a reference \(\*\); write it out\."),
        ("a: 2024-02-30\n", r"line 1: not readable as YAML: there is no day or time 2024-02-30\."),
        ("a: [1\n", "not readable as YAML"),
    ],
)
def test_what_yaml_would_let_pass_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        content_of(text)
