"""What people expect of any command line: help, version, JSON, quiet, colours, completion and plain words."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time

import pytest
from typer.main import get_command

from checks.source import ROOT
from cxsim.cli import app

CALL = [sys.executable, "-c", "from cxsim.cli import main; import sys; sys.argv[0] = 'cxsim'; main()"]
# It opens a server, whose output is Jupyter's.
WITHOUT_JSON = {"lab"}
INTERNAL = re.compile(
    r"\b(ledger|contract|dataclass|polars|pydantic|kernel|numba|LazyFrame|rfm table|schema|arms?|latent|prior)\b"
)
# Named so in the files that users write.
THEIRS = {"--write-schema", "params/schema.json", "--arm"}


def _commands(group=None, path=()):
    group = group or get_command(app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield pytest.param(command, id=" ".join((*path, name)))
            yield from _commands(command, (*path, name))
        else:
            yield pytest.param(command, id=" ".join((*path, name)))


COMMANDS = [*_commands()]


def _options(command):
    return {option for one in command.params for option in one.opts}


def _called(*words, **env):
    return subprocess.run(
        [*CALL, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"COLUMNS": "200"} | env,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_prints_json(command):
    assert ("--json" in _options(command)) == (command.name not in WITHOUT_JSON)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_no_internal_word(command):
    texts = [command.help, *(one.help for one in command.params)]
    for text in filter(None, texts):
        words = text
        for theirs in THEIRS:
            words = words.replace(theirs, "")
        assert not INTERNAL.search(words), text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_a_help_text(command):
    assert [one.name for one in command.params if not one.help] == []


@pytest.mark.parametrize("words", [["-h"], ["--help"], ["report", "-h"], ["levers", "show", "-h"]])
def test_help_is_one_letter_away(shared, words):
    done = shared(*words)
    assert done.code == 0
    assert "Usage: " in done.out


def test_help_groups_commands_by_task_and_begins_with_the_first_one_to_call(shared):
    out = shared("-h").out
    places = [
        out.index(f"─ {task} ─") for task in ("Start", "Decide", "Your own numbers", "Check a report", "Look closer")
    ]
    assert places == sorted(places)
    assert out.index("First: cxsim start FOLDER") < places[0]


def test_the_version_is_that_of_the_package(shared):
    assert re.fullmatch(r"cxsim \d+\.\d+\.\d+\n", shared("--version").out)


@pytest.mark.parametrize("place", [0, 1, 3])
def test_quiet_leaves_results_and_may_stand_anywhere(shared, place):
    words = ["levers", "show", "L18"]
    loud, quiet = shared(*words), shared(*words[:place], "--quiet", *words[place:])
    assert (quiet.code, quiet.out, quiet.err, quiet.next) == (0, loud.out, "", "")
    assert loud.next


def test_quiet_does_not_silence_a_mistake(shared):
    assert shared("-q", "levers", "show", "L99").error.startswith("no lever 'L99'")


@pytest.mark.parametrize("words", [["fitt"], ["report", "--al"]])
def test_a_word_that_nobody_knows_is_answered_with_the_nearest(shared, words):
    done = shared(*words)
    assert done.code == 2
    assert re.search(r"Did you mean|Possible options", done.err)


def test_there_are_no_colours_where_nobody_wants_them():
    done = _called("levers", "show", "L18", NO_COLOR="1", FORCE_COLOR="1")
    assert done.returncode == 0
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", done.stdout)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("sta", "start"),
        ("simulate cdnow-q", "cdnow-quick"),
        ("report cdnow-value-", "cdnow-value-quick"),
        ("new mine --from cdnow-value-", "cdnow-value-quick"),
        ("calibrate shop --name mine --like online-s", "online-shop"),
        ("break-even cdnow-programmes --strategy win-back-c", "win-back-coupon"),
    ],
)
def test_a_shell_can_complete_commands_and_names(words, found):
    place = str(len(words.split()))
    done = _called(_CXSIM_COMPLETE="complete_bash", COMP_WORDS=f"cxsim {words}", COMP_CWORD=place)
    assert done.stdout.split() == [found]


@pytest.mark.parametrize("words", [one.id for one in COMMANDS])
def test_help_writes_placeholders_without_formats_and_with_brackets_only_around_what_may_be_left_out(shared, words):
    out = shared(*words.split(), "-h").out
    assert "%Y" not in out
    assert not re.search(r"\[\[|\]\]|\]\.\.\.\]", out), out


def test_a_reader_who_stops_reading_is_no_accident():
    with subprocess.Popen([*CALL, "levers"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as done:
        done.stdout.close()
        said = done.stderr.read().decode()
        done.wait(timeout=60)
    assert "Traceback" not in said


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such signal.")
def test_whoever_stops_a_command_gets_one_line_and_no_half_written_file(tmp_path):
    with subprocess.Popen(
        [*CALL, "simulate", "cdnow-programmes", "--out", str(tmp_path / "out")],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as done:  # fmt: skip
        time.sleep(5)
        done.send_signal(signal.SIGINT)
        _, said = done.communicate(timeout=60)
    assert done.returncode == 130
    assert said.strip() == "Stopped. No unfinished file is left."
    assert not (tmp_path / "out").exists()
