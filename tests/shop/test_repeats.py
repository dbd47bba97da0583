"""Several systems in one folder: what is the same is merged within one, and nothing is across them."""

from __future__ import annotations

import csv

import pytest

from cxsim.data.exports.read_shop import read_shop
from cxsim.errors import DataError
from tests.shop.test_freshdesk import ticket as freshdesk
from tests.shop.test_zendesk import ticket as zendesk

OWN = "order_id,customer_id,ordered_at,amount\n1,ana,2024-02-03 10:00,9.90\n2,bo,2024-02-04 10:00,20.00\n"


@pytest.fixture
def desks(tmp_path):
    """Write files of tickets by their names and read the folder."""

    def read(**files):
        for name, rows in files.items():
            with (tmp_path / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
        return read_shop(tmp_path)

    return read


def numbers(table, name="ticket_id"):
    return table.sort(name).collect()[name].to_list()


def rows_of(shop, words):
    return [sum(one.rows for one in receipt.lines if words in one.reason) for receipt in shop.receipts]


def test_tickets_of_two_desks_with_one_number_are_two_tickets(desks):
    later = {"Created_time": "2024-03-05 09:00:00", "Resolved_time": "2024-03-05 19:00:00",
             "Initial_response_time": "2024-03-05 10:00:00"}  # fmt: skip
    shop = desks(
        a=[freshdesk("1", **later, Survey_results="Happy"), freshdesk("2", **later)],
        b=[zendesk("1"), zendesk("3")],
    )
    assert numbers(shop.tickets) == ["1", "2", "3", "Zendesk 1"]
    assert [receipt.rows_kept for receipt in shop.receipts if receipt.table == "tickets"] == [2, 2]
    # The file that comes second by name is told so: its ticket 1.
    assert max(rows_of(shop, "told apart as in 'Zendesk 1'")) == 1


def test_a_rating_goes_with_the_ticket_of_its_own_desk(desks):
    shop = desks(a=[freshdesk("1")], b=[zendesk("1", Created_at="2024-03-05 09:00", Satisfaction_Score="Good")])
    assert numbers(shop.surveys) == ["Zendesk 1"]


def test_an_export_of_one_desk_in_two_pieces_is_merged(desks):
    shop = desks(a=[zendesk("1"), zendesk("2")], b=[zendesk("2"), zendesk("3", Created_at="2024-03-09 09:00")])
    assert numbers(shop.tickets) == ["1", "2", "3"]
    assert sum(rows_of(shop, "also in a newer file")) == 1


def test_the_same_orders_from_two_systems_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text(OWN)
    (tmp_path / "theirs.csv").write_text(OWN.replace("order_id,customer_id,ordered_at,amount", "nr,who,day,euros"))
    (tmp_path / "shop.yaml").write_text(
        "title: Mine\ntables:\n- table: orders\n  file: theirs.csv\n"
        "  columns: {order_id: nr, customer_id: who, ordered_at: day, amount: euros}\n"
    )
    with pytest.raises(
        DataError, match=r"theirs\.csv: 2 of its orders have the number and the moment of one in a\.csv"
    ):
        read_shop(tmp_path)


def test_sessions_say_how_they_fit_the_orders(tmp_path):
    (tmp_path / "a.csv").write_text(OWN)
    header = "session_id,customer_id,started_at,order_id\n"
    (tmp_path / "b.csv").write_text(header + "s,bo,2024-02-04 09:00,2\nt,,2024-02-04 09:30,\n")
    (tmp_path / "c.csv").write_text(header + "u,bo,2024-02-04 09:45,9\n")
    facts = {receipt.file: dict(receipt.facts) for receipt in read_shop(tmp_path).receipts}
    # The first of all sessions began on 4 February at 9: order 1 was before it, order 2 belongs to one, 9 is unknown.
    assert facts["b.csv"]["orders before the first session"] == "1 of 2"
    assert facts["b.csv"]["later orders that belong to a session"] == "1 of 1"
    assert facts["b.csv"]["orders of sessions that are not among the orders"] == "1"
    assert "orders before the first session" not in facts["c.csv"]


def test_sessions_that_know_no_order_say_only_what_was_before_them(tmp_path):
    (tmp_path / "a.csv").write_text(OWN)
    (tmp_path / "b.csv").write_text("session_id,started_at,source\ns,2024-02-04 09:00,web\n")
    facts = dict(read_shop(tmp_path).receipts[1].facts)
    assert facts["orders before the first session"] == "1 of 2"
    assert "later orders that belong to a session" not in facts
