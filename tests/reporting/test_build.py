"""Reports are made side by side, again only where something has changed, and whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from cxsim.errors import ReportError
from cxsim.reporting.build import Event, make_all, report_task
from cxsim.reporting.execute import remove_leftovers, staging_prefix
from tests.cli.conftest import ORDERS

BESIDE = ["manifest.json", "report.md", "returns.csv", "tables.json", "workbook.xlsx"]


FILES = [f"{name}{end}" for name in ("one", "two") for end in (".html", *(f"/{file}" for file in BESIDE))]


def test_what_has_not_changed_is_skipped_and_what_is_forced_has_the_same_bytes(made_shop):
    before = made_shop.files()
    assert sorted(before) == FILES
    heard = []
    assert made_shop.make(watch=heard.append) == {"one": "skipped", "two": "skipped"}
    assert [event.kind for event in heard] == ["wanted", "skipped", "skipped"]
    assert made_shop.files() == before
    # One after the other here, and side by side before.
    assert made_shop.make(again="all", jobs=1) == {"one": "made", "two": "made"}
    assert made_shop.files() == before


def test_a_changed_scenario_is_not_current_and_the_other_is(made_shop):
    assert made_shop.current() == {"one": True, "two": True}
    made_shop.edit("scenarios/two.yaml", "seed: 7", "seed: 8")
    assert made_shop.current() == {"one": True, "two": False}


@pytest.mark.parametrize("name", FILES[:6])
def test_a_report_is_not_current_without_one_of_its_files_or_with_a_touched_one(made_shop, name):
    (made_shop.reports / name).write_text("{}", encoding="utf-8")
    assert made_shop.current() == {"one": False, "two": True}
    (made_shop.reports / name).unlink()
    assert made_shop.current() == {"one": False, "two": True}


@pytest.mark.skipif("os.name != 'posix'", reason="Signals are those of POSIX.")
def test_a_report_that_fails_and_a_process_that_dies_stop_no_other_and_leave_older_reports(made_shop):
    before = made_shop.files()
    made_shop.fate("one", "fail")
    made_shop.fate("two", "kill")
    scenarios = made_shop.folder / "params" / "scenarios"
    (scenarios / "three.yaml").write_bytes((scenarios / "one.yaml").read_bytes())
    tasks = [report_task(name) for name in ("one", "two", "three")]
    one, two, three = make_all(tasks, jobs=1, again="all")
    assert (one.state, two.state, three.state) == ("failed", "failed", "made")
    assert one.reason == "02-compare-strategies.ipynb: cell 2 of 2 failed with ValueError: spoilt"
    assert two.reason == "its process ended with code -9 before it was done."
    assert three.reason == ""
    # What the dead one had begun is swept away.
    assert sorted(set(made_shop.files()) - set(before)) == [file.replace("one", "three") for file in FILES[:6]]
    assert before.items() <= made_shop.files().items()


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


def _inputs(name="one", **how):
    return report_task(name, **how).inputs


@pytest.mark.parametrize(
    ("place", "old", "new"),
    [
        ("params/scenarios/one.yaml", "draws: 2", "draws: 3"),
        ("params/scenarios/one.yaml", "title:", "# a remark, whose hash the audit trail shows\ntitle:"),
        ("params/economics/cdnow.yaml", "value: 0.40", "value: 0.41"),
        ("params/strategies/points-programme.yaml", "value: 0.85", "value: 0.86"),
        ("params/sources.yaml", "grade: B", "grade: C"),
        ("notebooks/02-compare-strategies.ipynb", "spoilt", "marred"),
    ],
)
def test_each_file_is_an_input(shop, place, old, new):
    before = _inputs()
    file = shop.folder / place
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert _inputs() != before


@pytest.mark.parametrize("place", ["params/scenarios/two.yaml", "params/strategies/free-returns.yaml"])
def test_files_that_the_scenario_does_not_name_are_none(shop, place):
    before = _inputs()
    file = shop.folder / place
    file.write_text(file.read_text(encoding="utf-8") + "# a remark\n", encoding="utf-8")
    assert _inputs() == before


def test_orders_changes_and_shown_code_are_inputs(shop):
    shop.edit("scenarios/one.yaml", "orders: cdnow-sample", "orders: orders.csv")
    found = [_inputs(), _inputs(changes="draws=3"), _inputs(code="shown")]
    (shop.folder / "orders.csv").write_text(f"{ORDERS}a,1998-01-01,5\n")
    found.append(_inputs())
    (shop.folder / "orders.csv").write_text(f"{ORDERS}a,1998-01-01,6\n")
    found.append(_inputs())
    assert len(set(found)) == len(found)


@pytest.mark.usefixtures("shop")
def test_the_spelling_of_a_change_is_none():
    assert _inputs(changes="draws=03") == _inputs(changes=" draws=3;")


_CALL = "from cxsim.cli import main; main()"


def _until(true, seconds=150.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def _is_gone(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.skipif(os.name != "posix", reason="Signals are those of POSIX.")
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_a_batch_that_is_stopped_leaves_what_was_whole_and_can_be_taken_up_again(made_shop, sent):
    before = made_shop.files()
    made_shop.edit("scenarios/two.yaml", "seed: 7", "seed: 8")
    made_shop.fate("two", "wait")
    notes = made_shop.folder / "notebooks" / "two.pid"
    notes.unlink()
    command = [sys.executable, "-c", _CALL, "report", "--all", "--jobs", "1"]
    batch = subprocess.Popen(command, cwd=made_shop.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    _until(lambda: notes.exists() and len(notes.read_text().split()) == 2)
    workers = [int(process) for process in notes.read_text().split()]
    begun = time.monotonic()
    batch.send_signal(sent)
    out, _ = batch.communicate()
    # At once: the notebook would have gone on for two minutes.
    assert time.monotonic() - begun < 10.0
    assert batch.returncode != 0
    _until(lambda: all(map(_is_gone, workers)), seconds=10.0)
    assert b"Written" not in out
    assert {name: content for name, content in made_shop.files().items() if not name.startswith(".")} == before
    assert made_shop.current() == {"one": True, "two": False}
    if sent == signal.SIGKILL:
        # What may be left of the killed one goes when it is taken up again.
        (made_shop.reports / f".two-{batch.pid}-abcd1234").mkdir()
        made_shop.fate("two", "")
        assert made_shop.make() == {"one": "skipped", "two": "made"}
    assert sorted(path.name for path in made_shop.reports.iterdir()) == ["one", "one.html", "two", "two.html"]


def _ended():
    """Return the number of a process that is no more."""
    command = [sys.executable, "-c", "import os; print(os.getpid())"]
    return int(subprocess.run(command, capture_output=True, check=True).stdout)


def test_only_reports_of_dead_processes_are_removed(tmp_path):
    dead = _ended()
    names = (f".r-{dead}-abcd_123", f".q-{dead}-abcd_124", f".r-{os.getpid()}-abcd_125", ".r-abcd_126", "r-1-abcd_127")
    for name in names:
        (tmp_path / name / "tables").mkdir(parents=True)
    (tmp_path / names[1] / "thesis.txt").write_text("dear")
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[1:])


def test_a_folder_that_does_not_exist_has_none(tmp_path):
    remove_leftovers(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_the_name_tells_whose_it_is():
    assert staging_prefix("r") == f".r-{os.getpid()}-"
