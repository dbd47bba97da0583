"""What README and docs give readers to type runs as it stands, and prints what they say."""

from __future__ import annotations

import re
import textwrap

import pytest

from checks.source import ROOT
from cxsim.finance.economics import Economics
from cxsim.params import Quantity, Source, entries, read

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


# The file that a block belongs to, and its content without the indentation of a list.
YAML = re.compile(r"^ *```yaml\n *# (params/[^\s,]+)[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
OWN_NUMBERS = YAML.findall((ROOT / "docs" / "own-numbers.md").read_text(encoding="utf-8"))


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
