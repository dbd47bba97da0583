"""Reports are made side by side and only where something changed; failures of a notebook are one plain sentence."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import nbformat
import pytest

import cxsim
from cxsim.errors import ParamError, ReportError
from cxsim.reporting.build import Event, make_all, report_task
from cxsim.reporting.execute import execute, kernel_settings, main, remove_leftovers, staging_prefix
from cxsim.reporting.sweep import write_reports_index
from tests.cli.conftest import ORDERS
from tests.reporting.conftest import BARS, RETURNS, SETUP, require_offline, write_notebook

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


def test_the_index_lists_question_decision_interval_page_tables_and_size(made_shop):
    (made_shop.reports / "notes.html").write_text("my own")
    text = write_reports_index(made_shop.reports).read_text(encoding="utf-8")
    require_offline(text)
    assert "2 reports." in text
    # The question and the strategy's title both hold a script.
    assert text.count("&lt;/td&gt;&lt;script&gt;alert(1)&lt;/script&gt;") == 4
    decision = '<span class="cx-pilot">Pilot first</span>'
    for words in ("What of one?", "<caption>Amounts in EUR</caption>", decision, ">1,230<", ">−210 to 2,500<", " kB"):
        assert words in text
    assert 'href="./one.html"' in text
    assert 'href="./two/returns.csv"' in text
    assert "notes.html" not in text


def test_the_index_is_the_same_bytes_leaves_out_what_is_not_whole_and_may_be_empty(made_shop, tmp_path):
    assert "0 reports." in write_reports_index(tmp_path / "none").read_text(encoding="utf-8")
    first = write_reports_index(made_shop.reports).read_bytes()
    assert write_reports_index(made_shop.reports).read_bytes() == first
    (made_shop.reports / "one" / "returns.csv").write_text("torn")
    text = write_reports_index(made_shop.reports).read_text(encoding="utf-8")
    assert "One report." in text
    assert "one.html" not in text


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
    assert (one.kind, two.kind, three.kind) == ("failed", "failed", "made")
    assert one.words == "02-compare-strategies.ipynb: cell 2 of 2 failed with ValueError: spoilt"
    assert two.words == "its process ended early, with code -9."
    assert three.words == ""
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
def test_two_reports_of_one_name_and_no_job_at_all_are_refused():
    with pytest.raises(ReportError, match=r"one: two reports would be written to .*one\.html; name it once"):
        make_all([report_task("one"), report_task("one")])
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
        # Files that the scenario does not name are none.
        ("params/scenarios/two.yaml", "title:", "# none\ntitle:"),
        ("params/strategies/free-returns.yaml", "title:", "# none\ntitle:"),
    ],
)
def test_each_file_is_an_input(shop, place, old, new):
    before = _inputs()
    shop.edit(f"../{place}", old, new)
    assert (_inputs() == before) == ("# none" in new)


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


def test_only_reports_of_dead_processes_are_removed_which_their_names_tell(tmp_path):
    command = [sys.executable, "-c", "import os; print(os.getpid())"]
    dead = int(subprocess.run(command, capture_output=True, check=True).stdout)
    names = (f".r-{dead}-abcd_123", f".q-{dead}-abcd_124", f".r-{os.getpid()}-abcd_125", ".r-abcd_126", "r-1-abcd_127")
    for name in names:
        (tmp_path / name / "tables").mkdir(parents=True)
    (tmp_path / names[1] / "thesis.txt").write_text("dear")
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[1:])
    remove_leftovers(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
    assert staging_prefix("r") == f".r-{os.getpid()}-"


def test_the_kernel_is_this_interpreter_in_the_notebooks_folder_whatever_the_user_installed(
    tmp_path, monkeypatch, capfd
):
    spec = tmp_path / "jupyter" / "kernels" / "python3"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text(json.dumps({"argv": ["/bin/false"], "display_name": "x", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    path = write_notebook(
        tmp_path / "where.ipynb", "import os, sys\nprint(sys.executable, os.getcwd(), scenario, years)"
    )
    executed = execute(path, {"scenario": "a {brace}", "years": 5})
    (printed,) = executed.cells[-1].outputs
    assert printed.text == f"{sys.executable} {tmp_path} a {{brace}} 5\n"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("scenari", "x", r"no parameter 'scenari'; did you mean 'scenario'\? Possible: scenario, years"),
        ("years", "5", "'years' is '5', of type str; its default 3"),
        ("years", 5.0, "'years' is 5.0, of type float; its default 3"),
        ("years", True, "'years' is True, of type bool; its default 3"),
    ],
)
def test_an_unknown_parameter_and_one_of_another_kind_than_its_default_are_refused(tmp_path, name, value, said):
    with pytest.raises(ReportError, match=said):
        execute(write_notebook(tmp_path / "n.ipynb"), {name: value})


def test_a_failing_cell_is_named_by_number_and_message_without_a_traceback_and_its_notebook_stays(tmp_path, capfd):
    fails = "from cxsim.errors import ParamError\nraise ParamError(\"no lever 'x'; possible: y.\")"
    path = write_notebook(tmp_path / "n.ipynb", "## Prose", "print(1)", fails)
    before = path.read_bytes()
    assert main([str(path)]) == 1
    assert capfd.readouterr().err == "n.ipynb: cell 3 of 3 failed with ParamError: no lever 'x'; possible: y.\n"
    assert [(found, found.read_bytes()) for found in tmp_path.iterdir()] == [(path, before)]


def test_a_kernel_that_dies_is_reported(tmp_path, capfd):
    path = write_notebook(tmp_path / "n.ipynb", "import os\nos._exit(3)")
    with pytest.raises(ReportError, match="process ended in cell 2 of 2"):
        execute(path, {})
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("text", "said"), [(None, "the notebook cannot be read"), ("[1", "not a Jupyter"), ("{}", "not a Jupyter")]
)
def test_a_file_that_is_not_a_notebook_is_refused(tmp_path, text, said):
    if text is not None:
        (tmp_path / "n.ipynb").write_text(text)
    with pytest.raises(ReportError, match=said):
        execute(tmp_path / "n.ipynb", {})


@pytest.mark.skipif(os.name != "posix", reason="Windows has no Unix sockets.")
def test_a_folder_too_deep_for_a_socket_falls_back_to_tcp(tmp_path):
    short, deep = kernel_settings(tmp_path.parent.parent), kernel_settings(tmp_path / ("d" * 100))
    assert (short.OwnKernel.transport, deep.OwnKernel.transport) == ("ipc", "tcp")


LONG = """
import polars as pl
from cxsim.reporting.tables import Column, TableSpec
TableSpec(id="long", title="Long", subtitle="S", columns={"a": Column("A")}).render(pl.DataFrame({"a": range(30)}))
"""


def test_a_refreshed_notebook_is_stored_small(tmp_path, capfd):
    path = write_notebook(tmp_path / "n.ipynb", SETUP, "## Cash", BARS, RETURNS, LONG, "print(years)\nyears")
    assert main([str(path)]) == 0
    stored = path.read_bytes()
    said = capfd.readouterr()
    assert said.out.startswith(f"{path}  ")
    assert said.err == ""
    assert [cell.get("execution_count") for cell in nbformat.read(path, 4).cells] == [None, 1, 2, None, 3, 4, 5, 6]
    # A chart and a table take one line each, and of a long table the first rows are stored.
    assert sum(line.startswith(b'      "application/vnd') and line.count(b"{") > 0 for line in stored.splitlines()) == 3
    assert b'"rows_in_all":30' in stored


def test_naming_no_notebook_shows_how_to_name_one(capfd):
    assert main([]) == 2
    assert "PATH" in capfd.readouterr().err


SOURCE = """
from cxsim.display import notebook_bar
show = notebook_bar("Simulating")
for done in range(1, 4):
    show(done, 3)
