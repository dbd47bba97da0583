"""The CDNOW log: what every analysis of it since 2001 has counted.

Counts and sums of both logs: Fader & Hardie (2001), Interfaces 31(3), and the files themselves. Calibration ends on
1997-09-30, included; the weeks of the literature are days over seven.
"""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from datetime import date

import polars as pl
import pytest

from cxsim.data.cdnow import load_cdnow
from cxsim.data.orders import Transactions
from cxsim.data.rfm import cumulative_repeat_orders, holdout, summarise
from cxsim.errors import DataError

CALIBRATION_END = date(1997, 9, 30)
END = date(1998, 6, 30)


@pytest.fixture(scope="module")
def sample():
    return load_cdnow(sample=True)


@pytest.fixture(scope="module")
def master():
    return load_cdnow()


def identities(orders: Transactions) -> tuple[int, ...]:
    """Lines, customers, order days, cents and zero-dollar lines, counted from the clean table."""
    customer, amount = pl.col("customer_id"), pl.col("amount")
    cents = (amount * 100).round().cast(pl.Int64).sum().alias("cents")
    days = pl.struct("customer_id", "ordered_at").n_unique().alias("days")
    zeros = (amount == 0).sum().alias("zeros")
    return orders.table.select(pl.len(), customer.n_unique(), days, cents, zeros).collect().row(0)


def calibration(orders: Transactions) -> tuple[int, ...]:
    """Repeat orders, one-time buyers, distinct patterns and paying repeaters up to the end of calibration."""
    rfm = summarise(orders, until=CALIBRATION_END)
    patterns = rfm.select("frequency", "recency_days", "age_days").n_unique()
    return (rfm["frequency"].sum(), (rfm["frequency"] == 0).sum(), patterns, (rfm["monetary_value"] > 0).sum())


def later(orders: Transactions) -> tuple[int, int]:
    """Orders and cents of the holdout."""
    table = holdout(orders, after=CALIBRATION_END, until=END)
    return table["holdout_orders"].sum(), round(table["holdout_amount"].sum() * 100)


LOGS = ("sample", "master")


@pytest.mark.parametrize(
    ("log", "counts"),
    list(zip(LOGS, [(6_919, 2_357, 6_696, 24_409_194, 8), (69_659, 23_570, 67_591, 250_031_563, 80)], strict=True)),
)
def test_a_log_has_the_published_lines_customers_days_cents_and_zeros(request, log, counts):
    assert identities(request.getfixturevalue(log)) == counts


@pytest.mark.parametrize(
    ("log", "counts"), list(zip(LOGS, [(2_457, 1_411, 1_016, 946), (24_337, 14_119, 8_685, 9_450)], strict=True))
)
def test_a_log_summarises_to_the_published_calibration(request, log, counts):
    assert calibration(request.getfixturevalue(log)) == counts


@pytest.mark.parametrize(("log", "counts"), list(zip(LOGS, [(1_882, 7_097_639), (19_684, 77_696_113)], strict=True)))
def test_a_log_has_the_published_holdout(request, log, counts):
    assert later(request.getfixturevalue(log)) == counts


def test_calibration_and_holdout_have_the_same_customers_and_add_up_to_order_days(master):
    table = holdout(master, after=CALIBRATION_END, until=END)
    assert table["customer_id"].equals(summarise(master, until=CALIBRATION_END)["customer_id"])
    # BTYDplus: order days = repeat orders + holdout orders + customers.
    assert calibration(master)[0] + later(master)[0] + 23_570 == 67_591


def test_the_first_customers_of_the_sample_are_as_printed(sample):
    # BTYD, dc.* walkthrough: x, t_x and T in weeks 30.428571, 1.714286, 0 and 38.857143; x* = 1, 0, 0.
    rfm = summarise(sample, until=CALIBRATION_END).head(3)
    orders = holdout(sample, after=CALIBRATION_END, until=END).head(3)
    assert rfm.select("customer_id", "frequency", "recency_days", "age_days").rows() == [
        (1, 2, 213, 272),
        (2, 1, 12, 272),
        (3, 0, 0, 272),
    ]
    assert orders["holdout_orders"].to_list() == [1, 0, 0]


def test_customer_1516_of_the_sample_is_as_printed(sample):
    # BTYD vignette: x = 26, t_x = 30.86 = 216/7, T = 31 = 217/7 weeks.
    rfm = summarise(sample, until=CALIBRATION_END).filter(pl.col("customer_id") == 1516)
    assert rfm.select("frequency", "recency_days", "age_days").row(0) == (26, 216, 217)


