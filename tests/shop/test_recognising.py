"""Headers: which format they are of, and what is said of others."""

from __future__ import annotations

import pytest

from cxsim.errors import DataError
from cxsim.shop import recognise
from cxsim.shop.formats import FORMATS
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
    assert recognise(header(file, separator), file).name == name


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_every_format_is_recognised_by_what_it_requires(form):
    assert recognise(form.required, "file.csv") is form


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_case_blanks_sequence_and_a_byte_order_mark_do_not_matter(form):
    names = [f" {name.upper()} " for name in reversed(form.required)]
    names[0] = "\ufeff" + names[0].strip()
    assert recognise(names, "file.csv") is form


def test_an_unknown_header_is_told_the_nearest_formats_and_what_they_lack():
    with pytest.raises(DataError) as caught:
        recognise(["order_id", "customer_id", "ordered_at", "price"], "mine.csv")
    message = str(caught.value)
    assert message.startswith("mine.csv: not recognised by its 4 columns (order_id, customer_id, ordered_at, price). ")
    assert "Nearest: cxsim orders (lacks amount); " in message
    assert message.count("(lacks ") == 3
    assert message.endswith("A file shop.yaml beside it can say which of its columns is what.")


def test_of_a_long_header_the_message_shows_the_beginning():
    with pytest.raises(DataError, match=r"by its 9 columns \(a, b, c, d, e, f and 3 more\)"):
        recognise(list("abcdefghi"), "mine.csv")
