"""Headers: which format they are of, and what is said of others."""

from __future__ import annotations

import pytest

from cxsim.data.exports.read_shop import FORMATS, recognised, unrecognised
from tests.shop.shopify_rows import EXPORTS


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
    assert recognised(header(file, separator)).name == name


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_every_format_is_recognised_by_what_it_requires(form):
    assert recognised(form.required) is form


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_case_blanks_sequence_and_a_byte_order_mark_do_not_matter(form):
    names = [f" {name.upper()} " for name in reversed(form.required)]
    names[0] = "\ufeff" + names[0].strip()
    assert recognised(names) is form


def test_an_unknown_header_is_sentence_the_nearest_formats_and_what_they_lack():
    columns = ["order_id", "customer_id", "ordered_at", "price"]
    message = unrecognised(columns, "mine.csv")
    assert recognised(columns) is None
    assert message.startswith("mine.csv: not recognised by its 4 columns (order_id, customer_id, ordered_at, price). ")
    assert "Nearest: cxsim orders (lacks amount); " in message
    assert message.count("(lacks ") == 3
    assert message.endswith("A file shop.yaml beside it can say which of its columns is what.")


def test_of_a_long_header_the_message_shows_the_beginning():
    assert "by its 9 columns (a, b, c, d, e, f and 3 more)" in unrecognised(list("abcdefghi"), "mine.csv")
