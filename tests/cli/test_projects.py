"""`cxsim start` and `cxsim where` in a terminal: what is asked, printed and refused."""

from __future__ import annotations

import json
import os
import sys

import pexpect
import pytest

from checks.source import ROOT
from tests.first_hour import write_exports


@pytest.fixture
def exports(tmp_path):
    return write_exports(tmp_path / "soap", orders=900, tickets=150)


def test_without_a_terminal_there_is_nobody_to_ask(project, exports):
    done = project("start", exports)
    assert done.code == 2
    assert "add --yes" in done.err


def test_an_answer_needs_a_key(project, exports):
    done = project("start", exports, "--yes", "--answer", "0.55")
    assert done.code == 2
    assert "must be KEY=VALUE" in done.err


def test_a_project_is_made_without_a_question(project, exports):
    done = project("start", exports, "--yes", "--no-report", "--answer", "gross_margin=0.55")
    assert done.code == 0, done.err
    assert "recognised as Shopify orders" in done.out
    assert "new customers a month" in done.out
    assert done.next.endswith("soap-project && cxsim report soap")
    assert (exports.with_name("soap-project") / "params" / "scenarios" / "soap.yaml").is_file()


def test_another_program_reads_what_was_made(project, exports):
    content = json.loads(project("start", exports, "--yes", "--no-report", "--json").out)
    assert content["scenario"] == "soap"
    assert content["project"] == str(exports.with_name("soap-project"))
    assert {one["question"] for one in content["answers"]} >= {"gross_margin", "strategies", "budget"}


def test_the_report_is_built_at_once_in_the_new_project_and_can_be_verified_there(project, exports):
    done = project(
        *("start", exports, "--yes", "--answer", "horizon_months=3", "--answer", "strategies=faster-delivery"),
    )
    assert done.code == 0, done.err
    assert (exports.with_name("soap-project") / "reports" / "soap.html").is_file()
    assert not (project.folder / "reports" / "soap.html").exists()
    # The notebook that made it is the library's.
    project.folder = exports.with_name("soap-project")
    assert "all numbers and bytes agree" in project("verify", "reports/soap.html").out


def test_a_mistake_is_one_message_and_leaves_nothing(project, exports):
    before = sorted(exports.parent.iterdir())
    done = project("start", exports, "--yes", "--answer", "gross_margin=55")
    assert done.code == 1
    assert done.err.strip().startswith("Error: gross_margin: 55 is not possible")
    assert sorted(exports.parent.iterdir()) == before


def test_a_file_is_shown_with_where_it_comes_from(project):
    assert project("where", "tiny").out.strip().endswith("tiny.yaml (project)")
    assert json.loads(project("where", "tiny", "--json").out)[0]["kind"] == "scenarios"


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such terminals.")
@pytest.mark.parametrize("question", ["Currency", "Strategies to compare"])
def test_whoever_leaves_at_a_question_gets_one_line_and_leaves_nothing(exports, question):
    call = "from cxsim.cli import main; import sys; sys.argv = ['cxsim', 'start', sys.argv[1]]; main()"
    with_terminal = pexpect.spawn(sys.executable, ["-c", call, str(exports)], encoding="utf-8", timeout=60, cwd=ROOT)
    while with_terminal.expect([question, r"\] *: *$|\]: "]) != 0:
        with_terminal.sendline("")
    with_terminal.expect(r"\]: ")
    with_terminal.sendintr()
    with_terminal.expect(pexpect.EOF)
    with_terminal.close()
    assert with_terminal.exitstatus == 130
    assert with_terminal.before.strip().endswith("Stopped. No unfinished file is left.")
    assert [path.name for path in exports.parent.iterdir() if "soap" in path.name] == ["soap"]
