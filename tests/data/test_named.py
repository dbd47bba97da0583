"""Orders by name: the bundled logs, or a file that lies where a relative path says."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from cxsim.data.cdnow import load_cdnow, named_orders
from cxsim.errors import DataError

OURS = {name: name for name in ("customer_id", "ordered_at", "amount")}


@pytest.mark.parametrize(("name", "sample"), [("cdnow", False), ("cdnow-sample", True)])
def test_a_bundled_log_is_known_by_its_name(name, sample):
    found = named_orders(name, columns=OURS, until=None, folder=Path())
    assert found.table.collect().equals(load_cdnow(sample=sample).table.collect())


def test_a_relative_path_begins_in_the_folder_and_an_absolute_one_does_not(tmp_path):
    (tmp_path / "orders.csv").write_text("who,ordered_at,amount\n7,2024-01-01,10\n", encoding="utf-8")
    columns = OURS | {"customer_id": "who"}
    relative = named_orders("orders.csv", columns=columns, until=date(2024, 2, 1), folder=tmp_path)
    absolute = named_orders(str(tmp_path / "orders.csv"), columns=columns, until=None, folder=Path("/elsewhere"))
    assert relative.until == date(2024, 2, 1)
    assert relative.table.collect().equals(absolute.table.collect())


def test_columns_by_other_names_are_refused_for_a_bundled_log_and_not_passed_over():
    with pytest.raises(DataError, match="cdnow has columns of its own; leave out the names for amount"):
        named_orders("cdnow", columns=OURS | {"amount": "total"}, until=None, folder=Path())
