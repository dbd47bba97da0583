"""Words typed for a search of break-even or for a shop's tables in; readable tables, JSON or Parquet files out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxsim.cli.progress import counting, waiting
from cxsim.cli.terminal import console, plain

if TYPE_CHECKING:
    import polars as pl

    from cxsim.scenario import Scenario
    from cxsim.study.playing import Progress

ScenarioName = Annotated[str, typer.Argument(metavar="SCENARIO", help="Name under params/scenarios, or a YAML file.")]


def break_even(
    scenario: ScenarioName,
    strategy: Annotated[str | None, typer.Option(help="One of its strategies; else all with mode: break-even.")] = None,
    searches: Annotated[
        str | None, typer.Option(help="The number to search, such as effects.dropout_1.ratio; else the strategy's own.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")] = False,
) -> None:
    """Say how large an effect must be for its strategy to pay; states no return."""
    from cxsim.cli.results import print_break_even, print_rows
    from cxsim.scenario import load_scenario

    if searches is not None and strategy is None:
        raise typer.BadParameter("it needs --strategy: whose number is searched?", param_hint="'--searches'")
    loaded = load_scenario(scenario)
    with counting("Searching") as progress:
        found = _found(loaded, strategy, searches, progress)
    if as_json:
        print_rows(found)
    else:
        print_break_even(found, loaded.economics.currency, loaded.title)


def tables(
    scenario: ScenarioName,
    out: Annotated[Path, typer.Option(help="Folder for orders.parquet, tickets.parquet and so on.")],
    arm: Annotated[str, typer.Option(help="baseline, a strategy or a combination.")] = "baseline",
    draw: Annotated[int, typer.Option(min=0, help="Number of the draw, from 0; models of leaving one by one.")] = 0,
) -> None:
    """Write what one draw would look like in a shop's own tables, as Parquet, without running the whole study."""
    from cxsim.cli.results import print_files
    from cxsim.scenario import load_scenario
    from cxsim.study import SHOP_FILES, require_writable, shop_tables

    loaded = load_scenario(scenario)
    require_writable(out, SHOP_FILES)
    with waiting("Playing one draw"):
        made = shop_tables(loaded, arm, draw=draw)
    written = made.save(out)
    print_files(made, f"{arm}, draw {draw}")
    console().print(plain(f"Written: {', '.join(path.name for path in written)} in {out}"), soft_wrap=True)


def _found(loaded: Scenario, strategy: str | None, searches: str | None, progress: Progress) -> pl.DataFrame:
    from cxsim.study import break_even as searched
    from cxsim.study import search

    if strategy is None:
        return search(loaded, progress=progress).break_even
    return searched(loaded, strategy, searches=searches, progress=progress)
