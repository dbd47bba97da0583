"""Files as people have them, a kind at a time: each is read right, or refused with words that lead to what is right."""

# ruff: noqa: DTZ001 - the clocks of shops have no zone

from __future__ import annotations

import re
from datetime import date, datetime

import polars as pl
import pytest

from cxsim.clv.fit import fit, fit_spend
from cxsim.data.exports.read_shop import read_shop, read_transactions
from cxsim.data.rfm import summarise
from cxsim.errors import DataError
from tests.data.samples import COLUMNS, line, order, order_log, write

LOG = order_log(14, people=60, orders=240)
HEADER = "customer_id,ordered_at,amount"
MAPPED = "title: Mine\ncurrency: EUR\ntables:\n  - table: orders\n    file: o.csv\n"
NAMES = "    columns: {order_id: nr, customer_id: who, ordered_at: at, amount: eur}\n"


def cells(one, day="%Y-%m-%d"):
    """Cells of an order in a table of three columns."""
    return [one["customer_id"], one["ordered_at"].strftime(day), f"{one['cents'] / 100:.2f}"]


ROWS = [cells(one) for one in LOG]


def text(rows, header=HEADER, mark=","):
    return "\n".join([header.replace(",", mark), *(mark.join(row) for row in rows)]) + "\n"


def shopify_rows(day="%Y-%m-%d 10:00:00 +0100", amount=lambda cents: f"{cents / 100:.2f}"):
    """The log as Shopify exports it, each order of two lines."""
    rows = []
    for one in LOG:
        when, total, name = one["ordered_at"].strftime(day), amount(one["cents"]), f"#{one['order_id']}"
        money = dict.fromkeys(("Subtotal", "Total", "Lineitem_price"), total) | {"Taxes": amount(0)}
        money |= dict.fromkeys(("Shipping", "Discount_Amount", "Refunded_Amount", "Outstanding_Balance"), amount(0))
        email = f"{one['customer_id']}@shop.example"
        rows.append(order(name, Email=email, Paid_at=when, Created_at=when, Currency="EUR", **money))
        rows.append(line(name, "1", amount(0), Email=email, Created_at=when))
    return rows


@pytest.fixture
def mapped(tmp_path):
    """Read a table by a shop.yaml beside it; return its moments and amounts."""

    def read(table, further=""):
        (tmp_path / "o.csv").write_text(table, encoding="utf-8")
        (tmp_path / "shop.yaml").write_text(MAPPED + further + NAMES, encoding="utf-8")
        return read_shop(tmp_path).orders.sort("order_id").select("ordered_at", "amount").collect().rows()

    return read


def known_of(orders):
    return summarise(orders, until=date(2023, 12, 20)).rows()


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    path = tmp_path_factory.mktemp("clean") / "orders.csv"
    path.write_text(text(ROWS), encoding="utf-8")
    return known_of(read_transactions(path))


def test_an_order_in_the_far_future_stops_and_an_end_of_observation_or_its_loss_gives_the_right_customers(text_file):
    wrong = [ROWS[0][0], "2202-03-14", "20.00"]
    path = text_file(text([*ROWS, wrong]))
    with pytest.raises(DataError, match=rf"{wrong[0]}: 2202-03-14, 20.00 \(after today.*--until.*--unreadable missing"):
        read_transactions(path)
    without = read_transactions(text_file(text(ROWS), "right.csv"))
    for asked in ({"until": without.until}, {"policy": {"unreadable": "missing"}}):
        orders = read_transactions(path, **asked)
        assert orders.until == without.until
        assert summarise(orders).equals(summarise(without))
    assert [(one.severity, "1 of 241" in one.sentence) for one in orders.findings] == [("caution", True)]


def test_where_every_order_costs_the_same_orders_are_fitted_and_spend_is_that_price(text_file):
    days = dict.fromkeys((row[0], row[1]) for row in ROWS)
    rfm = summarise(read_transactions(text_file(text([[*day, "9.90"] for day in days]))))
    assert fit(rfm).n_customers == rfm.height
    assert fit_spend(rfm).expected_spend(rfm)["expected_spend"].to_list() == [9.9] * rfm.height


def test_customers_whose_numbers_a_spreadsheet_rounded_are_refused_with_the_way_out(text_file):
    rows = [[f"5.{row[0][1:3]}E+12", *row[1:]] for row in ROWS]
    with pytest.raises(DataError, match=r"240 orders .* rounded by a spreadsheet.* export the file again without"):
        read_transactions(text_file(text(rows)))


WOO = (
    "Order Number,Order Status,Order Date,Email (Billing),Order Subtotal Amount,Cart Discount Amount,Order Total Amount"
)


