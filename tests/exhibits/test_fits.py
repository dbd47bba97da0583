"""Tables of a fit and of its orders say what their numbers mean."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.shop.clv_fit import fit_table, hygiene_table, value_table

NBSP = "\N{NO-BREAK SPACE}"


def _fit(names, estimates, errors):
    return pl.DataFrame(
        {"parameter": names, "estimate": estimates, "std_error": errors},
        schema={"parameter": pl.String, "estimate": pl.Float64, "std_error": pl.Float64},
    )


def test_the_interval_of_a_parameter_is_normal_on_the_logarithm():
    # exp(ln 2 -/+ 1.6449 * 0.5 / 2) = 1.3257 and 3.0172.
    html = fit_table(_fit(["r"], [2.0], [0.5]), "BG/NBD").html()
    assert "1.326 to 3.017" in html


def test_a_parameter_without_standard_error_has_no_interval():
    html = fit_table(_fit(["r"], [2.0], [None]), "BG/NBD").html()
    assert html.count(">–<") == 2


def test_a_parameter_is_explained():
    assert "mean rate is r / alpha" in fit_table(_fit(["alpha"], [30.9], [2.6]), "BG/NBD").html()


def test_two_fits_have_two_ids():
    one = _fit(["r"], [2.0], [0.5])
    assert fit_table(one, "BG/NBD").id == "fit-bg-nbd"
    assert fit_table(one, "Gamma-Gamma").id == "fit-gamma-gamma"


def test_hygiene_counts_have_separators():
    report = pl.DataFrame({"reason": ["zero amount"], "action": ["dropped"], "rows": [1_234]})
    assert ">1,234<" in hygiene_table(report).html()


def test_values_are_shown_to_three_digits_and_kept_in_full():
    customers = pl.DataFrame(
        {
            "customer_id": [111],
            "prob_alive": [1.0],
            "expected_orders": [9.8765],
            "expected_spend": [35.0],
            "expected_value": [1_234.567],
        }
    )
    table = value_table(customers, "USD")
    assert ">1,230<" in table.html()
    assert f">more than 99.5{NBSP}%<" in table.html()
    assert table.twin["expected_value"].to_list() == [1_234.567]


def test_counts_that_are_no_numbers_are_refused():
    report = pl.DataFrame({"reason": ["zero amount"], "action": ["dropped"], "rows": ["many"]})
    with pytest.raises(TableError, match="HYGIENE: column 'rows' is String"):
        hygiene_table(report)
