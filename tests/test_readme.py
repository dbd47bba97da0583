"""What the README tells newcomers to type runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=[block.split("\n", 1)[0] for block in BLOCKS])
def test_the_python_of_the_readme_runs(block):
    names = {}
    exec(compile(block, "README.md", "exec"), names)  # noqa: S102 - our own text
    assert names["cxsim"].__name__ == "cxsim"


def test_there_is_python_in_the_readme():
    assert len(BLOCKS) >= 2