def test_one_time_and_loyal_buyers_of_the_sample_are_as_many_as_printed(sample):
    # BTYD vignette: customers with 0, 1, ... 6 and 7 or more repeat orders.
    bins = summarise(sample, until=CALIBRATION_END).select(pl.col("frequency").clip(upper_bound=7))
    counts = bins.group_by("frequency").len().sort("frequency")
    assert counts["len"].to_list() == [1411, 439, 214, 100, 62, 38, 29, 64]


def test_repeat_spend_of_the_sample_is_as_published(sample):
    # Hardie's note 025, as lifetimes checks it: mean 35, sd 30, min 3, median 27, max 300 of 946; all rounded to units.
    spend = summarise(sample, until=CALIBRATION_END)["monetary_value"].drop_nulls()
    found = [spend.mean(), spend.std(), spend.min(), spend.max()]
    assert [round(value) for value in found] == [35, 30, 3, 300]
    # 27.54; the source cuts it to 27.
    assert int(spend.median()) == 27
    # Eight decimals published, so half of the last one.
    assert spend.mean() == pytest.approx(35.0778475, abs=5e-8)


def test_an_order_on_the_day_of_the_split_is_not_held_out(sample):
    # CLVTools, test of estimation.split = "1998-01-01": actual orders of Id 1, 1000, 1056.
    table = holdout(sample, after=date(1998, 1, 1), until=END)
    asked = table.filter(pl.col("customer_id").is_in([1, 1000, 1056]))
    assert asked["holdout_orders"].to_list() == [0, 3, 3]


def test_cumulative_repeat_orders_of_the_sample_are_as_published(sample):
    # BTYD vignette: weeks 20 to 25, counted from 1 January 1997.
    table = cumulative_repeat_orders(sample, until=END)
    assert table["repeat_orders"][20 * 7 - 1 : 25 * 7 : 7].to_list() == [1359, 1414, 1484, 1517, 1573, 1672]
    # lifetimes, test of expected_cumulative_transactions: 11 to 14 January 1997.
    days = table.filter(pl.col("day").is_between(date(1997, 1, 11), date(1997, 1, 14)))
    assert days["repeat_orders"].to_list() == [11, 12, 15, 19]


def test_cumulative_orders_end_where_the_summary_ends(master):
    last = cumulative_repeat_orders(master, until=END)
    assert last["repeat_orders"][-1] == summarise(master)["frequency"].sum()
    assert last["first_orders"].sum() == 23_570


def test_cdnow_says_which_lines_it_keeps_by_policy(sample):
    kept = {line.reason: line.rows for line in sample.hygiene.lines if line.action == "kept"}
    assert kept == {"free orders": 8}
    table = sample.table.collect()
    # 21 as `sort | uniq -c` counts customer, day and dollars in the file.
    assert table.height - table.n_unique() == 21
    assert sample.hygiene.rows_kept == sample.hygiene.rows_read == 6_919


def test_cdnow_is_observed_until_the_end_of_june_1998_and_its_customers_are_whole_numbers(sample, master):
    assert sample.until == master.until == END
    assert sample.table.collect_schema()["customer_id"] == pl.Int64
    assert summarise(sample)["customer_id"].to_list() == list(range(1, 2358))


def test_cdnow_is_loaded_without_importing_the_package_that_carries_it():
    program = (
        "import sys; from cxsim.data import load_cdnow; load_cdnow(sample=True); "
        "print({'lifetimes', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_cdnow_without_the_package_that_carries_it_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "lifetimes", raising=False)
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(DataError, match=r"package lifetimes, which is not installed; install lifetimes"):
        load_cdnow()


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (None, r"lacks datasets/CDNOW_sample\.txt; reinstall lifetimes"),
        (
            " 00004 0001 19970101  2   29.33\n 00004 0001 1997",
            r"CDNOW_sample\.txt: 1 of 2 lines are not a line of CDNOW",
        ),
    ],
)
def test_a_missing_or_damaged_file_of_cdnow_is_refused(tmp_path, monkeypatch, written, message):
    folder = tmp_path / "lifetimes" / "datasets"
    folder.mkdir(parents=True)
    (tmp_path / "lifetimes" / "__init__.py").touch()
    if written:
        (folder / "CDNOW_sample.txt").write_text(written, encoding="ascii")
    monkeypatch.delitem(sys.modules, "lifetimes", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DataError, match=message):
        load_cdnow(sample=True)


def test_the_files_of_cdnow_come_with_the_version_that_is_named():
    # The message that tells what to reinstall names this version.
    assert importlib.metadata.version("lifetimes") == "0.11.3"
