"""`cxsim simulate`, `break-even`, `tables` and `calibrate`."""

from __future__ import annotations

import json
import shutil

import polars as pl
import pytest

from cxsim.data.contracts import LIVES, ORDERS
from cxsim.library import root
from cxsim.params import read
from cxsim.strategies.behaviour import Behaviour
from cxsim.study.loading import load_scenario
from cxsim.study.run import run
from cxsim.study.shop_tables import SHOP_FILES
from cxsim.tables import RETURNS, STATEMENT, check
from tests.cli.conftest import TINY

WRITTEN = ["manifest.json", "returns.parquet", "statement.parquet"]


@pytest.fixture(scope="module")
def simulated(shared):
    """What two simulations of the same scenario print, and the files of both, of which nothing else has changed."""
    before = shared.files()
    done = shared("simulate", "tiny")
    assert (done.code, done.err) == (0, "")
    assert shared("simulate", "tiny", "--out", "again").code == 0
    after = shared.files()
    assert before == {name: after.pop(name) for name in before}
    return done.out, after


def test_tables_and_manifest_are_written_twice_with_the_same_bytes(shared, simulated):
    _, files = simulated
    folder = "reports/tiny-tables"
    assert sorted(files) == [*(f"again/{name}" for name in WRITTEN), *(f"{folder}/{name}" for name in WRITTEN)]
    assert all(files[f"again/{name}"] == files[f"{folder}/{name}"] for name in WRITTEN)
    returns = check(pl.read_parquet(shared.folder / folder / "returns.parquet"), RETURNS)
    assert returns["strategy"].to_list() == ["points-programme", "win-back-coupon"]
    assert check(pl.read_parquet(shared.folder / folder / "statement.parquet"), STATEMENT)["month"].n_unique() == 3
    assert json.loads(files[f"{folder}/manifest.json"])["command"] == "cxsim report tiny"


def test_the_returns_are_printed_as_wide_as_their_table_with_cautions_and_without_models(simulated):
    out, _ = simulated
    titles = (
        "What would two programmes bring?",
        "Points programme",
        "Win-back coupon",
        "Caution, Points programme and Win-back coupon:",
    )
    assert all(words in out for words in (*titles, *WRITTEN))
    header = next(line for line in out.splitlines() if "recommendation" in line)
    for name in (
        "recommendation",
        "investment",
        "expected NPV",
        "interval",
        "ROI",
        "median payback",
    ):
        assert name in header
    assert not any(words in out for words in ("…", "by itself", "What must be true"))


def test_titles_are_no_markup_to_the_terminal(project):
    title = r"[red]A[/] :bee: [2J"
    project.edit("strategies/points-programme.yaml", "title: Points programme", f'title: "{title}"')
    out = project("simulate", "tiny", "--out", "tables").out
    assert "[red]A[/] :bee: [2J" in out


def test_a_scenario_elsewhere_runs_and_claims_no_command_that_makes_it_again(project, tmp_path):
    text = (project.folder / "params" / "scenarios" / "tiny.yaml").read_text(encoding="utf-8")
    text = text.replace("seed: 7", "seed: 8").replace("title: What", "title: Elsewhere, what")
    (tmp_path / "tiny.yaml").write_text(text, encoding="utf-8")
    assert project("simulate", tmp_path / "tiny.yaml", "--out", "tables").code == 0
    manifest = json.loads((project.folder / "tables" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["seed"] == 8
    assert "command" not in manifest
    assert "parameters_sha256" not in manifest


# Taken before a test moves into a project of its own.
_NOTEBOOKS = root() / "notebooks"


SEARCHED = (
    TINY.replace("[points-programme, win-back-coupon]", "[packaging-gift]")
    .replace("dropout: bgnbd", "dropout: all")
    .replace("title: What would two programmes bring?", "title: How large must it be?")
)


@pytest.fixture
def searched(project):
    """A project with the scenario `searched`, whose only strategy nobody has measured."""
    project.scenario("searched", SEARCHED)
    return project


def test_what_is_searched_and_both_ends_are_printed(searched):
    done = searched("break-even", "searched")
    assert (done.code, done.err) == (0, "")
    for words in ("How large must it be?", "Gift in every parcel", "0.70 to 1.05", "not been measured"):
        assert words in done.out
    assert "searched, not assumed" not in done.out


def test_json_is_one_row_for_each_strategy(searched):
    (row,) = json.loads(searched("break-even", "searched", "--json").out)
    assert row["effect"] == "effects.dropout_1.ratio"
    assert row["npv_low"] > row["npv_high"]
    assert row["draws"] == 2


def test_another_number_of_a_measured_strategy_can_be_searched(project):
    words = ("--strategy", "win-back-coupon", "--searches", "effects.coupon_2.redemption", "--json")
    (row,) = json.loads(project("break-even", "tiny", *words).out)
    assert (row["strategy"], row["effect"]) == ("win-back-coupon", "effects.coupon_2.redemption")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tiny"], "no strategy with mode: break-even"),
        (["tiny", "--strategy", "win-back-cupon"], "did you mean 'win-back-coupon'?"),
        (["tiny", "--strategy", "win-back-coupon"], "'None' is not a number with a range"),
        (
            ["tiny", "--strategy", "win-back-coupon", "--searches", "effects.coupon_2.redemtion"],
            "did you mean 'effects.coupon_2.redemption'?",
        ),
        (["tini"], "did you mean 'tiny'?"),
    ],
)
def test_a_mistake_names_what_is_possible(project, words, message):
    assert message in project("break-even", *words).error


