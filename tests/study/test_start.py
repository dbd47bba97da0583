"""From exports and a few answers to a project: what is asked, what is written, what is kept, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
from datetime import date

import polars as pl
import pytest
import yaml

from cxsim.data.exports.read_shop import read_shop
from cxsim.errors import CxsimError, DataError, ParamError
from cxsim.library import PROJECT, library, root, shown
from cxsim.strategies.strategy import load_strategy
from cxsim.study.loading import check_params, load_scenario
from cxsim.study.project import scenario, working_in
from cxsim.study.run import run
from cxsim.study.start import look, questions, start
from tests.first_hour import write_exports

TODAY = date(2026, 12, 1)


@pytest.fixture(scope="module")
def downloads(tmp_path_factory):
    return write_exports(tmp_path_factory.mktemp("downloads") / "soap", orders=900, tickets=150)


@pytest.fixture
def exports(downloads, tmp_path):
    return shutil.copytree(downloads, tmp_path / "soap")


def _yaml(made, place):
    return yaml.safe_load((made.folder / "params" / place).read_text(encoding="utf-8"))


def _tree(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_project_lies_beside_the_exports_and_passes_its_own_check(exports):
    made = start(exports, today=TODAY)
    assert made.folder == exports.with_name("soap-project")
    assert {path.name for path in made.folder.iterdir()} == {
        "README.md", "answers.yaml", "notebooks", "params", "reports",
    }  # fmt: skip
    assert check_params([made.folder / "params"]) == []


def test_a_shop_without_a_name_has_that_of_its_project(exports, tmp_path):
    made = start(exports, project=tmp_path / "Seife & Co", today=TODAY)
    assert made.scenario == "seife-co"
    assert _yaml(made, "scenarios/seife-co.yaml")["title"] == "Which of 3 programmes should seife-co fund?"


def test_a_project_that_is_called_like_a_scenario_of_the_library_keeps_its_own_name(exports, tmp_path):
    for _ in range(2):
        assert start(exports, project=tmp_path / "cdnow-quick", today=TODAY).scenario == "cdnow-quick-shop"


def test_exports_inside_a_project_belong_to_it(exports):
    made = start(exports, today=TODAY)
    inside = shutil.copytree(exports, made.folder / "exports")
    again = start(inside, today=TODAY)
    assert (again.folder, _yaml(again, "scenarios/soap.yaml")["orders"]) == (made.folder, "exports")


def test_what_the_orders_say_is_not_asked(exports):
    made = start(exports, today=TODAY)
    seen = look(exports)
    written = _yaml(made, "scenarios/soap.yaml")
    assert written["observed_until"] == seen.orders.until
    assert written["new_customers"]["per_month"] == seen.new_per_month
    assert written["orders"] == "../soap"
    assert _yaml(made, "economics/soap.yaml")["currency"] == "EUR"


def test_new_customers_are_first_orders_of_the_last_complete_months(exports):
    seen = look(exports)
    first = seen.orders.table.collect().group_by("customer_id").agg(day=pl.col("ordered_at").min())
    months = [(day.year, day.month) for day in first["day"].to_list()]
    last = [month for month in sorted(set(months)) if month < (2025, 12)][-12:]
    assert seen.new_per_month == round(sum(month in last for month in months) / 12)


def test_a_reward_takes_more_than_one_order_of_this_shop(exports):
    points = next(
        effect
        for effect in _yaml(start(exports), "strategies/points-programme.yaml")["effects"]
        if effect["kind"] == "points"
    )
    seen = look(exports)
    mean = seen.orders.totals.revenue / seen.orders.totals.orders
    assert 2.0 < points["threshold"]["value"] / mean < 4.0
    assert points["reward"]["value"] == pytest.approx(0.04 * points["threshold"]["value"], rel=0.05)  # two digits


def test_service_is_measured_where_the_exports_have_tickets(exports):
    behaviour = _yaml(start(exports), "behaviour/soap.yaml")
    assert behaviour["experience"]["response_hours"]["evidence"] == "measured"
    assert behaviour["experience"]["response_hours"]["source"] == "soap-tables"
    # Shopify says what was refunded, and not when.
    assert [behaviour["returns"][number]["evidence"] for number in ("chance", "part", "days")] == [
        *("measured", "measured", "assumed")
    ]


def test_without_tickets_no_strategy_of_service_is_offered(exports):
    (exports / "zendesk_tickets.csv").unlink()
    seen = look(exports)
    offered = {
        one.name: one.against for one in next(one for one in questions(seen.shop, 24, {}) if one.choices).choices
    }
    assert offered["service-recovery"] == "needs the export of a help desk or of surveys"
    assert offered["points-programme"] == ""
    made = start(exports)
    assert "behaviour" not in _yaml(made, "scenarios/soap.yaml")


def test_an_answer_is_recorded_with_its_grade_and_its_day(exports):
    made = start(exports, answers={"gross_margin": "0.55 0.5 to 0.6 measured"}, today=TODAY)
    margin = _yaml(made, "economics/soap.yaml")["gross_margin"]
    assert (margin["value"], margin["range"], margin["evidence"]) == (0.55, [0.5, 0.6], "measured")
    source = _yaml(made, "sources.yaml")[margin["source"]]
    assert source["title"] == "Answers to cxsim start, 2026-12-01"
    assert made.answers.filter(question="gross_margin").row(0)[1:] == (
        "0.55 0.5 to 0.6 measured",
        "measured",
        "2026-12-01",
    )


def test_a_number_without_a_range_is_as_uncertain_as_that_of_the_library(exports):
    cost = _yaml(start(exports, answers={"cost_per_order": 10}), "economics/soap.yaml")["fulfilment_per_order"]
    # The library has 5 (3 to 8), and costs spread by ratios.
    assert cost["range"] == [6.0, 16.0]
    assert cost["evidence"] == "assumed"


def test_a_share_may_be_a_percentage(exports):
    assert (
        _yaml(start(exports, answers={"gross_margin": "55%"}), "economics/soap.yaml")["gross_margin"]["value"] == 0.55
    )


def test_a_budget_is_written_where_there_is_one(exports):
    assert _yaml(start(exports, answers={"budget": 30_000}), "scenarios/soap.yaml")["budget"]["range"] == [
        30_000,
        30_000,
    ]


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"gross_margin": 55}, "gross_margin: 55 is not possible; it lies from 0 to 1; for 55 % write 0.55 or 55%."),
        ({"gross_margin": "0,55"}, "gross_margin: '0,55' is not a number with a point"),
        ({"gross_margin": "0.55 0.6 to 0.7"}, "gross_margin: 0.55 lies outside its range, 0.6 to 0.7"),
        ({"gros_margin": 0.5}, "answer 'gros_margin': there is no such question; did you mean 'gross_margin'?"),
        ({"strategies": ["point-programme"]}, "strategies: no 'point-programme'; did you mean 'points-programme'?"),
        ({"strategies": "free-returns"}, "strategies: free-returns needs an export of returns."),
        ({"strategies": ""}, "strategies: name at least one"),
        ({"horizon_months": 0}, "horizon_months: must be a whole number of months from 1 to 600; found '0'."),
        ({"horizon_months": 2.5}, "horizon_months: must be a whole number of months"),
        ({"currency": "euro"}, "no orders are in 'euro'; did you mean 'EUR'?"),
        ({"budget": "much"}, "budget: 'much' is not a number with a point, such as 40000"),
    ],
)
def test_an_impossible_answer_is_refused_and_nothing_is_written(exports, answers, words):
    with pytest.raises(CxsimError) as message:
        start(exports, answers=answers)
    assert str(message.value).startswith(words)
    assert [path.name for path in exports.parent.iterdir()] == ["soap"]


def test_a_question_is_asked_again_until_its_answer_is_possible(exports):
    said = {"gross_margin": iter(["55", "0.55"])}
    problems = []

    def ask(question):
        problems.append(question.problem)
        return next(said.get(question.key, iter([""])))

    made = start(exports, ask=ask)
    assert len(problems) == 8
    assert [problem for problem in problems if problem] == [
        "gross_margin: 55 is not possible; it lies from 0 to 1; for 55 % write 0.55 or 55%."
    ]
    assert made.answers.filter(question="gross_margin")["answer"].item() == "0.55"


def test_whoever_stops_at_a_question_leaves_nothing_behind(exports):
    def ask(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start(exports, ask=ask)
    assert [path.name for path in exports.parent.iterdir()] == ["soap"]


def test_what_would_not_be_sound_is_not_written(exports):
    made = start(exports)
    file = made.folder / "params" / "economics" / "soap.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("unit: share", "unit: shar", 1), encoding="utf-8")
    before = _tree(made.folder)
    with pytest.raises(ParamError, match="nothing was written") as message:
        start(exports, answers={"horizon_months": 12})
    assert "params/economics/soap.yaml: gross_margin.unit" in str(message.value)
    assert _tree(made.folder) == before
    assert sorted(path.name for path in exports.parent.iterdir()) == ["soap", "soap-project"]


def test_running_again_changes_nothing(exports):
    before = _tree(start(exports, today=TODAY).folder)
    assert _tree(start(exports, today=date(2027, 1, 1)).folder) == before


def test_running_again_keeps_edits_and_earlier_answers(exports):
    made = start(exports, answers={"gross_margin": 0.6, "horizon_months": 24})
    file = made.folder / "params" / "scenarios" / "soap.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("seed: 1", "seed: 2"), encoding="utf-8")
    again = start(exports, answers={"cost_per_order": 4})
    assert again.kept == ("params/scenarios/soap.yaml",)
    assert any("params/scenarios/soap.yaml" in caution for caution in again.cautions)
    assert _yaml(again, "scenarios/soap.yaml")["seed"] == 2
    assert _yaml(again, "economics/soap.yaml")["gross_margin"]["value"] == 0.6
    assert _yaml(again, "economics/soap.yaml")["fulfilment_per_order"]["value"] == 4


def test_sources_of_ones_own_stay_beside_new_ones(exports):
    made = start(exports)
    file = made.folder / "params" / "sources.yaml"
    own = "our-supplier: {authors: Us, year: 2026, title: Offer, where: here, measured: one offer, grade: D}\n"
    file.write_text(file.read_text(encoding="utf-8") + own, encoding="utf-8")
    again = start(exports, answers={"gross_margin": "0.5 measured"})
    assert set(_yaml(again, "sources.yaml")) == {"our-supplier", "soap-tables", "soap-accounts"}


@pytest.mark.parametrize("place", [".", "mine", "params/mine"])
def test_nothing_is_written_where_cxsim_itself_is_kept(exports, place):
    with pytest.raises(ParamError, match="nothing of yours is written there"):
        start(exports, project=library() / place)


def test_a_folder_of_parameters_that_somebody_else_wrote_is_left_alone(exports, tmp_path):
    (tmp_path / "theirs" / "params").mkdir(parents=True)
    with pytest.raises(ParamError, match="that `cxsim start` did not write"):
        start(exports, project=tmp_path / "theirs")


def test_a_folder_that_is_not_there_is_named():
    with pytest.raises(ParamError, match="no such folder or file"):
        start("no-such-folder")


def test_exports_without_orders_are_no_shop(exports):
    (exports / "shopify_orders.csv").unlink()
    with pytest.raises(DataError, match="A business case starts from orders"):
        start(exports)


def test_a_currency_that_nobody_named_is_assumed_and_said_so(exports, tmp_path):
    orders = read_shop(exports).orders.select("customer_id", "ordered_at", "amount").collect()
    made = start(orders, project=tmp_path / "plain", today=TODAY)
    again = start(orders, project=tmp_path / "plain", today=TODAY)
    for one in (made, again):
        assert one.answers.filter(question="currency")["evidence"].to_list() == ["assumed"]
        assert "The exports name no currency; EUR is assumed. Answer currency=CODE if it is another." in one.cautions
    named = start(exports, project=tmp_path / "named", today=TODAY)
    assert named.answers.filter(question="currency")["evidence"].to_list() == ["choice"]
    assert not any("no currency" in caution for caution in named.cautions)


def test_a_frame_is_copied_into_a_project_that_is_named(exports, tmp_path):
    orders = look(exports).orders.table.collect()
    with pytest.raises(ParamError, match="project='my-shop'"):
        start(orders)
    with pytest.raises(DataError, match=r"Name the columns of orders: columns=\{'customer_id': NAME, "):
        start(orders.rename({"amount": "net"}), project=tmp_path / "from-frame")
    made = start(orders, project=tmp_path / "from-frame", answers={"currency": "EUR"})
    assert load_scenario(made.scenario).title == "Which of 3 programmes should from-frame fund?"
    assert repr(made) == f"Project(from-frame in {made.folder}; {len(made.written)} files written, 0 kept)"
    read = load_scenario(made.scenario)
    assert read.orders == "orders"
    assert root() == made.folder
    assert read_shop(made.folder / "orders").currency == "EUR"


def test_a_shop_is_copied_with_all_of_its_tables(exports, tmp_path):
    made = start(read_shop(exports), project=tmp_path / "from-shop")
    tables = {path.name for path in (made.folder / "orders").iterdir()}
    assert tables == {"orders.parquet", "tickets.parquet", "surveys.parquet", "shop.yaml"}


def test_from_then_on_the_process_works_in_the_project(exports):
    made = start(exports)
    assert os.environ[PROJECT] == str(made.folder)
    assert scenario(made) == load_scenario("soap")
    assert shown(made.folder / "params" / "scenarios" / "soap.yaml") == "params/scenarios/soap.yaml"


def test_its_scenario_runs(exports):
    made = start(exports, answers={"horizon_months": 6, "strategies": "faster-delivery"})
    with working_in(made.folder):
        study = run(load_scenario(made.scenario, "draws=2"))
    assert study.returns["strategy"].to_list() == ["faster-delivery"]
    assert study.manifest["parameters_sha256"].keys() >= {"scenarios/soap.yaml", "sources.yaml"}


def test_its_notebook_is_that_of_the_library_for_its_own_scenario(exports):
    made = start(exports)
    notebook = json.loads((made.folder / "notebooks" / "soap.ipynb").read_text(encoding="utf-8"))
    [parameters] = [cell for cell in notebook["cells"] if "parameters" in cell["metadata"].get("tags", [])]
    assert 'scenario = "soap"' in parameters["source"]
    assert all(not cell.get("outputs") for cell in notebook["cells"])


def test_the_costs_of_its_strategies_are_listed_with_their_evidence(exports):
    made = start(exports, answers={"strategies": "faster-delivery"})
    bundled = load_strategy("faster-delivery")
    assert made.costs["cost"].to_list() == [cost.kind for cost in bundled.costs]
    assert made.costs["amount"].to_list() == [cost.amount.value for cost in bundled.costs]
    assert set(made.costs["evidence"]) == {"assumed"}
