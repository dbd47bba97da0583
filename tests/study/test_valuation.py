"""The value table of a CRM: the same from Python and from the command line, ranked, and defined column by column."""

from __future__ import annotations

import re
from datetime import date

import polars as pl
import pytest

import cxsim
from checks.source import ROOT
from cxsim.clv.customer_value import ValuationTerms, customer_values
from cxsim.clv.fit import fit, fit_spend
from cxsim.clv.validation.holdout import with_deciles
from cxsim.data.cdnow import load_cdnow
from cxsim.data.exports.read_shop import read_shop, read_transactions
from cxsim.data.rfm import GRID, summarise
from cxsim.errors import DataError, EstimationError, ParamError
from cxsim.study.valuation import value

PAGE = (ROOT / "docs" / "value-table.md").read_text(encoding="utf-8")
SMALL = {"draws": 20, "margin": 0.3}


@pytest.fixture(scope="module")
def orders():
    """A log of paid orders of every fourth customer, whose customers are texts."""
    lines = load_cdnow(sample=True).table.collect().filter(pl.col("customer_id") % 4 == 0, pl.col("amount") > 0)
    return lines.with_columns(pl.format("c{}", pl.col("customer_id")).alias("customer_id")).unique(maintain_order=True)


@pytest.fixture(scope="module")
def table(orders):
    return value(orders, **SMALL)


def test_a_path_a_frame_a_shop_and_orders_that_were_read_give_the_same_table(orders, table, tmp_path):
    path = tmp_path / "orders.csv"
    orders.write_csv(path)
    shop = read_shop(orders)
    sources = [path, str(path), orders.sample(fraction=1.0, shuffle=True, seed=1), shop, read_transactions(orders)]
    pandas = pytest.importorskip("pandas")
    sources.append(pandas.DataFrame({name: orders[name].to_list() for name in orders.columns}))
    for source in sources:
        assert value(source, **SMALL).equals(table), type(source)


def test_the_estimates_are_those_of_the_models_and_the_rank_is_theirs(orders, table):
    rfm = summarise(read_transactions(orders))
    fits = fit(rfm, model="mbgnbd"), fit_spend(rfm)
    values = customer_values(rfm, *fits, ValuationTerms(draws=20, margin=0.3)).table
    assert table.select(values.columns).equals(values)
    assert table["decile"].equals(with_deciles(rfm, values["value"])["decile"])
    ranked = table.sort("rank")
    assert ranked["rank"].to_list() == list(range(1, table.height + 1))
    assert ranked.equals(table.sort(["value", "customer_id"], descending=[True, False]))


def test_equal_values_are_ranked_by_customer():
    # Pairs of customers who did the same; the later one comes first in the file.
    days = [(f"{pair:02d}{twin}", day) for twin in "ba" for pair in range(30) for day in range(0, 300, 20 + 7 * pair)]
    log = pl.DataFrame(
        [
            (who, date(2024, 1, 1 + day % 28) + (date(2024, 2, 1) - date(2024, 1, 1)) * (day // 28), 9.9)
            for who, day in days
        ],
        schema=["customer_id", "ordered_at", "amount"],
        orient="row",
    )
    ranks = dict(value(log, draws=20).select("customer_id", "rank").iter_rows())
    assert all(ranks[f"{pair:02d}b"] == ranks[f"{pair:02d}a"] + 1 for pair in range(30))


def test_the_page_defines_every_column_and_segment_of_the_table(table):
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == table.columns
    rows = re.findall(r"^\| (\d) \| (.+) \|$", PAGE, re.MULTILINE)
    assert {int(score): tuple(names.split(" | ")) for score, names in rows} == dict(enumerate(GRID, start=1))
    assert set(table["segment"].cast(pl.String)) <= {name for row in GRID for name in row}
    nulls = table.null_count().row(0, named=True)
    assert {name for name, count in nulls.items() if count} <= {"days_to_next"}


@pytest.mark.parametrize(
    ("source", "more", "kind", "words"),
    [
        ("cdnow-smaple", {}, ParamError, "did you mean 'cdnow-sample'"),
        (7, {}, DataError, "a path, a frame of polars, pandas or pyarrow, or a shop; found int"),
        (load_cdnow(sample=True), {"until": date(1998, 1, 1)}, DataError, "has already been read"),
        (load_cdnow(sample=True), {"model": "bgnb"}, EstimationError, "did you mean 'bgnbd'"),
        (load_cdnow(sample=True), {"margin": 30.0}, EstimationError, "margin must be a share from 0 to 1; found 30"),
    ],
)
def test_what_cannot_be_valued_is_refused_with_what_is_possible(source, more, kind, words):
    with pytest.raises(kind, match=re.escape(words)):
        cxsim.value(source, **more)
