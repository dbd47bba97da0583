from __future__ import annotations

import polars as pl
import pytest

from cxsim.errors import ParamError
from cxsim.strategies.strategy import SEGMENTS, condition
from cxsim.tables import CUSTOMERS, check

ONE_TIME, REPEATER, NEW = 0, 1, 2
PEOPLE = check(
    pl.DataFrame(
        {
            "origin": ["existing", "existing", "new"],
            "frequency": [0, 3, 0],
            "recency_days": [0, 200, 0],
            "age_days": [300, 300, 0],
            "idle_days": [300, 100, 0],
            "monetary_value": [None, 20.0, None],
        }
    ),
    CUSTOMERS,
)


@pytest.mark.parametrize(
    ("who", "met"),
    [
        ("everyone", [ONE_TIME, REPEATER, NEW]),
        ("true", [ONE_TIME, REPEATER, NEW]),
        ("existing", [ONE_TIME, REPEATER]),
        ("new", [NEW]),
        ("one_time_buyers", [ONE_TIME]),
        ("repeat_buyers", [REPEATER]),
        ("idle_days > 90 AND monetary_value >= 20", [REPEATER]),
        ("NOT origin = 'new'", [ONE_TIME, REPEATER]),
    ],
)
def test_a_segment_or_a_condition_is_met_by(who, met):
    people = PEOPLE.with_row_index("place").filter(pl.sql_expr(condition(who)))
    assert people["place"].to_list() == met


@pytest.mark.parametrize("name", SEGMENTS)
def test_every_named_segment_is_a_condition(name):
    assert condition(SEGMENTS[name]) == SEGMENTS[name]


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("everybody", "no segment 'everybody'; did you mean 'everyone'"),
        ("frequency", "no segment 'frequency'"),
        ("idle > 90", 'unable to find column "idle"\\); possible columns: origin, frequency'),
        ("idle_days + 90", "gives Int64, not true or false"),
        ("idle_days > 'x'", "is no condition"),
        ("idle_days >", "is no condition"),
        ("true; DROP TABLE customers", "is no condition"),
        ("frequency IN (SELECT frequency FROM customers)", "is no condition"),
        ("'; --", "is no condition"),
        ("\x00", "is no condition"),
        ("(" * 5000 + "true" + ")" * 5000, "is no condition"),
        ("", "is no condition"),
    ],
)
def test_what_is_no_condition_is_refused_with_what_is_possible(who, words):
    with pytest.raises(ParamError, match=words):
        condition(who)
