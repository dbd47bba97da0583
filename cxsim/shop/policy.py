"""The choices that decide what counts as an order, as its value and as its day; they travel with every metric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cxsim.wording import joined


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """How a shop's exports are read.

    Attributes
    ----------
    value
        What an order's `amount` is: `merchandise`, goods after discounts without shipping and tax; or `charged`, all
        that the customer was asked to pay.
    gift_cards
        `drop` sets orders of gift cards alone aside and takes gift cards out of other orders, because what they buy is
        counted when they are redeemed; `keep` counts the sale too.
    cancelled
        What happens to cancelled and voided orders.
    test
        What happens to test orders, where they can be told.
    unpaid
        What happens to orders that were never paid or are not yet.
    clock
        Whose midnight ends a day: the `shop`'s, as written in its export, or `utc`.
    """

    value: Literal["merchandise", "charged"] = "merchandise"
    gift_cards: Literal["drop", "keep"] = "drop"
    cancelled: Literal["drop", "keep"] = "drop"
    test: Literal["drop", "keep"] = "drop"
    unpaid: Literal["drop", "keep"] = "keep"
    clock: Literal["shop", "utc"] = "shop"

    def sentence(self) -> str:
        """Return the policy as a footnote.

        >>> Policy(gift_cards="keep", clock="utc").sentence()[-70:]
        'refunds. Left out: cancelled and test orders. Days: by universal time.'
        """
        value = {
            "merchandise": "goods after discounts, without shipping and tax, before refunds",
            "charged": "all that was charged, with shipping and tax, before refunds",
        }[self.value]
        rules = {
            "gift cards sold": self.gift_cards,
            "cancelled": self.cancelled,
            "test": self.test,
            "unpaid": self.unpaid,
        }
        return _told(value, [name for name, rule in rules.items() if rule == "drop"], self.clock)


def _told(value: str, dropped: list[str], clock: str) -> str:
    orders = [name for name in dropped if name != "gift cards sold"]
    gone = [name for name in dropped if name == "gift cards sold"]
    if orders:
        gone.append(f"{joined(orders)} orders")
    left_out = f" Left out: {', '.join(gone)}." if gone else ""
    days = {"shop": "by the clock of the shop", "utc": "by universal time"}[clock]
    return f"Value: {value}.{left_out} Days: {days}."