def test_a_status_in_another_language_counts_as_what_it_means_and_an_unknown_one_is_asked_for(text_file):
    def table(status):
        given = ("Slutförd", "Färdigbehandlad" if status is None else status, "Avbruten")
        rows = [
            [f"70{place}", status, f"2024-02-0{place + 1} 10:00", "eva@example.se", "25.00", "0.00", "74.00"]
            for place, status in enumerate(given)
        ]
        return text_file(text(rows, WOO), f"{status}.csv")

    assert read_transactions(table("Slutförd")).totals == (1, 2, 50.0)
    with pytest.raises(DataError, match=r"'Hos fabriken': 1 order \(25\.00\).*--policy cancelled='Hos fabriken'"):
        read_transactions(table("Hos fabriken"))
    assert read_transactions(table("Hos fabriken"), policy={"cancelled": ("Hos fabriken",)}).totals.orders == 1
    assert read_transactions(table("Hos fabriken"), policy={"counts": ("Hos fabriken",)}).totals.orders == 2


@pytest.mark.parametrize("word", ["nan", "NULL", "0"])
def test_orders_of_nobody_are_not_those_of_one_customer(word, clean, text_file):
    rows = [[str(int(row[0][1:]) + 1), *row[1:]] for row in ROWS]
    guests = [[word, row[1], "31.00"] for row in ROWS[::4]]
    path = text_file(text([*rows, *guests]))
    orders = read_transactions(path)
    assert [row[1:] for row in sorted(known_of(orders), key=lambda row: int(row[0]))] == [row[1:] for row in clean]
    (found,) = (one for one in orders.findings if one.topic == "customers: placeholders")
    assert (found.severity, f"{word!r} (60)" in found.sentence) == ("caution", True)
    assert "nobody: keep" in found.advice
    assert read_transactions(path, policy={"nobody": "keep"}).totals.customers == orders.totals.customers + 1


def test_an_address_that_many_share_is_named_with_its_share(text_file):
    rows = [
        ["till@shop.example" if place % 4 == 0 else f"{row[0]}@a.example", *row[1:]] for place, row in enumerate(ROWS)
    ]
    (found,) = read_transactions(text_file(text(rows))).findings
    assert found.severity == "caution"
    assert re.search(r"'till@shop.example' 25\s%", found.sentence)


@pytest.mark.parametrize(
    "table",
    [
        'nr,who,at,eur\n1,a,05-Nov-25,$66.00\n2,a,15-Nov-25,"$1,030.00"\n3,a,16-Nov-25,20.00\n',
        "nr;who;at;eur\n1;a;05.11.2025;66,00 €\n2;a;15.11.2025;1.030,00 €\n3;a;16.11.2025;20,00\n",
        "nr;who;at;eur\n1;a;05.11.2025;66.00\n2;a;15.11.2025;1'030.00\n3;a;16.11.2025;EUR 20.00\n",
        "nr;who;at;eur\n1;a;05.11.2025;66.00\n2;a;15.11.2025;1 030.00\n3;a;16.11.2025;20.00 kr.\n",
    ],
)
def test_amounts_of_a_mapped_table_are_read_with_their_signs_and_thousands(table, mapped):
    days = [datetime(2025, 11, day) for day in (5, 15, 16)]
    assert mapped(table) == list(zip(days, (66.0, 1030.0, 20.0), strict=True))


@pytest.mark.parametrize("shape", ["{} - {}", "{}: {}", "{} ({})", "{}={}"])
def test_scores_with_the_words_of_the_ends_of_their_scale_are_all_read(shape, text_file):
    ends = {0: shape.format(0, "Not at all likely"), 10: shape.format(10, "Extremely likely")}
    rows = [[f"p{n}@a.example", f"2024-03-{n % 28 + 1:02} 10:00", ends.get(n % 11, str(n % 11))] for n in range(66)]
    shop = read_shop(text_file(text(rows, "email,created_at,How likely are you to recommend us?")))
    assert shop.surveys.collect()["score"].sort().to_list() == sorted([*range(11)] * 6)


@pytest.mark.parametrize(
    "before", ["sep=,\n", "# orders\n# ----\n", "My shop\n\n", "\ufeffsep=,\n", "Export of orders,,\n"]
)
def test_lines_before_the_header_are_passed_over_and_said(before, clean, text_file):
    path = text_file(before + text(ROWS))
    assert known_of(read_transactions(path)) == clean
    assert "passed over before the header" in dict(read_shop(path).receipts[0].facts)


def test_a_report_of_sums_with_comment_lines_is_refused_for_what_it_is(text_file):
    path = text_file(
        "# Traffic acquisition\n# Start date: 20240501\nSession primary channel group,Sessions\nSearch,100\n"
    )
    with pytest.raises(DataError, match=r"not recognised by its 2 columns \(Session primary channel group, Sessions\)"):
        read_shop(path)


