"""Reports are made where something has changed, side by side, and none is ever half there."""

from __future__ import annotations

import pytest

from cxsim.errors import ReportError
from cxsim.reporting.build import Event, make_all, report_task

BESIDE = ["manifest.json", "report.md", "returns.csv", "tables.json", "workbook.xlsx"]
FILES = [f"{name}{end}" for name in ("one", "two") for end in (".html", *(f"/{file}" for file in BESIDE))]


def test_what_has_not_changed_is_skipped_and_what_is_forced_has_the_same_bytes(made):
    before = made.files()
    assert sorted(before) == FILES
    heard = []
    assert made.make(watch=heard.append) == {"one": "skipped", "two": "skipped"}
    assert [event.kind for event in heard] == ["wanted", "skipped", "skipped"]
    assert made.files() == before
    # One after the other here, and side by side before.
    assert made.make(again="all", jobs=1) == {"one": "made", "two": "made"}
    assert made.files() == before


def test_a_changed_scenario_is_not_current_and_the_other_is(made):
    assert made.current() == {"one": True, "two": True}
    made.edit("scenarios/two.yaml", "seed: 7", "seed: 8")
    assert made.current() == {"one": True, "two": False}


@pytest.mark.parametrize("name", FILES[:6])
def test_a_report_is_not_current_without_one_of_its_files_or_with_a_touched_one(made, name):
    (made.reports / name).write_text("{}", encoding="utf-8")
    assert made.current() == {"one": False, "two": True}
    (made.reports / name).unlink()
    assert made.current() == {"one": False, "two": True}


@pytest.mark.skipif("os.name != 'posix'", reason="Signals are those of POSIX.")
def test_a_report_that_fails_and_a_process_that_dies_stop_no_other_and_leave_older_reports(made):
    before = made.files()
    made.fate("one", "fail")
    made.fate("two", "kill")
    scenarios = made.folder / "params" / "scenarios"
    (scenarios / "three.yaml").write_bytes((scenarios / "one.yaml").read_bytes())
    tasks = [report_task(name) for name in ("one", "two", "three")]
    one, two, three = make_all(tasks, jobs=1, again="all")
    assert (one.state, two.state, three.state) == ("failed", "failed", "made")
    assert one.reason == "02-compare-strategies.ipynb: cell 2 of 2 failed with ValueError: spoilt"
    assert two.reason == "its process ended with code -9 before it was done."
    assert three.reason == ""
    # What the dead one had begun is swept away.
    assert sorted(set(made.files()) - set(before)) == [file.replace("one", "three") for file in FILES[:6]]
    assert before.items() <= made.files().items()


def test_whoever_watches_hears_of_every_report(heard):
    assert heard[0] == Event(task="", kind="wanted", wanted=2)
    for name in ("one", "two"):
        kinds = [event.kind for event in heard if event.task == name]
        assert (kinds[0], set(kinds[1:-1]), kinds[-1]) == ("begun", {"step"}, "made")
        assert Event(task=name, kind="step", words="cell 2 of 2") in heard


@pytest.mark.usefixtures("shop")
def test_two_reports_of_one_name_are_refused():
    with pytest.raises(ReportError, match=r"one: two reports would be written to .*one\.html; name it once"):
        make_all([report_task("one"), report_task("one")])


@pytest.mark.usefixtures("shop")
def test_no_job_at_all_is_refused():
    with pytest.raises(ReportError, match="jobs must be 1 or more; found 0"):
        make_all([report_task("one")], jobs=0)