@pytest.mark.parametrize(
    "words",
    [
        ["break-even", "tiny", "--searches", "effects.coupon_2.redemption"], ["break-even"],
        ["break-even", "tiny", "--draws", "3"], ["tables", "tiny"], ["tables", "tiny", "--draw", "-1", "--out", "x"],
        ["tables", "tiny", "--draw", "a", "--out", "x"],
    ],
)  # fmt: skip
def test_usage_errors_have_a_code_of_their_own(shared, words):
    done = shared(*words)
    assert (done.code, done.out) == (2, "")


def test_simulate_shows_models_searches_and_cautions(searched):
    searched.edit("scenarios/searched.yaml", "[packaging-gift]", "[points-programme, packaging-gift]")
    done = searched("simulate", "searched", "--out", "tables")
    assert (done.code, done.err) == (0, "")
    for words in ("Results by dropout model", "MBG/NBD", "Pareto/NBD", "Gift in every parcel"):
        assert words in done.out
    assert "Caution, Gift in every parcel: The effect of this strategy" in done.out


def test_a_scenario_that_only_searches_becomes_one_report_of_its_own(searched):
    shutil.copytree(_NOTEBOOKS, searched.folder / "notebooks")
    done = searched("report", searched.folder / "params" / "scenarios" / "searched.yaml", "--out", "searched.html")
    assert done.code == 0, done.err
    page = (searched.folder / "searched.html").read_text(encoding="utf-8")
    assert "How large must the effect be?" in page
    assert "Curve sha256" in page
    assert (searched.folder / "searched" / "break-even.csv").is_file()
    assert "Gift in every parcel" in done.out


def test_every_table_of_the_whole_study_is_written_under_its_contract(project):
    done = project("tables", "tiny", "--arm", "win-back-coupon", "--draw", "1", "--out", "shop")
    assert (done.code, done.err) == (0, "")
    assert {path.name for path in (project.folder / "shop").iterdir()} == set(SHOP_FILES)
    assert all(words in done.out for words in ("win-back-coupon, draw 1", *SHOP_FILES))
    tables = {name: pl.read_parquet(project.folder / "shop" / name) for name in SHOP_FILES}
    assert check(tables["orders.parquet"], ORDERS).height > 0
    check(tables["lives.parquet"], LIVES)
    whole = run(load_scenario("tiny")).tables("win-back-coupon", draw=1)
    assert all(table.equals(getattr(whole, name.removesuffix(".parquet"))) for name, table in tables.items())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--arm", "points-program"], "no arm 'points-program' in scenario 'tiny'; did you mean 'points-programme'?"),
        (["--draw", "2"], "no draw 2; possible: 0 to 1."),
    ],
)
def test_an_unknown_arm_or_draw_is_refused_and_nothing_written(project, words, message):
    before = project.files()
    assert message in project("tables", "tiny", *words, "--out", "shop").error
    assert project.files() == before


def test_a_folder_that_cannot_be_written_to_is_refused_before_anything_is_simulated(project, monkeypatch):
    monkeypatch.setattr("cxsim.study.shop_tables", None)
    (project.folder / "taken").write_text("", encoding="utf-8")
    assert "taken" in project("tables", "tiny", "--out", "taken").error
    (project.folder / "shop" / "orders.parquet").mkdir(parents=True)
    assert "this is a folder, not a file" in project("tables", "tiny", "--out", "shop").error


SERVICE = TINY.replace("economics: cdnow", "economics: cdnow-service\nbehaviour: online-shop").replace(
    "per_month: 20", "per_month: 500"
)


@pytest.fixture
def service(project):
    project.scenario("service", SERVICE)
    return project


def test_a_scenario_and_a_folder_of_its_tables_become_the_same_behaviour_that_can_be_named(service):
    done = service("calibrate", "service", "--name", "mine")
    assert (done.code, done.err) == (0, "")
    for words in ("experience.late.chance", "Not measured, assumption kept"):
        assert words in done.out
    # What is added to a file of the project is shown.
    assert "Added to params/sources.yaml:\nmine-tables:\n  authors:" in done.out
    assert "Written: params/behaviour/mine.yaml" in done.out
    assert done.next == "write behaviour: mine in a scenario, then cxsim check"
    assert service("check").code == 0
    service("tables", "service", "--out", "shop")
    assert service("calibrate", "shop", "--name", "other").code == 0
    mine, other = (
        read(service.folder / "params" / "behaviour" / f"{name}.yaml", Behaviour).experience.incidents
        for name in ("mine", "other")
    )
    assert mine[0].chance.evidence == "measured"
    assert [one.chance.value for one in other[:4]] == [one.chance.value for one in mine[:4]]


def test_a_name_that_is_taken_is_refused_before_anything_is_measured(service):
    before = service.files()
    done = service("calibrate", "service", "--name", "online-shop")
    assert done.error.startswith("params/behaviour/online-shop.yaml: this behaviour already exists")
    assert service.files() == before


def test_an_unknown_behaviour_is_answered_with_the_nearest(service):
    done = service("calibrate", "service", "--name", "mine", "--like", "online-shp")
    assert "did you mean 'online-shop'?" in done.error


def test_where_nothing_can_be_measured_nothing_is_written(service):
    (service.folder / "orders.csv").write_text("order_id,customer_id,ordered_at,amount\n1,a,2024-03-01 09:00,5\n")
    before = service.files()
    done = service("calibrate", "orders.csv", "--name", "mine")
    assert done.code == 1
    # What became of the rows is most often the reason.
    assert done.out.startswith("orders.csv: recognised as cxsim orders (4 of 22 columns); 1 of 1 rows became orders.\n")
    assert "no number of a behaviour can be measured from these tables; nothing was written" in done.err
    assert "Measured: 0 numbers" in done.out
    assert "sessions.conversion: there is no table of sessions. Visits with customer and order" in done.out
    assert service.files() == before
