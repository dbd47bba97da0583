from __future__ import annotations

from cxsim.finance.ledger import LADDER, OUTLAY, PROGRAMME_ACCOUNTS, Account


def test_the_ladder_holds_every_account_once_in_the_order_of_the_statement():
    assert [account for _, accounts in LADDER for account in accounts] == list(Account)


def test_outlay_is_what_the_strategy_gives_away_and_what_it_costs():
    given_away = {Account.MARKDOWN, Account.REWARDS, Account.POINTS_LIABILITY, Account.COMPENSATION}
    assert set(OUTLAY) == given_away | set(PROGRAMME_ACCOUNTS)
    assert len(set(OUTLAY)) == len(OUTLAY)


def test_what_a_programme_costs_lies_below_the_third_contribution_margin():
    assert dict(LADDER)["cash contribution"] == PROGRAMME_ACCOUNTS
