"""`cxsim check` and `cxsim new`: parameters are checked and copied."""

from __future__ import annotations

import json

import polars as pl
import pytest

from cxsim.library import root
from cxsim.study.loading import load_scenario

_PARAMS = root() / "params"


SHOP = "economics/cdnow.yaml"
POINTS = "strategies/points-programme.yaml"


def _params(project):
    """Count the files under params/: scenarios, strategies, shops, sources, levers, the schema."""
    return sum(place.startswith("params/") for place in project.files())


def test_sound_files_are_counted(shared):
    done = shared("check")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"{_params(shared)} files checked; no problems found.\n"
    assert shared("check", "params/economics/cdnow.yaml").out == "1 file checked; no problems found.\n"


def test_all_mistakes_of_all_files_are_listed_at_once(project):
    project.edit(SHOP, "timing: mid", "timing: middle")
    project.edit(SHOP, "currency: USD", "curency: USD")
    project.edit(POINTS, "source: nastasoiu-2021", "source: nastasoiu-2012")
    project.edit(POINTS, "Share of customers who ever join.", '""')
    project.edit("sources.yaml", "  grade: B", "  grade: F")
    project.edit("scenarios/tiny.yaml", "win-back-coupon", "win-back")
    lines = project("check").error.splitlines()
    assert lines[0] == f"7 mistakes in {_params(project)} files."
    for start, words in [
        ("params/economics/cdnow.yaml: currency: missing", ""),
        ("params/economics/cdnow.yaml: curency: unknown key", "did you mean 'currency'?"),
        ("params/economics/cdnow.yaml: timing: 'middle' is not possible", "did you mean 'mid'?"),
        ("params/scenarios/tiny.yaml: strategies.1: ", "did you mean 'win-back-coupon'?"),
        ("params/sources.yaml: gopalakrishnan-2021.grade: 'F' is not possible", "possible: A, B, C, D, E."),
        (
            "params/strategies/points-programme.yaml: effects.purchase_rate_2.ratio.source: ",
            "did you mean 'nastasoiu-2021'?",
        ),
        ("params/strategies/points-programme.yaml: reach.uptake.description: empty", ""),
    ]:
        assert any(line.startswith(start) and words in line for line in lines)


def test_a_mistake_of_a_strategy_is_listed_once_and_under_its_own_name(project):
    project.edit(POINTS, "value: 0.85", "value: 1.85")
    lines = project("check").error.splitlines()
    assert lines[1:] == [
        "params/strategies/points-programme.yaml: effects.0.dropout.ratio: value 1.85 is outside its range [0.7, 1]."
    ]


def test_a_scenario_alone_is_checked_with_what_it_names(project):
    project.edit(POINTS, "value: 0.85", "value: 1.85")
    project.edit(SHOP, "timing: mid", "timing: middle")
    lines = project("check", "params/scenarios/tiny.yaml").error.splitlines()
    assert lines[0] == "2 mistakes in 1 file."
    assert any(line.startswith("params/economics/cdnow.yaml: timing") for line in lines)
    assert any(line.startswith("params/strategies/points-programme.yaml: effects.0") for line in lines)


def test_files_elsewhere_are_known_by_their_folder(project, tmp_path):
    folder = tmp_path / "elsewhere" / "strategies"
    folder.mkdir(parents=True)
    text = (project.folder / "params" / POINTS).read_text(encoding="utf-8")
    (folder / "mine.yaml").write_text(text, encoding="utf-8")
    assert project("check", folder / "mine.yaml").out == "1 file checked; no problems found.\n"
    (folder / "mine.yaml").write_text(text.replace("value: 0.85", "value: 1.85"), encoding="utf-8")
    assert f"{folder / 'mine.yaml'}: effects.0.dropout.ratio: value 1.85" in project("check", folder.parent).error


def test_sources_elsewhere_are_read_where_they_lie(project, tmp_path):
    (tmp_path / "sources.yaml").write_text("a-2020:\n  authors: A\n", encoding="utf-8")
    assert f"{tmp_path / 'sources.yaml'}: a-2020.year: missing" in project("check", tmp_path / "sources.yaml").error


def test_a_file_in_no_known_folder_is_refused(project, tmp_path):
    (tmp_path / "strategy.yaml").write_text("a: 1\n")
    message = project("check", tmp_path / "strategy.yaml").error
    assert "possible: scenarios, strategies, economics, behaviour, valuations, shops, formats." in message


def test_a_path_without_files_is_refused(project):
    (project.folder / "nothing").mkdir()
    assert project("check", "params/scenario").error == "no file or folder params/scenario."
    assert project("check", "nothing").error == "nothing: no YAML file in this folder."


def test_an_old_schema_is_found_and_written_anew(project):
    (project.folder / "params" / "schema.json").write_text("{}", encoding="utf-8")
    assert "params/schema.json: differs from what the code reads" in project("check").error
    assert project("check", "--write-schema").out == f"{_params(project)} files checked; no problems found.\n"


