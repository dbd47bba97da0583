"""Words to search for in; the catalogue of levers as a table, one lever in full, JSON or a page of docs, out."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from cxsim.cli.lever_words import brief, moves, reference, spelt_out
from cxsim.cli.terminal import console, plain
from cxsim.errors import ParamError, choices

if TYPE_CHECKING:
    from cxsim.params import Source
    from cxsim.strategies import Lever

levers_app = typer.Typer(help="The catalogue of levers: what each moves, costs and is known to bring.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]


@levers_app.callback(invoke_without_command=True)
def listed(
    context: typer.Context,
    words: Annotated[str, typer.Option("--search", metavar="WORD", help="Words in name or description.")] = "",
    pathway: Annotated[str | None, typer.Option(help="What it moves, such as dropout.")] = None,
    as_json: AsJson = False,
    write_docs: Annotated[bool, typer.Option("--write-docs", help="Write docs/levers.md anew instead.")] = False,
) -> None:
    """List the levers of customer experience; `cxsim levers show L18` shows one in full."""
    from cxsim.cli.lever_page import write_page
    from cxsim.strategies import load_levers, search

    if context.invoked_subcommand is not None:
        if words or pathway or as_json or write_docs:
            raise typer.BadParameter(f"options of the list go with no '{context.invoked_subcommand}'.")
        return
    if write_docs:
        console().print(plain(f"Written: {write_page()}"), soft_wrap=True)
        return
    found = search(load_levers(), words, pathway)
    if as_json:
        _print_json([_content(identifier, lever) for identifier, lever in found.items()])
    elif found:
        _print_list(found)
    else:
        sought = [f"'{words}'"] if words else []
        sought += [f"the pathway '{pathway}'"] if pathway else []
        console().print(plain(f"No lever has {' and '.join(sought)}."), soft_wrap=True)


@levers_app.command()
def show(
    identifier: Annotated[str, typer.Argument(metavar="LEVER", help="Its number, such as L18.")],
    as_json: AsJson = False,
) -> None:
    """Show one lever in full: evidence, prior, harms, and how to play it in a scenario."""
    from cxsim.params import sources
    from cxsim.strategies import load_levers

    levers = load_levers()
    wanted = identifier.upper()
    if wanted not in levers:
        raise ParamError(f"no lever '{identifier}'; {choices(wanted, levers)}")
    lever, known = levers[wanted], sources()
    cited = {source: known[source] for source in lever.evidence}
    if as_json:
        evidence = [{"id": source, **dataclasses.asdict(entry)} for source, entry in cited.items()]
        _print_json(_content(wanted, lever) | {"evidence": evidence})
    else:
        _print_lever(wanted, lever, cited)


def _content(identifier: str, lever: Lever) -> dict[str, object]:
    return {"id": identifier, **dataclasses.asdict(lever)}


def _print_json(content: object) -> None:
    print(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False))  # noqa: T201 - the command's result


def _print_list(levers: Mapping[str, Lever]) -> None:
    table = Table()
    # The widest words of what is moved and of a prior stay whole on a terminal of eighty columns.
    for name, width in (("", 3), ("lever → ready strategy", 16), ("moves", 17), ("grade", 5), ("prior", 20)):
        table.add_column(name, min_width=width)
    for identifier, lever in levers.items():
        # Names of strategies are long; they are broken at their hyphens.
        ready = [line for name in lever.strategies for line in wrap(f"→ {name}", 19, subsequent_indent="  ")]
        table.add_row(
            identifier,
            plain("\n".join([lever.name, *ready])),
            "\n".join(moves(lever)),
            lever.grade,
            "\n".join(brief(prior) for prior in lever.priors) or plain(str(lever.prior)),
        )
    out = console()
    out.print(table)
    out.print(plain("+ gain to the shop, − harm, ± either; × with over without; grade A best, E none."))
    out.print(plain(f"One in full: cxsim levers show {next(iter(levers))}"))


def _print_lever(identifier: str, lever: Lever, cited: Mapping[str, Source]) -> None:
    parts = {
        "Also called": [", ".join(lever.also)],
        "Moves": moves(lever),
        "Costs": [", ".join(kind.replace("_", " ") for kind in lever.cost_shape)],
        f"Evidence, grade {lever.grade}": [lever.verdict],
        "Sources": [f"{key}: {reference(source)} {source.measured}" for key, source in cited.items()] or ["none found"],
        "Prior": [spelt_out(prior) for prior in lever.priors] or [f"{lever.prior}: no number can be defended."],
        "Harms": [lever.harms],
        "Founding guides": [", ".join(lever.guides)],
    }
    out = console()
    out.print(plain(f"{identifier} {lever.name}", style="bold"))
    out.print(plain(lever.description))
    for heading, lines in parts.items():
        out.print()
        out.print(plain(heading, style="bold"))
        for line in lines:
            out.print(plain(line))
    out.print()
    out.print(plain("In a scenario", style="bold"))
    for line in _use(lever):
        out.print(plain(line))


def _use(lever: Lever) -> list[str]:
    if not lever.strategies:
        return [
            "No ready strategy plays it yet. Copy the nearest one under params/strategies, write there what it changes",
            "and costs, and name the copy in a scenario under strategies.",
        ]
    from cxsim.strategies import load_strategy

    files = ", ".join(f"params/strategies/{name}.yaml" for name in lever.strategies)
    first = load_strategy(lever.strategies[0])
    shop = ["economics: cdnow"]
    if first.needs_behaviour:
        shop = ["economics: cdnow-service  # says what a ticket and a return cost", "behaviour: online-shop"]
    if first.mode == "break-even":
        files += " (which says how large the effect must be, and no return)"
    return [
        f"Played by {files}. In a file under params/scenarios:",
        "",
        *shop,
        "strategies:",
        f"  - {lever.strategies[0]}",
    ]
