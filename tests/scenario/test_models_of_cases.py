"""The models that files under params/ may name are those that there are."""

from __future__ import annotations

from typing import get_args

from cxsim.clv.likelihood import KINDS, Model
from cxsim.study.scenario import PurchaseModel


def test_a_valuation_may_name_every_model_that_can_be_fitted():
    assert get_args(PurchaseModel) == get_args(Model) == tuple(KINDS)