@pytest.mark.parametrize(
    ("form", "first", "second"),
    [
        ("%b %d, %Y, %I:%M:%S %p", '"Nov 5, 2023, 2:03:22 PM"', '"Nov 15, 2023, 11:03:22 AM"'),
        ("%Y-%m-%dT%H:%M:%S", "2023-11-05T14:03:22", "2023-11-15T11:03:22"),
        ("%Y-%m-%d %H:%M:%S %z", "2023-11-05 14:03:22 +0100", "2023-11-15 11:03:22 +0100"),
        ("%d/%m/%Y %H.%M.%S", "05/11/2023 14.03.22", "15/11/2023 11.03.22"),
    ],
)
def test_moments_are_read_as_shop_yaml_spells_them_out(form, first, second, mapped):
    table = f"nr,who,at,eur\n1,a,{first},10.00\n2,a,{second},12.00\n"
    rows = [(datetime(2023, 11, 5, 14, 3, 22), 10.0), (datetime(2023, 11, 15, 11, 3, 22), 12.0)]
    assert mapped(table, f'    moments: "{form}"\n') == rows


def test_a_purchase_that_was_cancelled_leaves_nothing_behind(clean, text_file):
    note = [["c003", "2023-05-01", "77183.60"], ["c003", "2023-05-01", "-77183.60"]]
    orders = read_transactions(text_file(text(ROWS + note)))
    assert known_of(orders) == clean
    assert [(one.topic, one.severity) for one in orders.findings] == [("credit notes", "note")]
    assert "77,183.60" in orders.findings[0].sentence


def test_the_total_of_an_order_on_each_of_its_lines_counts_once(clean, text_file):
    rows = [[str(n), f"S{part}", *row] for n, row in enumerate(ROWS) for part in range(1 + n % 3)]
    orders = read_transactions(text_file(text(rows, f"order_id,sku,{HEADER}")))
    assert known_of(orders) == clean
    assert any("repeated on each line" in one.sentence for one in orders.findings)


@pytest.mark.parametrize("answers", [4, 12, 60])
def test_a_scale_of_whose_top_nobody_made_use_is_a_caution_or_refused(answers, text_file):
    rows = [[f"p{n}@a.example", f"2024-03-{n % 28 + 1:02} 10:00", str(n % 4 + 1)] for n in range(answers)]
    path = text_file(text(rows, "email,created_at,nps"))
    if answers < 20:
        (found,) = read_shop(path).findings
        assert (found.severity, found.figure, found.sentence[-8:]) == ("caution", 4, "above 4.")
    else:
        with pytest.raises(DataError, match=r"the scale of 'nps' is unclear.*write the instrument"):
            read_shop(path)


def test_what_a_dashboard_is_measured_of_is_fitted_too(clean, tmp_path, text_file):
    european = shopify_rows("%-m/%-d/%Y 9:00", lambda cents: f"{cents / 100:.2f}".replace(".", ","))
    path = write(tmp_path / "orders_export.csv", shopify_rows())
    spreadsheet = tmp_path / "european.csv"
    frame = pl.DataFrame([{name: row.get(name, "") for name in COLUMNS} for row in european])
    frame.with_columns(Id=pl.lit("5.1E+12")).write_csv(spreadsheet, separator=";")
    for file in (path, spreadsheet):
        found = [(row[0].partition("@")[0], *row[1:]) for row in known_of(read_transactions(file))]
        assert found == clean
    named = {"customer_id": "Email", "ordered_at": "Created at", "amount": "Total"}
    assert read_transactions(path, columns=named).totals == read_transactions(path).totals
    for day in ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y"):
        assert known_of(read_transactions(text_file(text([cells(one, day) for one in LOG])))) == clean


def test_days_and_months_that_could_be_either_are_asked_for_with_both_readings(text_file):
    path = text_file(f"{HEADER}\na,03/04/2024,5.00\nb,05/04/2024,7.00\n")
    with pytest.raises(
        DataError,
        match=r"'03/04/2024' can be read as 3 April 2024 or 4 March 2024.*moments='%d/%m/%Y' or '%m/%d/%Y'\.$",
    ):
        read_transactions(path)
    assert read_transactions(path, policy={"moments": "%d/%m/%Y"}).until == date(2024, 4, 5)


def test_large_amounts_with_thousands_set_apart_are_not_lost(text_file):
    plain = [[*row[:2], f"{float(row[2]) * 40:.2f}"] for row in ROWS]
    apart = [[*row[:2], f'"{float(row[2]):,.2f}"'] for row in plain]
    right, found = (read_transactions(text_file(text(rows), f"{n}.csv")) for n, rows in enumerate((plain, apart)))
    assert found.totals == right.totals
    assert found.table.collect().equals(right.table.collect())


@pytest.mark.parametrize("cell", ["n/a", "1.2.3", "12 or 13"])
def test_an_amount_that_cannot_be_read_stops_with_row_cell_and_forms_and_stays_a_caution_if_it_is_missing(
    cell, text_file
):
    path = text_file(text([*ROWS[:-1], [*ROWS[-1][:2], cell]]))
    said = rf"1 of 240 cells cannot be read as an amount: row 240: {re.escape(repr(cell))}.*Possible: 1234\.50.*missing"
    with pytest.raises(DataError, match=said):
        read_transactions(path)
    orders = read_transactions(path, policy={"unreadable": "missing"})
    assert orders.totals.orders == 239
    assert {one.severity for one in orders.findings} == {"caution"}