print("done")
"""


def test_a_bar_is_followed_line_by_line(tmp_path):
    path, lines = tmp_path / "watched.ipynb", []
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(SOURCE)]), path)
    outputs = execute(path, {}, progress=lines.append).cells[0].outputs
    assert lines == ["cell 1 of 1", "cell 1 of 1, simulating: 1 of 3", "cell 1 of 1, simulating: 2 of 3"]
    assert [output.output_type for output in outputs] == ["display_data", "stream"]


def test_a_report_is_made_from_python_by_name_and_of_numbers_set_by_hand(shop, tmp_path):
    page = cxsim.report("one", out=tmp_path / "mine.html")
    assert page == tmp_path / "mine.html"
    assert "<html" in page.read_text(encoding="utf-8")
    assert cxsim.report(cxsim.load_scenario("one", "draws=3")) == shop.reports / "one,draws=3.html"
    assert (shop.reports / "one,draws=3" / "manifest.json").is_file()


def test_no_report_is_made_of_what_no_file_says(shop):
    other = cxsim.load_scenario("one")
    with pytest.raises(ParamError, match="one: it differs from its file by more than numbers set by hand"):
        cxsim.report(dataclasses.replace(other, strategies=other.strategies[:1]))
    assert not shop.reports.exists()


def test_in_a_notebook_a_report_says_what_it_is_at_and_leaves_nothing_of_it(shop):
    path = shop.folder / "notebooks" / "mine.ipynb"
    sources = ("import cxsim", 'str(cxsim.report("two"))')
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources]), path)
    outputs = execute(path, {}).cells[1].outputs
    assert outputs[0].data == {"text/html": "", "text/plain": ""}
    assert outputs[-1].data["text/plain"] == repr(str(shop.reports / "two.html"))
    assert (shop.reports / "two.html").is_file()
