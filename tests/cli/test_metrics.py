"""`cxsim metrics` says what became of every row, measures what there is, and defines what it shows."""

from __future__ import annotations

import json

import polars as pl
import pytest

from cxsim.metrics.catalogue import load_metrics

_ORDERS = (
    "1,ana,2024-01-02 10:00,20.00",
    "2,bo,2024-01-03 11:00,40.00",
    "3,ana,2024-01-09 09:00,30.00",
    "4,cy,2024-01-10 09:00,60.00",
)
_HEADER = "order_id,customer_id,ordered_at,amount\n"
# Tuesday 2 to Sunday 14 January: the week of the 8th is the last that is over.
_UNTIL = ("--until", "2024-01-14")


@pytest.fixture
def exports(orders):
    return orders(*_ORDERS, header=_HEADER)


def test_receipts_come_first_then_metrics_under_their_families_then_what_is_not_measured(project, exports):
    sentence = project("metrics", exports, *_UNTIL, "--currency", "EUR")
    assert (sentence.code, sentence.err) == (0, "")
    places = [
        sentence.out.index(words)
        for words in ("orders.csv: recognised as", "Value: goods after discounts", "2024-01-08 to 2024-01-14", "Orders",
                      "Revenue", "Not measured", "there is no table of surveys.")
    ]  # fmt: skip
    assert places == sorted(places)
    assert "EUR\N{NO-BREAK SPACE}90" in sentence.out  # orders 3 and 4: 30 + 60


def test_json_has_receipts_policy_and_all_digits_of_every_metric(project, exports):
    sentence = project("metrics", exports, *_UNTIL, "--json")
    content = json.loads(sentence.out)
    assert (content["shop"], content["until"]) == ("orders", "2024-01-15T00:00:00")
    assert [(receipt["rows_read"], receipt["rows_kept"]) for receipt in content["receipts"]] == [(4, 4)]
    found = {row["metric"]: row for row in content["metrics"]}
    assert len(found) == len(load_metrics())
    assert (found["revenue"]["value"], found["revenue"]["period_start"]) == (90.0, "2024-01-08T00:00:00")
    assert found["nps"]["missing"] == "there is no table of surveys."


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_dashboard_is_written_as_a_table(project, exports, ending):
    sentence = project("metrics", exports, *_UNTIL, "--out", f"found.{ending}")
    assert sentence.out.endswith(f"Written: found.{ending}\n")
    read = pl.read_csv if ending == "csv" else pl.read_parquet
    table = read(project.folder / f"found.{ending}")
    assert table.filter(metric="orders")["value"].to_list() == [2.0]
    assert table.filter(metric="orders")["title"].to_list() == ["Orders"]  # texts keep to their own columns


def test_what_is_written_beside_json_is_sentence_on_the_other_stream(project, exports):
    sentence = project("metrics", exports, *_UNTIL, "--json", "--out", "found.csv")
    assert json.loads(sentence.out)
    assert sentence.err == "Written: found.csv\n"


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_read(project):
    assert project("metrics", "nowhere", "--out", "found.xlsx").error.startswith("found.xlsx: file ending '.xlsx'")


def test_a_scenario_is_simulated_and_measured_by_month(project):
    sentence = project("metrics", "tiny", "--every", "month")
    assert sentence.code == 0
    assert "simulated, hence no file was read" in sentence.out
    assert "1998-09-01 to 1998-09-30, beside the period before" in sentence.out


def test_a_shop_that_does_not_exist_is_answered_with_the_nearest(project):
    assert project("metrics", "tinny").error.startswith(
        "'tinny' is no folder or file of exports, and no scenario; did you mean 'tiny'? Possible: tiny."
    )


def test_a_shop_without_a_complete_period_is_refused_after_its_receipts(project, exports):
    sentence = project("metrics", exports, *_UNTIL, "--every", "month")
    assert sentence.code == 1
    assert "no complete month between 2024-01-02 and 2024-01-15" in sentence.err
    assert sentence.out.startswith("orders.csv: recognised as")


def test_all_metrics_are_listed_with_unit_direction_and_formula(project):
    sentence = project("metrics", "--list")
    assert (sentence.code, sentence.err) == (0, "")
    assert all(metric.name in sentence.out for metric in load_metrics().values())
    assert sentence.out.endswith("One in full: cxsim metrics --explain orders\n")


def test_one_metric_is_defined_with_formula_interval_pitfalls_and_the_other_formula(project):
    out = project("metrics", "--explain", "cac").out
    (cac,) = (metric for metric in load_metrics().values() if metric.name == "cac")
    for words in (cac.definition, f"{cac.numerator} ÷ {cac.denominator}", cac.interval, cac.variant, "better: lower"):
        assert words in out


def test_definitions_come_as_json_too(project):
    everything = json.loads(project("metrics", "--list", "--json").out)
    assert [row["name"] for row in everything] == [metric.name for metric in load_metrics().values()]
    assert json.loads(project("metrics", "--explain", "nps", "--json").out)[0]["unit"] == "score"


def test_an_unknown_metric_is_answered_with_the_nearest(project):
    assert project("metrics", "--explain", "npps").error.startswith("no metric 'npps'; did you mean 'nps'?")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name a folder or file of exports"),
        (["tiny", "--every", "day"], "'day' is neither week nor month"),
        (["tiny", "--list"], "it defines metrics and measures no shop"),
        (["--explain", "nps", "--out", "a.csv"], "it defines metrics and measures no shop"),
        (["--list", "--explain", "nps"], "either all metrics or one"),
        (["tiny", "--report", "a.html", "--json"], "it brings its tables as CSV"),
        (["tiny", "--report", "a.html", "--out", "a.csv"], "it brings its tables as CSV"),
    ],
)
def test_options_that_do_not_go_together_are_a_mistake_of_usage(project, words, said):
    sentence = project("metrics", *words)
    assert sentence.code == 2
    assert said in " ".join(sentence.err.replace("│", " ").split())
