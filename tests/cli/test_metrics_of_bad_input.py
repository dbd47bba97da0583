"""What `cxsim metrics` says of exports that it cannot measure, or only in part; nothing is written then."""

from __future__ import annotations

import shutil

import pytest

from tests.data.samples import EXPORTS, order, write

_SCENARIO = "tiny"
_AMAZON = "amazon-order-id\tpurchase-date\torder-status\titem-status\tquantity\tcurrency\titem-price"
_DAMAGED = "5.60000E+12"


def march(day: int, name: str, **cells: str) -> dict[str, str]:
    return order(name, Created_at=f"2024-03-{day:02d} 10:00:00 -0500", **cells)


@pytest.fixture
def folder(project):
    place = project.folder / "exports"
    place.mkdir()
    return place


@pytest.fixture
def refused(project):
    """Call the command with a file to write, and return what it was refused with; nothing may have changed."""

    def call(*words) -> str:
        before = project.files(), project.folders()
        message = project("metrics", *words, "--out", "found.csv").error
        assert (project.files(), project.folders()) == before
        return message

    return call


def test_several_currencies(refused, folder):
    write(folder / "orders.csv", [march(1, "#1002"), march(2, "#1003", Currency="EUR")])
    assert refused(folder) == (
        "orders are in several currencies: EUR (1 orders), USD (1 orders). Amounts of different currencies have no "
        "sum; name the one to keep, as `currency` or with --currency."
    )


def test_an_empty_folder(refused, folder):
    assert refused(folder) == (
        f"{folder}: there are no tables in it: it is empty; put a shop's exports there, as .csv, .tsv, .txt, .parquet, "
        ".zip."
    )


@pytest.mark.parametrize(
    ("first", "kind"),
    [(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF"), (b"PK\x03\x04\x14\x00", "an archive or a workbook")],
)
def test_another_file_under_the_name_of_a_table(refused, folder, first, kind):
    (folder / "orders.csv").write_bytes(first + b"1 0 obj << /Type /Catalog >>\n")
    assert refused(folder) == (
        f"orders.csv: by its first bytes it is {kind}, not a text table; export the table itself as CSV."
    )


def test_customers_without_orders(refused, folder):
    shutil.copy(EXPORTS / "shopify_customers.csv", folder)
    message = refused(folder)
    assert message.startswith(f"{folder}: nothing in it can be measured.\nshopify_customers.csv: recognised as Shopify")
    assert "its 3 rows are set aside" in message
    assert "export the orders instead" in message


def test_an_end_before_the_first_order(refused, folder):
    write(folder / "orders.csv", [march(1, "#1002")])
    assert refused(folder, "--until", "2024-02-01") == (
        f"{folder}: observation would end at 2024-02-02 00:00:00, before the first row of 2024-03-01 10:00:00."
    )


def test_a_file_of_another_kind_alone(refused, folder):
    (folder / "notes.csv").write_text("what,why\n1,2\n", encoding="utf-8")
    assert refused(folder).startswith("notes.csv: not recognised by its 2 columns (what, why). Nearest: ")


def test_an_unknown_file_beside_orders_is_sentence_of_and_the_orders_are_measured(project, folder):
    write(folder / "orders.csv", [march(day, f"#{1000 + day}") for day in range(2, 25)])
    (folder / "notes.csv").write_text("what,why\n1,2\n", encoding="utf-8")
    (folder / "plan.pdf").write_text("words", encoding="utf-8")
    sentence = project("metrics", folder)
    assert (sentence.code, sentence.err) == (0, "")
    lines = sentence.out.splitlines()
    assert lines[0].startswith("orders.csv: recognised as Shopify orders")
    assert "plan.pdf: not read: file ending '.pdf' is not that of a table" in lines
    assert any(line.startswith("notes.csv: not read: not recognised by its 2 columns (what, why).") for line in lines)


def test_amazon_alone_has_the_value_of_orders_and_says_why_it_has_no_customers(project, folder):
    # 25 orders of one item, the n-th for n, in a week that begins on Monday 18 March: (1 + ... + 25) / 25 = 13.
    rows = [
        f"111-{n}\t2024-03-{18 + n % 3}T10:00:{n:02d}+00:00\tShipped\tShipped\t1\tUSD\t{n}.00" for n in range(1, 26)
    ]
    (folder / "amazon.txt").write_text("\n".join((_AMAZON, *rows, "")), encoding="utf-8")
    sentence = project("metrics", folder, "--until", "2024-03-24")
    assert (sentence.code, sentence.err) == (0, "")
    out = " ".join(sentence.out.split())
    assert out.startswith("amazon.txt: recognised as Amazon all orders")
    assert "Average order value, after discounts" in out
    assert "USD 13.0 │ 10.0 to 16.0" in out
    reason = "holds nothing that identifies a customer, so who came back cannot be told."
    assert out.split("Not measured")[1].split(reason)[0].count("New customers; Retention over 90 days; ") == 1


def test_ids_that_a_spreadsheet_rounded_are_replaced_by_the_names_of_orders(project, folder):
    write(folder / "orders.csv", [march(day, f"#{1000 + day}", Id=_DAMAGED) for day in range(2, 25)])
    sentence = project("metrics", folder, "--json")
    assert sentence.code == 0
    # 23 orders of one damaged number each are 23 orders.
    assert '"rows_kept": 23' in sentence.out
    assert "order ids that a spreadsheet rounded" in sentence.out


def test_a_folder_wins_over_a_scenario_of_its_name(project, refused):
    place = project.folder / _SCENARIO
    place.mkdir()
    assert refused(_SCENARIO).startswith(f"{_SCENARIO}: there are no tables in it: it is empty")
    write(place / "orders.csv", [march(day, f"#{1000 + day}") for day in range(2, 25)])
    sentence = project("metrics", _SCENARIO)
    assert sentence.code == 0
    assert sentence.out.startswith("orders.csv: recognised as Shopify orders")