def test_a_mistake_in_a_valuation_is_listed_with_its_key_and_so_is_the_name_of_a_scenario(project):
    text = (_PARAMS / "valuations" / "cdnow-value-quick.yaml").read_text(encoding="utf-8")
    folder = project.folder / "params" / "valuations"
    (folder / "tiny.yaml").write_text(text, encoding="utf-8")
    (folder / "other.yaml").write_text(text.replace("draws: ", "drawz: "), encoding="utf-8")
    message = project("check").error
    assert "params/valuations/tiny.yaml: there is a file scenarios/tiny.yaml too; give one of them another" in message
    assert "params/scenarios/tiny.yaml: there is a file valuations/tiny.yaml too" in message
    assert "params/valuations/other.yaml: drawz: unknown key; did you mean 'draws'?" in message


def test_a_copy_is_a_sound_scenario_of_another_name(project):
    done = project("new", "spring-plans", "--from", "tiny")
    assert done.code == 0
    assert "spring-plans.yaml" in done.out
    scenarios = project.folder / "params" / "scenarios"
    assert (scenarios / "spring-plans.yaml").read_bytes() == (scenarios / "tiny.yaml").read_bytes()
    assert project("check", "params/scenarios").out == "2 files checked; no problems found.\n"


def test_a_copy_of_a_file_elsewhere_is_possible(project, tmp_path):
    text = (project.folder / "params" / "scenarios" / "tiny.yaml").read_text(encoding="utf-8")
    (tmp_path / "elsewhere.yaml").write_text(text, encoding="utf-8")
    assert project("new", "mine", "--from", tmp_path / "elsewhere.yaml").code == 0
    assert "params/scenarios/mine.yaml" in project.files()


@pytest.mark.parametrize(
    ("name", "source", "words"),
    [
        ("tiny", "tiny", "there is a scenario 'tiny' already"),
        ("Spring", "tiny", "'Spring' is not a valid scenario name; use at most 80 lower-case letters"),
        ("../spring", "tiny", "is not a valid scenario name"), ("spring.yaml", "tiny", "is not a valid scenario name"),
        ("spring\n", "tiny", "is not a valid scenario name"), ("", "tiny", "is not a valid scenario name"),
        ("spring", "tinny", "no 'tinny' in the library or in"),
        ("spring", "elsewhere.yaml", "no file elsewhere.yaml"),
        ("spring" * 50, "tiny", "at most 80 lower-case letters"),
    ],
)  # fmt: skip
def test_nothing_is_left_half_written_for(project, name, source, words):
    before = project.files()
    assert words in project("new", name, "--from", source).error
    assert project.files() == before


def test_a_scenario_that_is_not_sound_is_not_copied(project):
    project.edit("scenarios/tiny.yaml", "seed: 7", "seed: -7")
    before = project.files()
    assert "seed must be" in project("new", "spring", "--from", "tiny").error
    assert project.files() == before


def test_a_valuation_is_copied_to_the_valuations_under_a_name_that_no_scenario_has(project):
    folder = project.folder / "params" / "valuations"
    source = _PARAMS / "valuations" / "cdnow-value.yaml"
    (folder / "worth.yaml").write_bytes(source.read_bytes())
    assert "there is a scenario 'tiny' already" in project("new", "tiny", "--from", "worth").error
    assert project("new", "worth-2", "--from", "worth").code == 0
    assert (folder / "worth-2.yaml").read_bytes() == source.read_bytes()


@pytest.fixture
def bundled(project):
    """Put the bundled service scenario, with fewer customers and draws, into the project."""
    text = (_PARAMS / "scenarios" / "cdnow-service.yaml").read_text(encoding="utf-8")
    for old, new in [("orders: cdnow\n", "orders: cdnow-sample\n"), ("per_month: 2000", "per_month: 20")]:
        assert old in text
        text = text.replace(old, new)
    project.scenario("cdnow-service", text)
    return project


def test_a_new_user_copies_edits_three_lines_checks_and_simulates(bundled):
    assert bundled("new", "my-plans", "--from", "cdnow-service").code == 0
    place = "scenarios/my-plans.yaml"
    bundled.edit(place, "horizon_months: 36", "horizon_months: 18")
    bundled.edit(place, "draws: 40", "draws: 2")
    bundled.edit(place, "[free-returns, service-recovery, ", "[referral-programme, e-mail-cadence, ")
    assert bundled("check", f"params/{place}").out == "1 file checked; no problems found.\n"
    done = bundled("simulate", "my-plans", "--out", "tables")
    assert (done.code, done.err) == (0, "")
    returns = pl.read_parquet(bundled.folder / "tables" / "returns.parquet")
    assert returns["strategy"].to_list() == [
        "referral-programme", "e-mail-cadence", "self-service", "points-programme", "self-service-and-points",
    ]  # fmt: skip
    manifest = json.loads((bundled.folder / "tables" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["command"] == "cxsim report my-plans"
    assert "behaviour/online-shop.yaml" in manifest["parameters_sha256"]
    for title in returns["title"]:
        assert title in done.out


def test_a_slip_in_one_of_the_three_lines_is_listed_with_file_and_key(bundled):
    bundled("new", "my-plans", "--from", "cdnow-service")
    bundled.edit("scenarios/my-plans.yaml", "dropout: all", "dropout: al")
    message = bundled("check").error
    assert "params/scenarios/my-plans.yaml: dropout: 'al' is not possible; did you mean 'all'?" in message


def test_the_bundled_scenarios_are_what_the_user_starts_from():
    service = load_scenario("cdnow-service")
    assert service.structures == ("bgnbd", "mbgnbd", "paretonbd")
    assert service.behaviour.name == "online-shop"
    assert [one.name for one in service.combinations] == ["self-service-and-points"]
