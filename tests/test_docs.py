"""What README and docs give readers to type runs as it stands; the site is whole and needs no network."""

from __future__ import annotations

import ast
import functools
import importlib
import json
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup
from typer.main import get_command

import cxsim
from checks.source import ROOT
from cxsim import reporting
from cxsim.cli import app
from cxsim.clv.fit import _library
from cxsim.finance.economics import Economics
from cxsim.metrics.catalogue import load_metrics
from cxsim.params import Quantity, Source, entries, read
from cxsim.study.loading import check_params
from tests.reporting.browser import CHROMIUM, browser

# Python, and the output printed under it, if a block without a language follows at once.
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```\n(.*?)^```)?", re.MULTILINE | re.DOTALL)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BESIDE = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
TARGET = re.compile(r"(?:^|`)make ([a-z-]+)", re.MULTILINE)
EXAMPLES = {path: found for path in PAGES if (found := BLOCK.findall(path.read_text(encoding="utf-8")))}
FENCE = re.compile(r"^( *)```(yaml|console)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
# The first line of a whole file says where it belongs.
PLACE = re.compile(r"# (params/[\w./-]+)\n")


@pytest.mark.parametrize("page", EXAMPLES, ids=lambda path: path.name)
def test_the_python_of_a_page_runs_and_prints_what_stands_under_it(page, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    for code, printed in EXAMPLES[page]:
        exec(compile(code, page.name, "exec"), {})  # noqa: S102 - our own text
        shown = capsys.readouterr().out
        assert not printed or shown == printed


@pytest.mark.parametrize("page", BESIDE, ids=lambda path: path.name)
def test_a_page_beside_the_readme_links_to_files_and_headings_that_are_there(page):
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        assert (ROOT / path).exists(), target
        headings = re.findall(r"^#+ (.*)$", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
        assert not anchor or anchor in {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize("target", sorted({one for page in BESIDE for one in TARGET.findall(page.read_text())}))
def test_a_command_of_make_that_a_page_names_is_there(target):
    assert f"\n{target}:" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_there_is_python_in_readme_and_docs():
    assert sum(map(len, EXAMPLES.values())) >= 4


# The file that a block belongs to, and its content without the indentation of a list.
YAML = re.compile(r"^ *```yaml\n *# in (params/[^\s,]+)[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
OWN_NUMBERS = YAML.findall((ROOT / "docs" / "how-to" / "own-numbers.md").read_text(encoding="utf-8"))


def test_the_own_numbers_of_the_recipe_read_as_quantities_and_sources_and_cite_each_other(tmp_path):
    numbers, known = [], {}
    for place, (name, text) in enumerate(OWN_NUMBERS):
        file = tmp_path / f"{place}.yaml"
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        if name == "params/sources.yaml":
            known |= entries(file, Source)
        else:
            numbers.append(entries(file, Quantity)["gross_margin"])
    assert [(one.evidence, one.source) for one in numbers] == [
        ("assumed", None),
        ("measured", "accounts-2025"),
        ("published", "trade-survey-2024"),
    ]
    assert [(name, one.grade) for name, one in known.items()] == [("accounts-2025", "C"), ("trade-survey-2024", "D")]
    bundled = read(ROOT / "params" / "economics" / "cdnow.yaml", Economics).gross_margin
    assert numbers[0] == bundled


def blocks(language):
    """Each block of a language in docs/, with its page, without the indent of a list."""
    for page in PAGES[1:]:
        for indent, found, text in FENCE.findall(page.read_text(encoding="utf-8")):
            if found == language:
                yield page, re.sub(f"^{indent}", "", text, flags=re.MULTILINE)


def commands():
    """Each line of a page that calls cxsim."""
    for page, text in blocks("console"):
        yield from (
            pytest.param(line, id=f"{page.stem}: {line}") for line in text.splitlines() if line.startswith("cxsim ")
        )


@pytest.mark.parametrize("line", [*commands()])
def test_a_command_of_a_page_is_one_that_the_command_line_has(line):
    name, *words = shlex.split(line, comments=True)
    command = get_command(app)
    while words and words[0] in getattr(command, "commands", {}):
        name, command = words[0], command.commands[words.pop(0)]
    if not hasattr(command, "commands"):
        command.make_context(name, words)
    else:
        assert words in ([], ["--help"]) or command.invoke_without_command, f"{line}: no such command."


def test_every_whole_file_of_a_page_is_sound(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "params", tmp_path / "params")
    monkeypatch.chdir(tmp_path)
    files = 0
    for _, text in blocks("yaml"):
        yaml.safe_load(text)
        if place := PLACE.match(text):
            file = tmp_path / place[1]
            catalogue = file.read_text(encoding="utf-8") if file.exists() else ""
            file.write_text(catalogue + text, encoding="utf-8")
            files += 1
            assert check_params([file]) == []
    assert files >= 3


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the site as `make docs` does; a warning is an error."""
    out = tmp_path_factory.mktemp("docs")
    words = ["-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "docs", str(out)]
    made = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return out


@pytest.fixture(scope="module")
def pages(site):
    """Every page of the site by its file, parsed."""
    return {path: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for path in site.rglob("*.html")}


def ids(page):
    return {one["id"] for one in page.find_all(id=True)} | {
        one["name"] for one in page.find_all("a", attrs={"name": True})
    }


def test_every_link_of_the_site_leads_to_a_page_and_a_place_on_it(pages):
    anchors = {path.resolve(): ids(page) for path, page in pages.items()}
    broken = []
    for path, page in pages.items():
        for link in page.find_all("a", href=True):
            parts = urlsplit(link["href"])
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
            # search.html and the like mark their own places while they run
            if not target.is_file() or (parts.fragment and unquote(parts.fragment) not in anchors.get(target, ())):
                broken.append(f"{path.name}: {link['href']}")
    assert broken == []


def test_nothing_on_the_site_is_loaded_from_a_network(site, pages):
    loaded = [
        one.get("src") or one.get("href")
        for page in pages.values()
        for one in page.find_all(["script", "img", "link", "iframe", "source"])
        if one.name != "link" or not {"canonical", "search", "license"} & set(one.get("rel", ()))
    ]
    outside = re.compile(r"(?:https?:)?//")
    assert [address for address in loaded if address and outside.match(address)] == []
    sheets = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]
    assert [
        found for sheet in sheets for found in re.findall(r"(?:url\(|@import )[\"']?(?:https?:)?//[^)]*", sheet)
    ] == []


def text_of(pages, name):
    return next(page for path, page in pages.items() if path.as_posix().endswith(f"/{name}.html")).get_text(" ")


def test_every_name_of_the_public_face_is_in_the_reference(pages):
    api = next(page for path, page in pages.items() if path.name == "api.html")
    assert [name for name in cxsim.__all__ if api.find(id=f"cxsim.{name}") is None] == []


def test_every_key_of_every_yaml_file_is_in_the_reference(pages):
    shown = set(re.findall(r"[\w-]+", text_of(pages, "reference/yaml")))
    schema = json.loads((ROOT / "params" / "schema.json").read_text(encoding="utf-8"))
    shapes = [shape for top in schema.values() for shape in (top, *top.get("$defs", {}).values())]
    assert {key for shape in shapes for key in shape.get("properties", {})} - {"name"} - shown == set()


def every_command(command, name="cxsim"):
    """A command's name, and those of the commands below it."""
    yield name
    for word, inside in getattr(command, "commands", {}).items():
        yield from every_command(inside, f"{name} {word}")


def test_every_command_is_in_the_reference(pages):
    page = next(page for path, page in pages.items() if path.name == "cli.html")
    headings = {one.find(string=True) for one in page.find_all(["h1", "h2", "h3"])}
    assert set(every_command(get_command(app))) - {"cxsim"} - headings == set()


def test_every_metric_and_every_format_is_in_the_reference(pages):
    metrics = next(page for path, page in pages.items() if path.as_posix().endswith("reference/metrics.html"))
    assert set(load_metrics()) - {code.get_text() for code in metrics.find_all("code")} == set()
    formats = text_of(pages, "reference/formats")
    assert [path.name for path in (ROOT / "params" / "formats").glob("*.yaml") if path.name not in formats] == []


def test_every_figure_is_in_the_gallery_with_its_drawing(pages):
    page = next(page for path, page in pages.items() if path.name == "gallery.html")
    drawn = [
        name for name in reporting.__all__ if "Figure" in str(getattr(reporting, name).__annotations__.get("return"))
    ]
    assert len(drawn) >= 26
    for name in drawn:
        section = page.find(id=f"figure-{name.replace('_', '-')}") or page.find(id=f"figure-{name}")
        assert section.find_parent("section").find("svg") or section.find("svg"), name


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_search_finds_a_page_from_a_folder_without_a_server(site, tmp_path):
    with browser(tmp_path / "profile") as tab:
        # The browser answers once it is on the new page, which a page that leads on by itself does not wait for.
        tab.call("Page.navigate", url=f"{(site / 'search.html').as_uri()}?q=gross+margin")
        tab.wait_for("document.querySelectorAll('#search-results li').length > 0")
        found = str(tab.evaluate("document.querySelector('#search-results').innerText"))
        requests = [one["request"]["url"] for one in tab.reported("Network.requestWillBeSent")]
    assert "Use your own margin" in found
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []


MIGRATING = (ROOT / "docs" / "migrating-from-lifetimes.md").read_text(encoding="utf-8")


def public_names():
    """Yield each public function and class of lifetimes, and each public method where it is defined.

    From its text: a part of it imports what newer Pythons no longer have.
    """
    (folder,) = _library().__path__
    for file in Path(folder).rglob("*.py"):
        for one in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(one, ast.FunctionDef | ast.ClassDef) and not one.name.startswith("_"):
                yield one.name
                inside = one.body if isinstance(one, ast.ClassDef) else ()
                methods = (each.name for each in inside if isinstance(each, ast.FunctionDef))
                yield from (f"{one.name}.{method}" for method in methods if not method.startswith("_"))


def test_every_public_name_of_lifetimes_has_its_place_on_the_page_for_those_who_come_from_it():
    names = list(public_names())
    # The walk has seen every part of the library.
    assert {"BetaGeoFitter.fit", "plot_history_alive", "load_donations", "ConvergenceError", "pareto_nbd_model"} <= set(
        names
    )
    assert [name for name in names if f"`{name}`" not in MIGRATING] == []


def test_every_name_of_cxsim_on_that_page_exists():
    mentioned = set(re.findall(r"\bcxsim((?:\.[a-zA-Z_]+)+)", MIGRATING))
    assert len(mentioned) > 20
    for path in mentioned:
        functools.reduce(_step, path[1:].split("."), importlib.import_module("cxsim"))
    commands = set(re.findall(r"`cxsim ([a-z][a-z-]*)", MIGRATING))
    assert commands
    assert commands <= set(get_command(app).commands)


def _step(place, name):
    """Return what stands under a name, a module of a package among them."""
    try:
        return getattr(place, name)
    except AttributeError:
        return importlib.import_module(f"{place.__name__}.{name}")
