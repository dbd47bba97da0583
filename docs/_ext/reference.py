"""Marks such as `<!-- made: metrics -->` in a page in; what the package and params/ say today, as Markdown, out.

Nothing that is made here is kept: a new metric, key, command or name of `cxsim` is in the next build.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import yaml
from numpydoc.docscrape import NumpyDocString
from sphinx.application import Sphinx
from typer.main import get_command

import cxsim
from checks.source import ROOT
from cxsim.cli import app as command_line
from cxsim.metrics.catalogue import load_metrics

MARK = re.compile(r"<!-- made: (\w+)((?: [\w-]+)*) -->")
# What the help of an option ends with.
_NOTES = re.compile(r"\s*\[([^\]]*)\]$")
# A target of raw HTML, which the hosting's view needs, as MyST writes it, for which alone a link is checked.
_ANCHOR = re.compile(r'<a id="([\w-]+)"></a>')
_GROUPS = {
    "data": "Orders and exports",
    "clv": "Models of customers",
    "strategies": "Strategies",
    "study": "Scenarios, studies and business cases",
    "metrics": "Metrics",
    "reporting": "Reports and figures",
}
_FILES = {
    "scenarios": "a file in `params/scenarios`: what a study asks",
    "strategies": "a file in `params/strategies`: a programme",
    "economics": "a file in `params/economics`: what an order earns and costs, and how the shop decides",
    "behaviour": "a file in `params/behaviour`: service, surveys, returns, visits, seasons",
    "valuations": "a file in `params/valuations`: what customers are worth",
    "shops": "a file in `params/shops`: a simulated shop",
    "formats": "a file in `params/formats`: a kind of export",
    "metrics": "an entry of `params/metrics.yaml`",
    "levers": "an entry of `params/levers.yaml`",
}
_TYPES = {"string": "text", "integer": "whole number", "boolean": "true or false", "object": "mapping"}
Makers = dict[str, Callable[..., str]]


def setup(app: Sphinx) -> dict[str, bool]:
    """Fill the marks of every page as it is read, and leave signatures of classes out."""
    app.connect("source-read", _filled)
    app.connect("autodoc-process-signature", _signature)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _filled(app: Sphinx, docname: str, content: list[str]) -> None:
    def made(mark: re.Match[str]) -> str:
        # Files of params/ and notebooks are no pages: what is made of them is made at every build.
        app.env.reread_always.add(docname)
        return MAKERS[mark[1]](*mark[2].split())

    content[0] = _ANCHOR.sub(r"[]{#\1}", MARK.sub(made, content[0]))


def _signature(
    _app: Sphinx, what: str, _name: str, _obj: object, _options: object, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Leave out what nobody types: results and settings are made by functions and by files."""
    return ("", None) if what == "class" else (signature, returns)


def api() -> str:
    """Return every name of `cxsim`, by the package that it comes from, with its docstring."""
    names = sorted(cxsim.__all__, key=lambda name: (list(_GROUPS).index(_package(name)), name.lower()))
    lines = []
    for package, inside in groupby(names, _package):
        lines += [f"## {_GROUPS[package]}", ""]
        for name in inside:
            kind = "autoclass" if inspect.isclass(getattr(cxsim, name)) else "autofunction"
            members = "\n:members:" if kind == "autoclass" else ""
            lines += [
                f"### {name}",
                "",
                f"```{{eval-rst}}\n.. {kind}:: cxsim.{name}{members}".replace("\n:m", "\n   :m"),
            ]
            lines += ["```", ""]
    return "\n".join(lines)


def _package(name: str) -> str:
    return str(getattr(cxsim, name).__module__).split(".")[1]


def commands() -> str:
    """Return every command of `cxsim` with its arguments and options."""
    return "\n".join(_commands("cxsim", get_command(command_line)))


