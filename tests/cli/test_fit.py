"""`cxsim fit` shows parameters, hygiene and customers, as tables or as JSON."""

from __future__ import annotations

import json

import pytest

from cxsim.data.cdnow import load_cdnow


def _parameters(sentence, model):
    return {row["parameter"]: row["estimate"] for row in json.loads(sentence.out)[model]["parameters"]}


@pytest.fixture
def sample(project):
    """The CDNOW sample as a shop would export it: its own names, one column too many."""
    path = project.folder / "orders.csv"
    lines = load_cdnow(sample=True).table.collect()
    lines.rename({"customer_id": "client", "ordered_at": "day", "amount": "total"}).with_row_index("line").write_csv(
        path
    )
    return path


def test_the_published_fit_of_the_cdnow_sample_comes_out(project):
    sentence = project("fit", "cdnow-sample", "--until", "1997-09-30", "--json")
    found = _parameters(sentence, "purchases")
    # Fader, Hardie & Lee (2005), table 2, in weeks: r .243, alpha 4.414, a .793, b 2.426; half of the last digit.
    assert found["r"] == pytest.approx(0.243, abs=5e-4)
    assert found["alpha"] / 7 == pytest.approx(4.414, abs=5e-4)
    assert found["a"] == pytest.approx(0.793, abs=5e-4)
    assert found["b"] == pytest.approx(2.426, abs=5e-4)
    assert json.loads(sentence.out)["observed_until"] == "1997-09-30"


def test_the_tables_show_the_same(project):
    sentence = project("fit", "cdnow-sample", "--until", "1997-09-30")
    assert (sentence.code, sentence.err) == (0, "")
    assert "0.2425" in sentence.out  # r
    assert "30.895" in sentence.out  # alpha in days, 4.4136 weeks
    assert "2,357 customers" in sentence.out


def test_columns_by_other_names_give_the_same_fit(project, sample):
    words = ["--customer-id", "client", "--ordered-at", "day", "--amount", "total", "--until", "1998-06-30", "--json"]
    named, bundled = project("fit", sample, *words), project("fit", "cdnow-sample", "--json")
    # Zero amounts count as orders in the bundled data alone, so the fits differ a little; both are of all customers.
    assert _parameters(named, "purchases")["r"] == pytest.approx(_parameters(bundled, "purchases")["r"], rel=0.1)
    assert json.loads(named.out)["value"]["customers"][0]["customer_id"]


def test_columns_of_the_bundled_data_cannot_be_renamed(project):
    message = project("fit", "cdnow-sample", "--amount", "total").error
    assert message == "cdnow-sample has columns of its own; leave out the names for amount."


def test_json_goes_to_standard_output_alone(project):
    sentence = project("fit", "cdnow-sample", "--json", "--horizon-days", "30")
    content = json.loads(sentence.out)
    assert sentence.err == ""
    assert content["value"]["horizon_days"] == 30
    # The sample's eight lines of zero dollars are order days in the literature.
    assert {"reason": "zero amount", "action": "kept", "rows": 8} in content["hygiene"]


def test_the_dearest_customers_come_first(project):
    worth = [
        row["expected_value"] for row in json.loads(project("fit", "cdnow-sample", "--json").out)["value"]["customers"]
    ]
    assert worth == sorted(worth, reverse=True)
    assert len(worth) == 10


def test_where_no_model_can_be_fitted_the_rows_are_sentence_all_the_same(project):
    path = project.folder / "few.csv"
    path.write_text("customer_id,ordered_at,amount\n1,2024-01-01,10\n2,2024-01-05,20\n1,2024-02-01,x\n")
    sentence = project("fit", str(path))
    assert sentence.code == 1
    assert "3 rows read, 2 kept" in sentence.out
    assert "0 of them with a repeat order" in sentence.err
