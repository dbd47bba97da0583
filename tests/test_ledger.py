from __future__ import annotations

from cxsim.ledger import LADDER, OUTLAY, Account


def test_the_ladder_holds_every_account_once_in_the_order_of_the_statement():
    assert [account for _, accounts in LADDER for account in accounts] == list(Account)


def test_outlay_is_what_the_strategy_gives_away_and_what_it_costs():
    assert set(OUTLAY) == {Account.MARKDOWN, Account.REWARDS, Account.POINTS_LIABILITY, Account.PROGRAMME}
