from __future__ import annotations

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.tables import LEDGER, RFM, check

ROW = {"customer_id": ["7"], "frequency": [2], "recency_days": [30], "age_days": [60], "monetary_value": [22.5]}


def test_a_table_that_keeps_its_contract_comes_back_as_it_is():
    table = pl.DataFrame(ROW)
    assert check(table, RFM) is table


def test_further_columns_are_no_breach():
    assert "segment" in check(pl.DataFrame(ROW | {"segment": ["a"]}), RFM).columns


def test_a_missing_column_is_answered_with_the_nearest():
    table = pl.DataFrame(ROW).rename({"recency_days": "recencydays"})
    with pytest.raises(TableError, match="RFM: no column 'recency_days'; did you mean 'recencydays'\\? Possible: "):
        check(table, RFM)


def test_a_wrong_type_is_answered_with_those_that_are_possible():
    table = pl.DataFrame(ROW).with_columns(pl.col("customer_id").cast(pl.Float64))
    with pytest.raises(TableError, match="column 'customer_id' is Float64; it must be String or Int64 or Int32"):
        check(table, RFM)


def test_missing_values_are_counted():
    table = pl.DataFrame(ROW).vstack(pl.DataFrame(ROW).with_columns(frequency=pl.lit(None, pl.Int64)))
    with pytest.raises(TableError, match="column 'frequency' misses 1 of 2 values; none may be missing"):
        check(table, RFM)


def test_a_value_may_be_missing_where_the_contract_says_so():
    table = pl.DataFrame(ROW).with_columns(monetary_value=pl.lit(None, pl.Float64))
    assert check(table, RFM)["monetary_value"].null_count() == 1


def test_an_optional_column_may_be_absent_or_present():
    assert check(pl.DataFrame(ROW), RFM).width == len(ROW)
    assert "log_gaps" in check(pl.DataFrame(ROW | {"log_gaps": [2.5]}), RFM).columns


def test_an_optional_column_that_is_present_keeps_its_type():
    with pytest.raises(TableError, match="RFM: column 'log_gaps' is Int64; it must be Float64"):
        check(pl.DataFrame(ROW | {"log_gaps": [2]}), RFM)


def test_missing_values_are_counted_in_an_optional_column_too():
    table = pl.DataFrame(ROW).with_columns(log_gaps=pl.lit(None, pl.Float64))
    with pytest.raises(TableError, match="column 'log_gaps' misses 1 of 1 values; none may be missing"):
        check(table, RFM)


@pytest.mark.parametrize("kind", [pl.String, pl.Enum(["baseline"])])
def test_names_in_a_ledger_are_texts_or_categories(kind):
    row = {
        "draw": [0],
        "arm": ["baseline"],
        "cohort": ["baseline"],
        "month": [0],
        "account": ["baseline"],
        "amount": [1],
    }
    kinds = {"draw": pl.Int32, "arm": kind, "cohort": kind, "month": pl.Int32, "account": kind, "amount": pl.Int64}
    assert check(pl.DataFrame(row, schema=kinds), LEDGER).height == 1
