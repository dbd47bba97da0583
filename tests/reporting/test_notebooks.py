"""Stored notebooks can be read before anything is run, in a light and in a dark JupyterLab."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time

import nbformat
import pytest

from checks.source import ROOT
from cxsim.reporting.tables import CHART, THEMED
from tests.reporting.browser import CHROMIUM, browser

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
DARK_OR_LIGHT = ("#1F2933", "#52606D", "#E4E7EB", "#FFFFFF")
CELL = re.compile(r"<t[dh]\b[^>]*>")
STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def _outputs(path):
    cells = nbformat.read(path, as_version=4).cells
    return [output.data for cell in cells for output in cell.get("outputs", []) if "data" in output]


def _texts(part, key=""):
    """Yield all texts of a specification but its data."""
    if isinstance(part, dict):
        for name, value in part.items():
            if name != "datasets":
                yield from _texts(value, name)
    elif isinstance(part, list):
        for value in part:
            yield from _texts(value, key)
    elif isinstance(part, str):
        yield part


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_stored_chart_has_a_ground_or_an_ink_that_a_theme_could_hide(path):
    charts = [data[CHART] for data in _outputs(path) if CHART in data]
    assert charts
    for chart in charts:
        assert chart["config"]["background"] == "transparent"
        found = [*_texts(chart)]
        assert not set(found) & set(DARK_OR_LIGHT)
        assert THEMED["#1f2933"] in found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_tables_and_sentences_leave_ink_and_ground_to_the_theme_and_align_each_cell(path):
    shown = [data["text/html"] for data in _outputs(path) if "text/html" in data]
    assert shown
    for html in shown:
        for sheet in STYLE.findall(html):
            assert not re.search(r"(?<![-\w])(?:color|background(?:-color)?):#", sheet)
        for cell in CELL.findall(STYLE.sub("", html)):
            assert "text-align:" in cell


SETTINGS = "@jupyterlab/apputils-extension/themes.jupyterlab-settings"
# WCAG 2.2, 1.4.3: the contrast of text against its ground, of each text that an output shows; and where cells stand.
READ = r"""(function () {
  function parsed(colour) {
    var parts = colour.match(/[\d.]+/g).map(Number);
    return parts.length > 3 ? parts : parts.concat(1);
  }
  function over(top, below) {
    return [0, 1, 2].map(function (i) { return top[i] * top[3] + below[i] * (1 - top[3]); });
  }
  function light(rgb) {
    var parts = rgb.map(function (one) {
      return one <= 10.31 ? one / 255 / 12.92 : Math.pow((one / 255 + 0.055) / 1.055, 2.4);
    });
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  }
  function ground(element) {
    for (; element; element = element.parentElement) {
      var found = parsed(getComputedStyle(element).backgroundColor);
      if (found[3] === 1) return found.slice(0, 3);
    }
    return [255, 255, 255];
  }
  var texts = [];
  document.querySelectorAll(".jp-OutputArea-output").forEach(function (output) {
    var walk = document.createTreeWalker(output, NodeFilter.SHOW_TEXT), node;
    while ((node = walk.nextNode())) {
      var element = node.parentElement, style = getComputedStyle(element), below = ground(element);
      if (!node.data.trim() || element.closest("style") || !element.getClientRects().length) continue;
      var colour = element instanceof SVGElement ? style.fill : style.color;
      var ink = light(over(parsed(colour), below)), page = light(below);
      texts.push([(Math.max(ink, page) + 0.05) / (Math.min(ink, page) + 0.05), node.data.trim()]);
    }
  });
  function aligned(name) {
    var cells = Array.from(document.querySelectorAll(".jp-OutputArea-output td." + name));
    return Array.from(new Set(cells.map(function (cell) { return getComputedStyle(cell).textAlign; })));
  }
  return JSON.stringify({
    dark: document.body.dataset.jpThemeLight === "false",
    sheets: document.querySelectorAll(".jp-OutputArea-output style").length,
    texts: texts.sort(function (a, b) { return a[0] - b[0]; }),
    left: aligned("gt_left"), right: aligned("gt_right"),
    drawn: document.querySelectorAll(".jp-OutputArea-output svg.marks").length
  });
})()"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab of its own, whose notebooks it has never run; yields where it is and its folder of settings."""
    folder = tmp_path_factory.mktemp("lab")
    places = {name: folder / name.lower() for name in ("CONFIG", "DATA", "RUNTIME")}
    (folder / "work").mkdir()
    shutil.copy(NOTEBOOKS[0], folder / "work" / "a.ipynb")
    env = {
        **os.environ,
        **{f"JUPYTER_{name}_DIR": str(place) for name, place in places.items()},
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }
    options = [
        *("--no-browser", "--allow-root", "--ServerApp.port=0", f"--ServerApp.root_dir={folder / 'work'}"),
        *("--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"),
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "jupyterlab", *options], env=env, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 30
        while not (found := [*places["RUNTIME"].glob("jpserver-*.json")]) and time.monotonic() < until:
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.1)
        server = json.loads(found[0].read_text())
        yield f"{server['url']}doc/tree/a.ipynb?token={server['token']}", folder / "settings"
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.mark.skipif(CHROMIUM is None and os.environ.get("CI") != "true", reason="Chromium is not installed.")
def test_a_notebook_that_was_never_run_is_read_in_a_light_and_in_a_dark_jupyterlab(lab, tmp_path):
    address, settings = lab
    with browser(tmp_path) as tab:
        for theme in ("Light", "Dark"):
            (settings / SETTINGS).parent.mkdir(parents=True, exist_ok=True)
            (settings / SETTINGS).write_text(json.dumps({"theme": f"JupyterLab {theme}"}))
            # So tall that all of it is drawn at once.
            tab.call("Emulation.setDeviceMetricsOverride", width=1280, height=5000, deviceScaleFactor=1, mobile=False)
            tab.call("Page.navigate", url=address)
            tab.wait_for("document.querySelectorAll('.jp-OutputArea-output svg.marks').length > 2", seconds=40)
            read = json.loads(tab.evaluate(READ))
            assert read["dark"] == (theme == "Dark")
            assert read["sheets"] == 0
            assert (read["left"], read["right"]) == (["left"], ["right"])
            assert read["drawn"] > 2
            assert len(read["texts"]) > 100
            assert read["texts"][0][0] >= 4.5, read["texts"][:5]
