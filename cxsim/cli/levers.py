"""Words to search for in; the catalogue of levers as a table, one lever in full, JSON or a page of docs, out."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping
from textwrap import fill
from typing import TYPE_CHECKING, Annotated

from typer import Argument, BadParameter, Context, Option, Typer

from cxsim.cli.printing import AsJson, console, finish, grid, print_line, print_parts, print_text
from cxsim.errors import ParamError, choices

if TYPE_CHECKING:
    from cxsim.params import Source
    from cxsim.strategies.levers import Lever, Prior

levers_app = Typer(help="The catalogue of levers: what each affects, what it costs and what evidence there is.")

_SIGNS = {"gain": "+", "harm": "−", "both": "±"}


def moves(lever: Lever) -> list[str]:
    """Return what a lever moves, each with its sign."""
    return [f"{_SIGNS[direction]} {_words(pathway)}" for pathway, direction in lever.pathways.items()]


def brief(prior: Prior) -> str:
    """Return a prior in a few signs: purchase rate ×1.02 (0.99 to 1.05)."""
    times = "×" if prior.unit == "ratio" else ""
    return f"{_words(prior.effect)} {times}{_number(prior.value)} ({_range(prior)})"


def spelt_out(prior: Prior) -> str:
    """Return a prior with unit, range, evidence and note."""
    origin = prior.evidence if prior.source is None else f"{prior.evidence} ({prior.source})"
    reach = "within" if prior.reaches_no_effect else "outside"
    return (
        f"{_words(prior.effect)}: {prior.unit} {_number(prior.value)}, 90 % range {_range(prior)}, "
        f"no effect is {reach} it; {origin}. {prior.note}"
    )


def reference(source: Source) -> str:
    """Return a source as a reference, with its grade and what it measured."""
    end = "" if source.title.endswith(("?", "!")) else "."
    return (
        f"{source.authors} ({source.year}). {source.title}{end} {source.where}. Grade {source.grade}. {source.measured}"
    )


def _words(name: str) -> str:
    return name.replace("_", " ")


def _number(number: float) -> str:
    return f"{number:g}".replace("-", "−")


def _range(prior: Prior) -> str:
    return " to ".join(map(_number, prior.range))


def _priors(lever: Lever, write: Callable[[Prior], str], none: str = "{}") -> list[str]:
    """Return the priors of a lever, or what is said where it has none."""
    return [write(prior) for prior in lever.priors] or [none.format(lever.prior)]


def _costs(lever: Lever) -> str:
    return ", ".join(map(_words, lever.cost_shape))


@levers_app.callback(invoke_without_command=True)
def listed(
    context: Context,
    words: Annotated[str, Option("--search", metavar="WORD", help="Words in name or description.")] = "",
    pathway: Annotated[str | None, Option(help="What it affects, such as dropout.")] = None,
    _: AsJson = False,
    write_docs: Annotated[bool, Option("--write-docs", help="Rebuild docs/levers.md instead.")] = False,
) -> None:
    """List the levers of customer experience; `cxsim levers show L18` shows one in full."""
    from cxsim.strategies.levers import load_levers, search

    if context.invoked_subcommand is not None:
        if words or pathway or write_docs:
            raise BadParameter(f"options of the list do not apply to '{context.invoked_subcommand}'.")
        return
    if write_docs:
        print_line(f"Written: {_write_page()}")
        return
    found = search(load_levers(), words, pathway)
    if found:
        _print_list(found)
    else:
        asked = (words and f"'{words}'", pathway and f"the pathway '{pathway}'")
        print_line(f"No lever has {' and '.join(filter(None, asked))}.")
    then = f"cxsim levers show {next(iter(found))}" if found else "cxsim levers"
    finish([_content(identifier, lever) for identifier, lever in found.items()], then)


@levers_app.command()
def show(
    identifier: Annotated[str, Argument(metavar="LEVER", help="Its number, such as L18.")],
    _: AsJson = False,
) -> None:
    """Show one lever in full: evidence, assumed effect, risks, and how to use it in a scenario."""
    from cxsim.params import sources
    from cxsim.strategies.levers import load_levers

    levers = load_levers()
    wanted = identifier.upper()
    if wanted not in levers:
        raise ParamError(f"no lever '{identifier}'; {choices(wanted, levers, all_in='`cxsim levers`')}")
    lever, known = levers[wanted], sources()
    cited = {source: known[source] for source in lever.evidence}
    _print_lever(wanted, lever, cited)
    evidence = [{"id": source, **dataclasses.asdict(entry)} for source, entry in cited.items()]
    ready = f"cxsim where {lever.strategies[0]}" if lever.strategies else ""
    finish(_content(wanted, lever) | {"evidence": evidence}, ready)


def _content(identifier: str, lever: Lever) -> dict[str, object]:
    return {"id": identifier, **dataclasses.asdict(lever)}


def _print_list(levers: Mapping[str, Lever]) -> None:
    # The widest words of what is moved and of a prior stay whole on a terminal of eighty columns.
    widths = {"": 3, "lever → ready strategy": 16, "affects": 17, "grade": 5, "prior": 20}
    console().print(
        grid(
            widths,
            (
                (
                    *(identifier, "\n".join([lever.name, *map(_broken, lever.strategies)])),
                    *("\n".join(moves(lever)), lever.grade, "\n".join(_priors(lever, brief))),
                )
                for identifier, lever in levers.items()
            ),
            widths=widths,
        )
    )
    print_text("+ gain to the shop, − harm, ± either; × ratio with to without; grade A best, E no evidence.")
    print_text(f"Details: cxsim levers show {next(iter(levers))}")


def _broken(strategy: str) -> str:
    """Return the name of a ready strategy, which is long, broken at its hyphens."""
    return fill(f"→ {strategy}", 19, subsequent_indent="  ")


def _print_lever(identifier: str, lever: Lever, cited: Mapping[str, Source]) -> None:
    print_parts(
        f"{identifier} {lever.name}",
        lever.description,
        {
            "Also called": [", ".join(lever.also)],
            "Affects": moves(lever),
            "Costs": [_costs(lever)],
            f"Evidence, grade {lever.grade}": [lever.verdict],
            "Sources": [f"{key}: {reference(source)}" for key, source in cited.items()] or ["none found"],
            "Prior": _priors(lever, spelt_out, "{}: the evidence supports no number."),
            "Risks": [lever.harms],
            "Founding guides": [", ".join(lever.guides)],
            "In a scenario": _use(lever),
        },
    )


def _use(lever: Lever) -> list[str]:
    if not lever.strategies:
        return [
            "No ready strategy uses it yet. Copy the closest one under params/strategies, set its effects and costs",
            "and name the copy in a scenario under strategies.",
        ]
    from cxsim.strategies.strategy import load_strategy

    files = ", ".join(f"params/strategies/{name}.yaml" for name in lever.strategies)
    first = load_strategy(lever.strategies[0])
    shop = ["economics: cdnow"]
    if first.needs_behaviour:
        shop = ["economics: cdnow-service  # includes the cost of a ticket and a return", "behaviour: online-shop"]
    if first.mode == "break-even":
        files += " (break-even only: no return)"
    return [
        f"Used by {files}. In a file under params/scenarios:",
        "",
        *shop,
        "strategies:",
        f"  - {lever.strategies[0]}",
    ]


_OPENING = """\
<!-- Written by `cxsim levers --write-docs` from params/levers.yaml and params/sources.yaml; edit those. -->

