"""Titles of strategies with their decisions in; the sentence that a reader in a hurry takes away, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cxsim.wording import counted, joined

_VERDICTS: Mapping[str, str] = {
    "fund": "worth funding now",
    "pilot": "worth a pilot first",
    "reject": "not worth funding",
}


def lead(verdicts: Sequence[tuple[str, str]]) -> str:
    """Return the sentence that a reader in a hurry takes away."""
    groups = {words: [title for title, other in verdicts if other == decision] for decision, words in _VERDICTS.items()}
    parts = [(words, titles) for words, titles in groups.items() if titles]
    if len(verdicts) == 1:
        return f"{verdicts[0][0]} is {parts[0][0]}."
    if len(parts) == 1:
        return _unanimous(len(verdicts), verdicts[0][1])
    told = [f"{counted(len(titles))} {_is(titles)} {words} ({joined(titles)})" for words, titles in parts]
    return f"Of {counted(len(verdicts))} strategies, {joined(told)}."


def _unanimous(count: int, decision: str) -> str:
    if decision == "reject":
        nobody = "Neither strategy" if count == 2 else f"None of the {counted(count)} strategies"
        return f"{nobody} is worth funding."
    everybody = "Both" if count == 2 else f"All {counted(count)}"
    return f"{everybody} strategies are {_VERDICTS[decision]}."


def _is(titles: list[str]) -> str:
    return "is" if len(titles) == 1 else "are"
