"""In JupyterLab, opened by the command in a project: all cells run, a slider moves, and the number changes."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path

import nbformat
import pytest

from cxsim.library import root
from tests.cli.conftest import TINY
from tests.reporting.browser import CHROMIUM, browser

if CHROMIUM is None and os.environ.get("CI") == "true":
    pytest.fail("CI must have Chromium: without it nobody knows that the sliders work in JupyterLab.", pytrace=False)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed.")

CELLS = (
    'import cxsim\n\nscenario = cxsim.load_scenario("tiny")\nscenario',
    "case = cxsim.business_case(cxsim.run(scenario))\ncase",
    "cxsim.explore(case)",
)
CALL = "from cxsim.cli import main; import sys; sys.argv = ['cxsim', 'lab', '--no-browser', '--port', '{port}']; main()"
KERNEL = "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel"
CELLS_SHOWN = "[...document.querySelectorAll('.widget-html td')].map(cell => cell.textContent)"
CELL_COLOUR = "getComputedStyle(document.querySelector('.widget-html td')).color"
SET = "document.querySelector('.widget-html p').textContent"
PRESS = "[...document.querySelectorAll('button')].find(one => one.textContent === 'Simulate exactly').click()"


@pytest.fixture
def project(tmp_path):
    """A project with one notebook, and settings of JupyterLab that nobody else has."""
    shutil.copytree(root() / "params", tmp_path / "params")
    (tmp_path / "params" / "scenarios" / "tiny.yaml").write_text(TINY, encoding="utf-8")
    (tmp_path / "notebooks").mkdir()
    cells = [nbformat.v4.new_code_cell(source, id=f"cell-{place}") for place, source in enumerate(CELLS)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), tmp_path / "notebooks" / "first.ipynb")
    own = {"IdentityProvider": {"token": "secret"}, "LabApp": {"expose_app_in_browser": True}}
    settings = tmp_path / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    (tmp_path / "jupyter_lab_config.json").write_text(json.dumps(own))
    return tmp_path


@contextmanager
def _served(project):
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = {"CONFIG_DIR": "", "RUNTIME_DIR": "runtime", "DATA_DIR": "data"}
    env = os.environ | {f"JUPYTER_{name}": str(project / place) for name, place in places.items()}
    env |= {"JUPYTERLAB_SETTINGS_DIR": str(project / "settings"), "IPYTHONDIR": str(project / "ipython")}
    env |= {"JUPYTERLAB_WORKSPACES_DIR": str(project / "workspaces"), "PYTHONPATH": str(root())}
    with (project / "log.txt").open("w") as log:
        server = subprocess.Popen([sys.executable, "-c", CALL.format(port=port)], cwd=project, env=env, stderr=log)
    try:
        _wait_for(port, server)
        yield f"http://127.0.0.1:{port}"
    finally:
        # As a system that shuts down does: kernels end with it.
        server.terminate()
        server.wait(timeout=60)


def _wait_for(port, server):
    until = time.monotonic() + 30
    while server.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError("JupyterLab did not start.")


def _dark_and_light(tab):
    """Return the colours in which the result is written, by theme; a screenshot of each where a folder is named."""
    found = {}
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        tab.evaluate(f"window.jupyterapp.commands.execute('apputils:change-theme', {{theme: '{theme}'}})")
        tab.wait_for(f"document.body.dataset.jpThemeName === '{theme}'")
        found[theme] = tab.evaluate(f"{CELL_COLOUR}.match(/\\d+/g).map(Number)")
        if kept := os.environ.get("CXSIM_SCREENSHOTS"):
            time.sleep(1)
            tab.screenshot(Path(kept) / f"{theme}.png", beyond=False)
    return found


def test_all_cells_run_a_slider_moves_and_the_number_changes_until_it_is_simulated(project, tmp_path_factory):
    with _served(project) as address, browser(tmp_path_factory.mktemp("profile")) as tab:
        tab.call("Emulation.setDeviceMetricsOverride", width=1280, height=1400, deviceScaleFactor=1, mobile=False)
        tab.call("Page.navigate", url=f"{address}/lab/tree/first.ipynb?token=secret")
        # Before that, JupyterLab would ask for a kernel.
        tab.wait_for(f"{KERNEL}?.status === 'idle'", seconds=30)
        tab.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
        tab.wait_for(f"{CELLS_SHOWN}.length > 0", seconds=30)
        before = tab.evaluate(CELLS_SHOWN)
        assert before[:1] == ["Expected NPV"]
        # The third is the cost of the programme.
        tab.evaluate("document.querySelectorAll('.noUi-handle')[2].focus()")
        for _ in range(6):
            tab.press("ArrowRight")
        tab.wait_for(f"{SET}.includes('1.30')")
        at_once = tab.evaluate(CELLS_SHOWN)
        assert at_once[1] != before[1]
        tab.evaluate(PRESS)
        tab.wait_for(f"{CELLS_SHOWN}[2] !== {before[2]!r}", seconds=20)
        exact = tab.evaluate(CELLS_SHOWN)
        assert exact[2] == exact[1] == at_once[1]
        colours = _dark_and_light(tab)
        assert min(colours["JupyterLab Dark"][:3]) > 180
        assert max(colours["JupyterLab Light"][:3]) < 80
        assert tab.reported("Runtime.exceptionThrown") == []