def _commands(name: str, command: Any) -> Iterator[str]:
    hidden = getattr(command, "hidden", False)
    inside = getattr(command, "commands", {})
    if " " in name and not hidden:
        yield from _command(name, command)
    for word in sorted(inside):
        yield from _commands(f"{name} {word}", inside[word])


def _command(name: str, command: Any) -> Iterator[str]:
    context = command.make_context(name, [], resilient_parsing=True)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    records = [one.get_help_record(context) for one in command.params]
    rows = [_parameter(*record) for record in records if record is not None]
    yield from (f"## {name}", "", _prose(command.help or ""), "", "```text", usage, "```", "")
    if rows := [row for row in rows if "--help" not in row[0]]:
        yield from (_table(("", "meaning", "default"), rows), "")


def _parameter(names: str, meaning: str) -> tuple[str, str, str]:
    notes = _NOTES.search(meaning)
    default = "" if notes is None else notes[1].removeprefix("default: ")
    shown = names.replace("<str>", "<text>") if names.startswith("-") else names.split(maxsplit=1)[0]
    code = f"`{shown}`".replace("|", "\\|")
    return code, _prose(_NOTES.sub("", meaning)), default if default in ("", "required") else f"`{default}`"


def keys() -> str:
    """Return every key of every kind of YAML file, from params/schema.json."""
    schema = json.loads((ROOT / "params" / "schema.json").read_text(encoding="utf-8"))
    lines = []
    for kind, top in sorted(schema.items(), key=lambda item: [*_FILES, item[0]].index(item[0])):
        lines += [f"## {kind}", "", f"Keys of {_FILES.get(kind, 'a file')}.", ""]
        parts = top.get("$defs", {})
        shared = [name for name in parts if name not in ("Quantity", "Unit") or kind == "scenarios"]
        shapes = {"": top} | {name: parts[name] for name in sorted(shared)}
        for name, shape in shapes.items():
            lines += _shape(kind, name, shape)
    return "\n".join(lines)


def _shape(kind: str, name: str, shape: dict[str, Any]) -> Iterator[str]:
    """Yield the table of the keys of one mapping, or the values of a closed list."""
    if name:
        yield from (f"({kind}-{name.lower()})=", "", f"### {kind}: {name}", "")
    if "enum" in shape:
        yield from (f"One of {_listed(shape['enum'])}.", "")
    if not (properties := shape.get("properties")):
        return
    parsed = NumpyDocString(shape.get("description", ""))
    said = {
        one.strip(): " ".join(given.desc)
        for given in (*parsed["Attributes"], *parsed["Parameters"])
        for one in given.name.split(",")
    }
    if name:
        yield from (_prose(" ".join(parsed["Summary"])), "", _prose(" ".join(parsed["Extended Summary"])), "")
    # The name is that of the file.
    rows = [
        (f"`{key}`", _kind(kind, inside), _default(key, inside, shape), _prose(said.get(key, "")))
        for key, inside in sorted(properties.items(), key=lambda item: [*said, item[0]].index(item[0]))
        if key != "name" or "title" not in properties
    ]
    yield from (_table(("key", "value", "if left out", "meaning"), rows), "")


def _default(key: str, inside: dict[str, Any], shape: dict[str, Any]) -> str:
    if key in shape.get("required", ()):
        return "required"
    default = inside.get("default")
    return "nothing" if default in (None, "", [], {}) else f"`{json.dumps(default)}`"


def _kind(file: str, inside: dict[str, Any]) -> str:
    """Return what a key may hold, in words."""
    words = "anything"
    match inside:
        case {"$ref": place}:
            name = str(place).rsplit("/", 1)[-1]
            words = f"[{name}](#{'scenarios' if name in ('Quantity', 'Unit') else file}-{name.lower()})"
        case {"enum": values}:
            words = f"one of {_listed(values)}"
        case {"const": value}:
            words = f"`{value}`"
        case {"anyOf": options} | {"oneOf": options}:
            kinds = dict.fromkeys(_kind(file, one) for one in options if one.get("type") != "null")
            words = (" or " if len(kinds) < 3 else ", ").join(kinds)
        case {"type": "array", "prefixItems": parts}:
            words = f"[{', '.join(_kind(file, one) for one in parts)}]"
        case {"type": "array", "items": items}:
            words = f"list of {_kind(file, items)}"
        case {"type": "object", "additionalProperties": dict(items)}:
            words = f"mapping to {_kind(file, items)}"
        case {"format": "date"}:
            words = "date"
        case {"type": kind}:
            words = _TYPES.get(kind, str(kind))
    return words


