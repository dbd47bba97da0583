"""What README and docs give readers to type runs as it stands, and prints what they say."""

from __future__ import annotations

import re

import pytest

from checks.source import ROOT

# Python, and the output printed under it, if a block without a language follows at once.
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```\n(.*?)^```)?", re.MULTILINE | re.DOTALL)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLES = {path: found for path in PAGES if (found := BLOCK.findall(path.read_text(encoding="utf-8")))}


@pytest.mark.parametrize("page", EXAMPLES, ids=lambda path: path.name)
def test_the_python_of_a_page_runs_and_prints_what_stands_under_it(page, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    for code, printed in EXAMPLES[page]:
        exec(compile(code, page.name, "exec"), {})  # noqa: S102 - our own text
        shown = capsys.readouterr().out
        assert not printed or shown == printed


def test_there_is_python_in_readme_and_docs():
    assert sum(map(len, EXAMPLES.values())) >= 4