# Levers of customer experience

What a shop can do for its customers: what each lever affects, the evidence for its financial effect, and its risks.
`cxsim levers` lists the same in a terminal; `cxsim levers show L18` shows one lever.

- **Affects**: + is a gain to the shop, − a harm, ± either.
- **Grade**: the best evidence for this lever's financial effect. A: several experiments or a meta-analysis; B: one
  strong experiment or natural experiment; C: observational with controls; D: survey or vendor; E: none found.
- **Prior**: the assumption until the shop has its own measurement, with a 90 % range; × is a ratio to no change. Most
  ranges include "no effect", because much of the evidence shows none, or harm. *Break-even only* means that the
  evidence supports no number: ask how large the effect must be, not how large it is.
- Most studies cover one company, many of them banks, telecom companies, hotels and grocers. Effects do not add up: with
  more than three levers at once, expect less than the sum of their priors.
"""


def _write_page() -> str:
    """Write docs/levers.md anew; return its path as messages show it."""
    from cxsim.library import root, shown
    from cxsim.params import sources
    from cxsim.strategies.levers import load_levers

    file = root() / "docs" / "levers.md"
    try:
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(page(load_levers(), sources()).encode())
    except OSError as cause:
        raise ParamError(f"{shown(file)}: cannot be written ({cause.strerror}).") from cause
    return shown(file)


def page(levers: Mapping[str, Lever], known: Mapping[str, Source]) -> str:
    """Return the page as Markdown."""
    from cxsim.strategies.levers import PATHWAYS, grouped

    lines = [_OPENING, "| pathway | meaning |", "| --- | --- |"]
    lines += [f"| {_words(name)} | {meaning} |" for name, meaning in PATHWAYS.items()]
    for heading, inside in grouped(levers).items():
        lines += ["", f"## {heading}", ""]
        lines += ["| | lever | affects | grade | prior | ready strategy |", "| --- | --- | --- | :-: | --- | --- |"]
        lines += itertools.starmap(_row, inside.items())
        for identifier, lever in inside.items():
            lines += _section(identifier, lever)
    cited = {source for lever in levers.values() for source in lever.evidence}
    lines += ["", "## Sources", ""]
    lines += [f'- <a id="{key}"></a>**{key}** {reference(known[key])}' for key in sorted(cited)]
    return "\n".join([*lines, ""])


def _row(identifier: str, lever: Lever) -> str:
    ready = ", ".join(f"`{name}`" for name in lever.strategies) or "–"
    prior = "<br>".join(_priors(lever, brief))
    return f"| {identifier} | {lever.name} | {', '.join(moves(lever))} | {lever.grade} | {prior} | {ready} |"


def _section(identifier: str, lever: Lever) -> list[str]:
    links = ", ".join(f"[{source}](#{source})" for source in lever.evidence) or "none found"
    return [
        *("", f"### {identifier} {lever.name}", "", lever.description, ""),
        f"- **Also called**: {', '.join(lever.also)}",
        f"- **Costs**: {_costs(lever)}",
        f"- **Evidence, grade {lever.grade}**: {lever.verdict} Sources: {links}.",
        *_priors(lever, lambda prior: f"- **Prior**, {spelt_out(prior)}", "- **Prior**: {}"),
        f"- **Risks**: {lever.harms}",
    ]
