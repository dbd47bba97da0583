"""Money in its one form: a signed ledger entry in one account of the contribution-margin ladder."""

from __future__ import annotations

from enum import StrEnum

# Accounts, in the order in which a statement lists them; income is positive, cost negative.
Account = StrEnum(
    "Account",
    {
        "GROSS_SALES": "gross sales",
        "FEES": "membership fees",
        "DISCOUNTS": "discounts",
        "REFUNDS": "refunds",
        "COST_OF_GOODS": "cost of goods",
        "PAYMENT": "payment fees",
        "FULFILMENT": "pick, pack and ship",
        "RETURNS": "returns handling",
        "SUPPORT": "support",
        "REWARDS": "rewards",
        "POINTS_LIABILITY": "points still outstanding",
        "COMPENSATION": "compensation",
        "ACQUISITION": "acquisition",
        "SET_UP": "set-up cost",
        "PROGRAMME": "programme cost",
        "MEMBER_BENEFITS": "member benefits",
        "ORDER_EXTRAS": "added order costs",
        "REDEMPTIONS": "redemption cost",
        "TICKET_EXTRAS": "added ticket costs",
        "CONTACTS": "contact costs",
        "REFERRALS": "referral rewards",
        "REVENUE_SHARE": "share of revenue",
        "WORKING_CAPITAL": "working capital",
        "RETAINED": "customers retained, after the horizon",
    },
)

# What a programme costs beside what it gives away, all below contribution margin 3.
PROGRAMME_ACCOUNTS: tuple[Account, ...] = (
    Account.SET_UP,
    Account.PROGRAMME,
    Account.MEMBER_BENEFITS,
    Account.ORDER_EXTRAS,
    Account.REDEMPTIONS,
    Account.TICKET_EXTRAS,
    Account.CONTACTS,
    Account.REFERRALS,
    Account.REVENUE_SHARE,
    Account.WORKING_CAPITAL,
)
# A subtotal is the sum of all accounts above it.
LADDER: tuple[tuple[str, tuple[Account, ...]], ...] = (
    ("net revenue", (Account.GROSS_SALES, Account.FEES, Account.DISCOUNTS, Account.REFUNDS)),
    ("contribution margin 1", (Account.COST_OF_GOODS,)),
    ("contribution margin 2", (Account.PAYMENT, Account.FULFILMENT, Account.RETURNS, Account.SUPPORT)),
    (
        "contribution margin 3",
        (Account.REWARDS, Account.POINTS_LIABILITY, Account.COMPENSATION, Account.ACQUISITION),
    ),
    # Customers retained are no cash of the horizon: nothing is booked there unless the scenario says so.
    ("cash contribution", (*PROGRAMME_ACCOUNTS, Account.RETAINED)),
)
# What a strategy spends; the rest of its increment is what it brings. Acquisition is that of customers whom it
# attracts: the usual ones cost the same without it, and referred ones their reward.
INVESTMENT_ACCOUNTS: tuple[Account, ...] = (
    Account.DISCOUNTS,
    Account.REWARDS,
    Account.POINTS_LIABILITY,
    Account.COMPENSATION,
    Account.ACQUISITION,
    *PROGRAMME_ACCOUNTS,
)
