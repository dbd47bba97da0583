"""A batch that is stopped leaves nothing half-written and nobody at work; the next one makes what is missing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Signals are those of POSIX.")
_CALL = "from cxsim.cli import main; main()"


def _until(true, seconds=30.0):
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


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_a_batch_that_is_stopped_leaves_what_was_whole_and_can_be_taken_up_again(made, sent):
    before = made.files()
    made.edit("scenarios/two.yaml", "seed: 7", "seed: 8")
    made.fate("two", "wait")
    notes = made.folder / "notebooks" / "two.pid"
    notes.unlink()
    command = [sys.executable, "-c", _CALL, "report", "--all", "--jobs", "1"]
    batch = subprocess.Popen(command, cwd=made.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
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
    assert {name: content for name, content in made.files().items() if not name.startswith(".")} == before
    assert made.current() == {"one": True, "two": False}
    if sent == signal.SIGKILL:
        # What may be left of the killed one goes when it is taken up again.
        (made.reports / f".two-{batch.pid}-abcd1234").mkdir()
        made.fate("two", "")
        assert made.make() == {"one": "skipped", "two": "made"}
    assert sorted(path.name for path in made.reports.iterdir()) == ["one", "one.html", "two", "two.html"]
