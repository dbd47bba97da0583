"""Money in its one form: a signed ledger entry in one account of the contribution-margin ladder."""

from __future__ import annotations

from enum import StrEnum


class Account(StrEnum):
    """Accounts, in the order in which a statement lists them; income is positive, cost negative."""

    GROSS_SALES = "gross sales"
    MARKDOWN = "markdown"
    COST_OF_GOODS = "cost of goods"
    PAYMENT = "payment fees"
    FULFILMENT = "pick, pack and ship"
    SUPPORT = "support"
    REWARDS = "rewards"
    POINTS_LIABILITY = "points still outstanding"
    ACQUISITION = "acquisition"
    PROGRAMME = "programme cost"


# A subtotal is the sum of all accounts above it.
LADDER: tuple[tuple[str, tuple[Account, ...]], ...] = (
    ("net revenue", (Account.GROSS_SALES, Account.MARKDOWN)),
    ("contribution margin 1", (Account.COST_OF_GOODS,)),
    ("contribution margin 2", (Account.PAYMENT, Account.FULFILMENT, Account.SUPPORT)),
    ("contribution margin 3", (Account.REWARDS, Account.POINTS_LIABILITY, Account.ACQUISITION)),
    ("cash contribution", (Account.PROGRAMME,)),
)
# What a strategy spends; the rest of its increment is what it brings.
OUTLAY: tuple[Account, ...] = (Account.MARKDOWN, Account.REWARDS, Account.POINTS_LIABILITY, Account.PROGRAMME)
