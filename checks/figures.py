"""Texts for readers in; those with a figure that nobody computed out."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from checks.source import modules

# Digits, and words that can claim a result.
FIGURE = re.compile(
    r"\d+(?:[.,]\d+)*|\b(?:half|(?:an?|one|two|three|four|nine) (?:third|quarter|fifth|sixth|eighth|tenth|hundredth)s?"
    r"|\w+ (?:in|of) (?:ten|twenty|an? hundred|hundred|an? thousand)|twice (?:as|the)|double[sd]?|percent|per cent"
    r"|(?:two|three|four|five|six|seven|eight|nine|ten) times (?:as|the|more))\b",
    re.IGNORECASE,
)
# Taken out of a text before figures are looked for, each with the reason why it may stand there typed.
ALLOWED: dict[str, str] = {
    # Names, and what is typed.
    r"\bU\+\{:04X\}": "how a sign that nobody sees is named",
    r"\b(?:IFRS 15|ASC 606|ISO \d{4}|UTF-8|UTF-16|(?:CHEERS|Standards) 2022|BMJ 376)\b|e067975": "name",
    r"\bet al\. \(\d{4}\)|\bCM[123]\b|\b[Mm]argin [123]\b|\bL\d\d\b": "name of a publication, a margin, a lever",
    r"\b9 or 10, passives 7 or 8, detractors 6 or less\b": "groups of a survey",
    r"\b9 or 10, 7 or 8\b|\{\}100 to 100|\bfrom [01] to (?:5|7|10)\b(?:, where 7)?": "scale of a survey",
    r"`[^`]*`|--\w[\w-]*|\bsuch as [^;)]+|\(1\.0e\+3\)|^2024-03-01, .* since 1970$": "an example",
    r"\b(?:early|mid|end of June|end of September) 199[78]\b": "when the bundled log was kept",
    # Of the method: the same for every shop.
    r"\b(?:50, 80 and )?(?:50|80|90|95|98)(?:\{\}| )?%(?: (?:interval|plausible|range|confidence|one)|\))": "level",
    r"\b90(?:\{\}| )?% of draws\b": "the same level",
    r"\b(?:5|90|95)(?:\{\}| )?% probability\b": "the same level",
    r"\b90(?:\{\}| )?% of (?:similar )?customers\b": "from when on a customer is overdue",
    r"\b(?:one|eight|nine|nineteen) (?:chances? |draws? )?(?:in|of) (?:ten|twenty)\b": "the same level in words",
    r"\bat least half of the quarters\b": "when a model fails the check",
    r"\bhalf of (?:the draws|the next orders|all orders)\b|\bat one half\b": "a median",
    r"\btwo half normals\b|\bhalf forget\b|\bby half\b|\bhalf-life\b": "a form of spread; a half-life",
    r"\bten per cent (?:less|more)\b": "how a ratio is read",
    r"(?<![\d.,])[01](?!\d|[.,]\d)(?!(?:\{\}| )?%)": "bound or neutral point: nothing, no effect, no difference",
    r"\b100(?:\{\}| )?%": "the whole",
    # Filled in.
    r"\{\d\}|\{\} times as\b": "computed",
}
# Whole texts that no reader reads.
UNREAD: dict[str, str] = {
    r"\bdatum\.|\bfunction ?\(|\?'|~[gsr]\b": "an expression that the browser works out",
    r"[{;][\w .#:>-]+:[^ ].*[;}]|=\"|\(\?|\\d|\[\^": "a style, a mark or a pattern",
}
# Of a file of parameters: keys whose texts readers meet.
READ_KEYS = ("title", "description", "name", "verdict", "note", "harms", "owner")


def problems(root: Path) -> list[str]:
    """Return the texts for readers with a figure that nobody computed."""
    return [f"{place}: '{found}' is typed: {text}" for place, text in texts(root) if (found := figure(text))]


def texts(root: Path) -> list[tuple[str, str]]:
    """Return all texts for readers, each with its place."""
    found = [*_of_code(root), *_of_templates(root), *_of_notebooks(root), *_of_params(root)]
    return [(place, " ".join(text.split())) for place, text in found]


def figure(text: str) -> str:
    """Return the first figure in a text that may not stand there; "" where there is none."""
    if any(re.search(pattern, text) for pattern in UNREAD):
        return ""
    for pattern in ALLOWED:
        text = re.sub(pattern, " ", text, flags=re.IGNORECASE)
    found = FIGURE.search(text)
    return found.group() if found else ""


def _of_code(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the sentences of the package; what is computed in one is written {}."""
    for module in modules(root, "cxsim"):
        silent = set(_silent(module.tree))
        for node in ast.walk(module.tree):
            if id(node) not in silent and (text := _sentence(node)):
                yield f"{module.place}:{node.lineno}", text  # type: ignore[attr-defined]


def _silent(tree: ast.Module) -> Iterator[int]:
    """Yield the parts of a module that no reader of a result meets: remarks, refusals, and parts of other texts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield id(node.value)
        # A refusal says what is possible, and claims no result.
        if isinstance(node, ast.Raise | ast.JoinedStr):
            yield from (id(part) for part in ast.walk(node) if part is not node)


def _sentence(node: ast.AST) -> str:
    """Return the text of a node, if it is one of several words."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = node.value
    elif isinstance(node, ast.JoinedStr):
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    else:
        return ""
    return text if len(re.findall(r"[A-Za-z]{2,}", text)) > 1 and " " in text.strip() else ""


def _of_templates(root: Path) -> Iterator[tuple[str, str]]:
    for path in sorted((root / "cxsim").rglob("*.j2")):
        text = re.sub(
            r"<(style|script)\b.*?</\1>|\{[%#].*?[%#]\}|<[^>]*>", " ", path.read_text("utf-8"), flags=re.DOTALL
        )
        text = re.sub(r"\{\{.*?\}\}", "{}", text, flags=re.DOTALL)
        for line in text.splitlines():
            yield path.relative_to(root).as_posix(), line


def _of_notebooks(root: Path) -> Iterator[tuple[str, str]]:
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "markdown":
                for line in "".join(cell["source"]).splitlines():
                    yield path.relative_to(root).as_posix(), line


def _of_params(root: Path) -> Iterator[tuple[str, str]]:
    for path in sorted((root / "params").rglob("*.yaml")):
        if path.parent.name != "formats" and path.stem not in ("sources", "metrics"):
            for key, text in _texts(yaml.safe_load(path.read_text(encoding="utf-8"))):
                yield f"{path.relative_to(root).as_posix()}: {key}", text


def _texts(holder: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the texts that claim something in their own name; what a named source found is evidence."""
    if isinstance(holder, dict):
        cited = holder.get("source") or isinstance(holder.get("evidence"), list)
        for key, value in holder.items():
            if isinstance(value, str) and key in READ_KEYS and not cited:
                yield f"{path}{key}", value
            else:
                yield from _texts(value, f"{path}{key}.")
    elif isinstance(holder, list):
        for place, value in enumerate(holder):
            yield from _texts(value, f"{path}{place}.")
