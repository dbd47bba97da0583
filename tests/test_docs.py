"""What README and docs give readers to type runs as it stands, and prints what they say."""

from __future__ import annotations

import re

import pytest

from checks.source import ROOT

# Python, and the output printed under it, if a block without a language follows at once.
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```\n(.*?)^```)?", re.MULTILINE | re.DOTALL)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BESIDE = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
TARGET = re.compile(r"(?:^|`)make ([a-z-]+)", re.MULTILINE)
EXAMPLES = {path: found for path in PAGES if (found := BLOCK.findall(path.read_text(encoding="utf-8")))}


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