def metrics() -> str:
    """Return every metric of params/metrics.yaml by family, with its definition and pitfalls."""
    lines = []
    for family, inside in groupby(load_metrics().items(), lambda item: item[1].family):
        lines += [f"## {family}", ""]
        for name, metric in inside:
            parts = {
                "Numerator": metric.numerator,
                "Denominator": metric.denominator,
                "Period": metric.window,
                "Unit and scale": f"{metric.unit}; {metric.scale}",
                "Better": metric.direction,
                "Interval": metric.interval,
                "Pitfalls": metric.pitfalls,
                "Also used": metric.variant,
                "Needs": ", ".join(f"`{need}`" for need in metric.needs),
            }
            lines += [f"({name})=", "", f"### {metric.title}", "", f"`{name}`. {_prose(metric.definition)}", ""]
            lines += [*(f"- **{head}**: {_prose(text)}" for head, text in parts.items()), ""]
    return "\n".join(lines)


def formats() -> str:
    """Return every kind of export of params/formats: how it is recognised, what it fills, what it lacks."""
    lines = []
    for path in sorted((ROOT / "params" / "formats").glob("*.yaml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        fills = "nothing" if content["table"] == "none" else f"`{content['table']}`"
        parts = {
            "Provides": f"{fills}. {content.get('reason', '')}".strip(),
            "Recognised by": ", ".join(f"`{name}`" for name in content.get("required", ())),
            "Documented at": "<{address}>, read on {seen}".format(**content["source"]) if "source" in content else "",
        } | {f"Lacks `{place}`": why for place, why in content.get("lacks", {}).items()}
        lines += [f"## {content['title'][0].upper()}{content['title'][1:]}", "", f"`params/formats/{path.name}`", ""]
        lines += [*(f"- **{head}**: {text}" for head, text in parts.items() if text), ""]
        if columns := content.get("columns"):
            rows = [
                (f"`{ours}`", _listed([theirs] if isinstance(theirs, str) else theirs))
                for ours, theirs in columns.items()
            ]
            lines += [":::{dropdown} Columns", _table(("column of cxsim", "column of the file"), rows), ":::", ""]
    return "\n".join(lines)


def changelog() -> str:
    """Return CHANGELOG.md below its title, its links relative to docs/."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    return text.split("\n", 1)[1].replace("](docs/", "](")


def guides(*first: str) -> str:
    """Return the contents of docs/how-to: some pages first, of that folder or the one above; then all others."""
    folder = ROOT / "docs" / "how-to"
    there = {path.stem: path.stem for path in sorted(folder.glob("*.md")) if path.stem != "index"}
    above = {path.stem: f"/{path.stem}" for path in folder.parent.glob("*.md") if path.stem in first}
    places = dict.fromkeys([*(name for name in first if name in there | above), *there])
    return "\n".join(["```{toctree}", ":maxdepth: 1", "", *((there | above)[name] for name in places), "```"])


def _listed(values: Iterable[object]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def _prose(text: str) -> str:
    """Return a text as Markdown on one line: doubled backticks of docstrings become single ones."""
    return re.sub(r"\s+", " ", text.replace("\b", "")).strip().replace("``", "`").replace("|", "\\|")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


MAKERS: Makers = {maker.__name__: maker for maker in (api, commands, keys, metrics, formats, guides, changelog)}
