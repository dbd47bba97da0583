from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from cxsim.finance.economics import ACCOUNTS, SHARED, Books, book, load_economics, tariff
from cxsim.finance.ledger import Account
from cxsim.params import Unit
from cxsim.simulation.counts import CountKind, place, width
from cxsim.tables import LEDGER, check
from tests.simulated import assumed

BOOKS = Books(arms=("baseline", "plan"), cohorts=("existing", "1998-07"))
SHOP = load_economics("cdnow")
NOTHING = np.zeros((len(ACCOUNTS), 2), np.int64)


def _counts(*, orders=0, cents=0):
    counts = np.zeros((2, 2, width(0)), np.int64)
    counts[0, 1, place(CountKind.ORDERS)] = orders
    counts[0, 1, place(CountKind.LIST)] = cents
    return counts


def test_entries_name_arm_cohort_month_and_account():
    worth = tariff(SHOP, [])
    ledger = book(
        BOOKS, 3, [_counts(), _counts(orders=1, cents=1000)], tariffs=[worth, worth], fixed=[NOTHING, NOTHING]
    )
    sales = check(ledger, LEDGER).row(0, named=True)
    assert sales == {
        "draw": 3, "arm": "plan", "cohort": "existing", "month": 1, "account": "gross sales", "amount": 10_000_000,
    }  # fmt: skip


def test_entries_of_zero_are_left_out():
    worth = tariff(SHOP, [])
    assert book(BOOKS, 0, [_counts(), _counts()], tariffs=[worth, worth], fixed=[NOTHING, NOTHING]).is_empty()


def test_what_a_programme_costs_whatever_customers_do_belongs_to_no_cohort():
    worth = tariff(SHOP, [])
    costs = NOTHING.copy()
    costs[ACCOUNTS.index(Account.PROGRAMME), 0], costs[ACCOUNTS.index(Account.SET_UP), 1] = -7, -9
    fixed = [NOTHING, costs]
    ledger = book(BOOKS, 0, [_counts(), _counts()], tariffs=[worth, worth], fixed=fixed)
    assert ledger.select("arm", "cohort", "month", "account", "amount").rows() == [
        ("plan", SHARED, 0, Account.PROGRAMME.value, -7),
        ("plan", SHARED, 1, Account.SET_UP.value, -9),
    ]


shares = st.floats(0.01, 0.99).map(lambda share: assumed(share, Unit.SHARE))
fees = st.floats(0.0, 100.0).map(lambda fee: assumed(fee, Unit.MONEY_PER_ORDER))
orders = hnp.arrays(np.int64, st.tuples(st.integers(1, 20), st.just(width(0))), elements=st.integers(0, 10**7))


@given(orders, shares, shares, fees)
def test_money_is_conserved_booking_every_order_or_all_at_once(each, margin, payment_share, fee):
    shop = dataclasses.replace(SHOP, gross_margin=margin, payment_share=payment_share, payment_per_order=fee)
    worth = tariff(shop, [])
    one_by_one = sum((worth @ order for order in each), np.zeros(len(ACCOUNTS), np.int64))
    counts = np.zeros((2, 2, width(0)), np.int64)
    counts[1, 0] = each.sum(axis=0)
    ledger = book(BOOKS, 0, [_counts(), counts], tariffs=[worth, worth], fixed=[NOTHING, NOTHING])
    booked = dict(ledger.select(pl.col("account").cast(pl.String), "amount").iter_rows())
    assert [booked.get(str(account), 0) for account in ACCOUNTS] == one_by_one.tolist()


@given(orders)
def test_an_order_of_twice_the_size_is_worth_twice_as_much(each):
    worth = tariff(SHOP, [])
    assert (worth @ (2 * each[0])).tolist() == (2 * (worth @ each[0])).tolist()
