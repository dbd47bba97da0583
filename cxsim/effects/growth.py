"""Effects on how many new customers come, and who they are: conversion and referral."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from cxsim.errors import ParamError
from cxsim.quantity import Quantity, require_together, require_units
from cxsim.units import Unit


@dataclass(frozen=True, kw_only=True, slots=True)
class Acquisition:
    """Multiply the number of new customers that arrive while the programme runs.

    Of those who come on top, a share is like the others; the rest never orders again. Their expected later value is
    then exactly that share of the others', whatever the model of leaving.

    Attributes
    ----------
    ratio
        New customers with the programme over those without it.
    charge
        Share of the usual acquisition cost that is paid for each customer on top: 0 where the same visitors are
        converted better, 1 where more visitors are bought.
    loyal
        Share of them that is like the others; all when left out.
    depth, loss_per_depth
        Instead of `loyal`, for an introductory markdown: loyal = exp(-loss_per_depth * depth). At 1.98, customers won
        with 35 % off are worth half: Lewis (2006).
    """

    ratio: Quantity
    charge: Quantity
    loyal: Quantity | None = None
    depth: Quantity | None = None
    loss_per_depth: Quantity | None = None
    kind: Literal["acquisition"] = "acquisition"

    def __post_init__(self) -> None:
        units = {
            "ratio": Unit.RATIO,
            "charge": Unit.SHARE,
            "loyal": Unit.SHARE,
            "depth": Unit.SHARE,
            "loss_per_depth": Unit.EXPONENT,
        }
        require_units(self, units, self.kind)
        require_together(self, ("depth", "loss_per_depth"), self.kind)
        if self.loyal is not None and self.depth is not None:
            raise ParamError("acquisition: loyal and depth both say how many stay; write one of them.")

    @property
    def staying(self) -> float:
        """Share of those on top that is like the others."""
        if self.depth is not None and self.loss_per_depth is not None:
            return math.exp(-self.loss_per_depth.value * self.depth.value)
        return 1.0 if self.loyal is None else self.loyal.value


@dataclass(frozen=True, kw_only=True, slots=True)
class Referral:
    """Let satisfied customers bring new ones, who bring new ones in turn.

    A living customer whose satisfaction is at least the mean recommends with a rate; a share of the recommendations
    wins a customer, of whom some would have come anyway. Form and sizes: Schmitt, Skiera & Van den Bulte (2011).

    Attributes
    ----------
    per_year
        Recommendations a year of one such customer.
    success
        Share of them that wins a customer.
    anyway
        Share of those who would have come anyway: the reward is paid and nobody is added.
    dropout
        Ratio on the chance of leaving of referred customers; persists.
    premium, premium_half_life_days
        Ratio on their order values at first, and how fast that fades.
    """

    per_year: Quantity
    success: Quantity
    anyway: Quantity
    dropout: Quantity
    premium: Quantity
    premium_half_life_days: Quantity
    kind: Literal["referral"] = "referral"

    def __post_init__(self) -> None:
        units = {
            "per_year": Unit.PER_YEAR,
            "success": Unit.SHARE,
            "anyway": Unit.SHARE,
            "dropout": Unit.RATIO,
            "premium": Unit.RATIO,
            "premium_half_life_days": Unit.DAYS,
        }
        require_units(self, units, self.kind)
        if self.premium_half_life_days.range[0] < 1.0:
            raise ParamError("referral.premium_half_life_days must be at least 1.")

    @property
    def most_per_year(self) -> float:
        """Most customers that one customer can bring in a year, at the far ends of the ranges."""
        return self.per_year.range[1] * self.success.range[1] * (1.0 - self.anyway.range[0])
