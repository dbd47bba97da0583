"""A shop and a behaviour typed in a terminal in; a behaviour with the shop's own numbers, and what they are, out."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from cxsim.cli.progress import waiting
from cxsim.cli.terminal import console, plain
from cxsim.errors import ParamError

if TYPE_CHECKING:
    from cxsim.overview.calibration import Calibration

ShopName = Annotated[
    str, typer.Argument(metavar="DIR|SCENARIO", help="Folder or file of a shop's exports; or a scenario's name.")
]
NewName = Annotated[str, typer.Option(help="Name of the new behaviour: small letters, digits and hyphens.")]
LikeName = Annotated[str, typer.Option(help="Behaviour under params/behaviour whose numbers stand for the rest.")]
Until = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day of observation; else what the files say.")
]


def calibrate(shop: ShopName, name: NewName, like: LikeName = "online-shop", until: Until = None) -> None:
    """Write a behaviour in which a shop's own numbers stand in the place of what was assumed."""
    from cxsim.behaviour import Behaviour
    from cxsim.overview.behaviour_file import require_new_behaviour, source_yaml, write_behaviour
    from cxsim.overview.calibration import calibrate as calibrated
    from cxsim.overview.loading import load_shop
    from cxsim.params import locate, read, shown

    require_new_behaviour(name)
    assumed = read(locate("behaviour", like), Behaviour)
    with waiting("Measuring"):
        found = calibrated(load_shop(shop, until=until and until.date()), like=assumed, name=name)
    if found.table["missing"].null_count() == 0:
        raise ParamError(f"{shop}: none of the numbers of a behaviour can be measured there, so nothing is written.")
    file, sources = write_behaviour(found)
    _print_measured(found, like)
    _print_missing(found)
    out = console()
    out.print()
    out.print(plain(f"Added to {shown(sources)}:"))
    out.print(plain(source_yaml(found).rstrip()), soft_wrap=True)
    out.print()
    out.print(plain(f"Written: {shown(file)}; name it in a scenario as behaviour: {name}"), soft_wrap=True)


def _print_measured(found: Calibration, like: str) -> None:
    table = Table()
    for heading in ("number", "assumed", "measured", "90 % interval", "unit"):
        table.add_column(heading, justify="left" if heading in {"number", "unit"} else "right")
    measured = found.table.filter(found.table["missing"].is_null())
    for row in measured.iter_rows(named=True):
        ends = f"{row['low']:.3g} to {row['high']:.3g}"
        table.add_row(plain(row["number"]), f"{row['before']:g}", f"{row['measured']:.3g}", ends, plain(row["unit"]))
    out = console()
    out.print(plain(f"Measured: {measured.height} numbers, beside those of {like}"))
    out.print(table)


def _print_missing(found: Calibration) -> None:
    missing = found.table.filter(found.table["missing"].is_not_null())
    out = console()
    if missing.is_empty():
        return
    out.print()
    out.print(plain(f"Not measured, and kept as assumed: {missing.height} numbers"))
    for reason, rows in missing.group_by("missing", maintain_order=True):
        out.print(plain(f"{', '.join(rows['number'])}: {reason[0]}"), soft_wrap=True)
