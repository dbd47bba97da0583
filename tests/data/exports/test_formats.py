"""Formats: each is one file, recognised by its header; what is answered to others."""

# ruff: noqa: DTZ001 - the clocks of shops have no zone

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import datetime

import pytest

from cxsim.data.exports.formats import formats, recognised, unrecognised
from cxsim.data.exports.read_shop import checked_format, read_shop
from cxsim.errors import DataError, ParamError
from cxsim.library import root
from tests.data.samples import EXPORTS


def header(name: str, separator: str = ",") -> list[str]:
    return (EXPORTS / name).read_text(encoding="utf-8").splitlines()[0].split(separator)


@pytest.mark.parametrize(
    ("file", "separator", "name"),
    [
        ("shopify_orders.csv", ",", "Shopify orders"),
        ("shopify_customers.csv", ",", "Shopify customers"),
        ("woo_advanced_order_export.csv", ",", "WooCommerce Advanced Order Export"),
        ("amazon_all_orders.txt", "\t", "Amazon all orders"),
    ],
)
def test_the_examples_are_recognised(file, separator, name):
    assert recognised(header(file, separator)).title == name


@pytest.mark.parametrize("form", [one for one in formats() if one.required], ids=lambda form: form.name)
def test_every_format_is_recognised_by_what_it_requires_whatever_case_blanks_sequence_and_mark(form):
    names = [f" {name.upper()} " for name in reversed(form.required)]
    names[0] = "\ufeff" + names[0].strip()
    assert recognised(names) == recognised(form.required) == form


def test_an_unknown_header_is_answered_with_the_nearest_formats_and_what_they_lack():
    columns = ["order_id", "customer_id", "ordered_at", "price"]
    message = unrecognised(columns)
    assert recognised(columns) is None
    assert message.startswith("not recognised by its 4 columns (order_id, customer_id, ordered_at, price). ")
    # Others share a column with it, which says nothing.
    assert "Nearest: cxsim orders (lacks amount). Map its columns: for orders with --customer" in message
    assert message.endswith("; for any table in a file shop.yaml in the same folder.")
    further = ["ticket_id", "created_at", "survey_id", "sent_at", "instrument", "return_id", "returned_at"]
    assert unrecognised(columns + further).count("(lacks ") == 3
    assert "Nearest" not in unrecognised(["what", "why"])
    assert "by its 9 columns (a, b, c, d, e, f and 3 more)" in unrecognised(list("abcdefghi"))


BIGSHOP = """\
title: Bigshop parcels sent back
table: returns
header: [Parcel, Order, Received, Paid back, Reason]
required: [Parcel, Received, Paid back]
columns: {return_id: Parcel, order_id: [Order, Order no], returned_at: Received, refund: Paid back}
moments: "%d.%m.%y"
decimal: ","
lacks: {returns.units: Bigshop does not count pieces.}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of its own with the formats that come with cxsim, and a format to add."""
    folder = tmp_path / "params"
    (folder / "scenarios").mkdir(parents=True)
    shutil.copytree(root() / "params" / "formats", folder / "formats")
    monkeypatch.chdir(tmp_path)

    def add(text: str = BIGSHOP):
        path = folder / "formats" / "bigshop.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return add


def test_an_export_format_is_added_by_one_file(project, text_file):
    path = text_file('Parcel,Order no,Received,Paid back,Reason\n7,1,03.02.24,"1.234,50",small\n8,2,soon,1,\n')
    with pytest.raises(DataError, match="not recognised by its 5 columns"):
        read_shop(path)
    checked_format(project())
    with pytest.raises(
        DataError, match=r"file\.csv: 'Received': 1 of 2 cells .* row 2: 'soon' .*; they are read as %d"
    ):
        read_shop(path)
    shop = read_shop(path, policy={"unreadable": "missing"})
    assert shop.returns.collect().rows() == [("7", "1", datetime(2024, 2, 3), 1234.5)]
    assert str(shop.receipts[0]).splitlines()[:3] == [
        "file.csv: recognised as Bigshop parcels sent back (5 of 5 columns); 1 of 2 rows became returns.",
        "  kept 1: cells of 'Received' that cannot be read, treated as missing",
        "  dropped 1: returned_at is missing",
    ]
    assert shop.missing("returns.units") == "Bigshop does not count pieces."


@pytest.mark.parametrize("path", sorted((root() / "params" / "formats").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_format_that_comes_with_cxsim_is_sound(path):
    checked = checked_format(path)
    (form,) = (one for one in formats() if one.name == path.stem)
    # Those of another format are added when all are read.
    assert form == (replace(checked, statuses=form.statuses) if checked.statuses_of else checked)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("decimal", "hook: shopify\ndecimal", r"hook: no 'shopify'; did you mean 'shopify-lines'"),
        ("return_id:", "parcel:", r"bigshop.yaml: columns: the returns have no column 'parcel'; possible: return_id"),
        ("refund: Paid back", "units: Reason", r"no column for refund; name it"),
        ("required: [Parcel", "required: [Parcels", r"'Parcels' is not in the header; did you mean 'Parcel'"),
        ("decimal", "amount: goods - tax\ndecimal", r"amount: no column 'goods' is named"),
        ("decimal", "amount: 2 * goods\ndecimal", r"amount: '2 \* goods' is not a sum of columns"),
        ("table: returns", "table: return", r"table: 'return' is not possible; did you mean 'returns'"),
    ],
)
def test_every_mistake_of_a_format_is_named(project, old, new, message):
    with pytest.raises(ParamError, match=message):
        checked_format(project(BIGSHOP.replace(old, new, 1)))


def test_statuses_of_a_format_that_there_is_not_are_refused(project):
    project(BIGSHOP + "statuses_of: bigshp\n")
    with pytest.raises(ParamError, match=r"bigshop.yaml: statuses_of: no 'bigshp'; did you mean 'bigshop'\?"):
        formats()


def test_a_project_without_formats_of_its_own_has_those_of_cxsim(tmp_path, monkeypatch):
    (tmp_path / "params" / "scenarios").mkdir(parents=True)
    before = formats()
    monkeypatch.chdir(tmp_path)
    assert formats() == before
