"""Words typed in a terminal in, calls of the package and readable tables out.

Exit codes: 0 done; 1 the input is wrong, and the message says what, what was found and what is possible; 2 usage.
Packages are imported inside the commands, so that `cxsim --help` answers at once.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import logging
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, BadParameter, Exit, Option, Typer

from cxsim.cli.levers import levers_app
from cxsim.cli.metrics import (
    AmountColumn,
    CustomerColumn,
    DateColumn,
    LastDay,
    NamedColumns,
    OrderColumn,
    PolicyChanges,
    PriceColumn,
    QuantityColumn,
    Reading,
    Unreadable,
    metrics,
    named_columns,
    order_columns,
    orders_in,
    reading_content,
)
from cxsim.cli.printing import (
    AsJson,
    ScenarioName,
    completed,
    console,
    counted,
    counting,
    finish,
    grid,
    plain,
    print_break_even,
    print_engines,
    print_files,
    print_findings,
    print_frame,
    print_grid,
    print_line,
    print_reading,
    print_returns,
    print_structures,
    print_text,
    require_table_file,
    set_output,
    waiting,
    write_table,
)
from cxsim.cli.projects import start, where
from cxsim.cli.reports import compare, lab, report, sweep, verify
from cxsim.errors import CxsimError, ParamError
from cxsim.wording import joined

if TYPE_CHECKING:
    import polars as pl

    from cxsim.clv.fit import Engine
    from cxsim.clv.likelihood import Model
    from cxsim.clv.purchase_fit import PurchaseFit
    from cxsim.clv.spend_fit import SpendFit
    from cxsim.data.orders import Transactions
    from cxsim.data.shop import Shop
    from cxsim.metrics.calibrate import Calibration
    from cxsim.study.valuation import ValuedOrders

# altair and nbformat check their JSON by jsonschema, which, where this package is installed, builds a grammar of web
# addresses for two seconds; no address is checked here.
_GRAMMAR = "rfc3987_syntax"
_NOTHING = "No issues found in the fits."
# So many of the most valuable customers are printed.
_TOP = 10
# The exit code of what was stopped from the keyboard.
_INTERRUPTED = 130

OrdersName = Annotated[
    str, Argument(metavar="ORDERS", help="Folder or file of a shop's exports; or cdnow, cdnow-sample, a scenario.")
]
BehaviourName = Annotated[
    str,
    Option(
        metavar="NAME",
        help="Behaviour under params/behaviour that supplies the numbers not measured.",
        autocompletion=completed("behaviour"),
    ),
]
HorizonDays = Annotated[int, Option(min=1, max=36_525, help="How many days ahead orders count.")]


def _share(value: float) -> float:
    if not 0.0 <= value <= 1.0:
        raise BadParameter(f"{value:g} is not a share from 0 to 1; for {value:g} % write {value / 100.0:g}.")
    return value


DiscountRate = Annotated[float, Option(help="Discount rate per year, such as 0.10.", callback=_share)]
ModelName = Annotated[str, Option(help="Model of orders and dropout: bgnbd, mbgnbd, paretonbd, bgcnbd, mbgcnbd.")]
EngineName = Annotated[
    str,
    Option(help="What fits the models: native, or lifetimes (bgnbd, mbgnbd, paretonbd), shown beside native."),
]

app = Typer(
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        print_line(f"cxsim {importlib.metadata.version('cxsim')}")
        raise Exit


def _quiet(wanted: bool) -> None:
    if wanted:
        set_output("quiet")


@app.callback()
def options(
    version: Annotated[
        bool, Option("--version", help="Print the version.", callback=_version, is_eager=True, expose_value=False)
    ] = False,
    quiet: Annotated[
        bool, Option("--quiet", "-q", help="Print results and errors alone.", callback=_quiet, expose_value=False)
    ] = False,
) -> None:
    """Say what customer-experience programmes return for an online shop, and how certain that is.

    First: cxsim start FOLDER, with the exports of your shop. Without a shop: cxsim report cdnow-programmes.
    """


def main() -> None:
    """Run the command line; a mistake in the input becomes one message and exit code 1."""
    leave_out()
    set_output("all")
    try:
        app(_quiet_first(sys.argv[1:]))
    except SystemExit as done:
        if done.code == _INTERRUPTED:
            # The event loop would report that the kernel of a notebook was stopped too.
            logging.disable()
            print_line("Stopped. No unfinished file is left.", "stderr")
        raise
    except CxsimError as error:
        console("stderr").print(plain("Error:", style="bold red"), plain(error), soft_wrap=True)
        sys.exit(1)


def leave_out() -> None:
    """Keep this process from loading a slow package; for the command line and the kernels of reports alone."""
    sys.modules.setdefault(_GRAMMAR, None)  # type: ignore[arg-type]  # None means that it is not found


def break_even(
    scenario: ScenarioName,
    strategy: Annotated[
        str | None,
        Option(
            metavar="NAME",
            help="One of its strategies; default: all with mode: break-even.",
            autocompletion=completed("strategies"),
        ),
    ] = None,
    searches: Annotated[
        str | None,
        Option(help="The number to solve for, such as effects.dropout_1.ratio; default: as in the strategy."),
    ] = None,
    _: AsJson = False,
) -> None:
    """Find the effect size at which a strategy breaks even; states no return."""
    from cxsim.study.break_even import break_even as searched, search
    from cxsim.study.loading import load_scenario

    if searches is not None and strategy is None:
        raise BadParameter("it needs --strategy, which names the strategy of the number.", param_hint="'--searches'")
    loaded = load_scenario(scenario)
    with counting("Searching") as progress:
        if strategy is None:
            found = search(loaded, progress=progress).break_even
        else:
            found = searched(loaded, strategy, searches=searches, progress=progress)
    print_break_even(found, loaded.economics.currency, loaded.title)
    finish(found.to_dicts(), f"cxsim report {quote(scenario)}")


def tables(
    scenario: ScenarioName,
    out: Annotated[Path, Option(help="Folder for orders.parquet, tickets.parquet and so on.")],
    arm: Annotated[str, Option(help="baseline, a strategy or a combination.")] = "baseline",
    draw: Annotated[int, Option(min=0, help="Number of the draw, from 0; draws are listed by dropout model.")] = 0,
    _: AsJson = False,
) -> None:
    """Simulate one draw and write the tables of its shop as Parquet."""
    from cxsim.study.loading import load_scenario
    from cxsim.study.provenance import require_writable
    from cxsim.study.shop_tables import SHOP_FILES
    from cxsim.study.sources import shop_tables

    loaded = load_scenario(scenario)
    require_writable(out, SHOP_FILES)
    with waiting("Simulating one draw"):
        made = shop_tables(loaded, arm, draw=draw)
    rows = {field.name: getattr(made, field.name).height for field in dataclasses.fields(made)}
    heights = ((name, f"{height:,}") for name, height in rows.items())
    print_grid(f"{arm}, draw {draw}", ("table", "rows"), heights, right=("rows",))
    files = made.save(out)
    print_files(files, out)
    # Simulated days may lie in the future, where no export of a shop does.
    until = loaded.calendar.starts_of(loaded.calendar.months) - timedelta(days=1)
    finish({"rows": rows, "written": files}, f"cxsim metrics {quote(str(out))} --until {until}")


def calibrate(
    shop: Annotated[
        str, Argument(metavar="DIR|SCENARIO", help="Folder or file of a shop's exports; or a scenario's name.")
    ],
    name: Annotated[str, Option(help="Name of the new behaviour: lower-case letters, digits and hyphens.")],
    like: BehaviourName = "online-shop",
    until: LastDay = None,
    column: NamedColumns = None,
    policy: PolicyChanges = None,
    unreadable: Unreadable = None,
    _: AsJson = False,
) -> None:
    """Write a behaviour file with a shop's own measurements in place of assumptions."""
    from cxsim.library import locate, root, shown
    from cxsim.metrics.calibrate import calibrate as calibrated, require_new_behaviour, source_yaml, write_behaviour
    from cxsim.params import read
    from cxsim.strategies.behaviour import Behaviour

    folder = root() / "params"
    require_new_behaviour(name, folder)
    assumed = read(locate("behaviour", like), Behaviour)
    with waiting("Reading the shop"):
        known = Reading.of(shop, named_columns(column), (policy, unreadable), until).shop()
    print_reading(known, orders_in(known))
    with waiting("Measuring"):
        found = calibrated(known, like=assumed, name=name)
    _print_calibration(found, like)
    if found.table["missing"].null_count() == 0:
        raise ParamError(f"{shop}: no number of a behaviour can be measured from these tables; nothing was written.")
    file, sources = write_behaviour(found, folder)
    print_line(f"\nAdded to {shown(sources)}:\n{source_yaml(found).rstrip()}\n")
    print_line(f"Written: {shown(file)}")
    content = {"numbers": found.table.to_dicts(), "written": [file, sources]}
    finish(content, f"write behaviour: {name} in a scenario, then cxsim check")


def fit(
    orders: OrdersName,
    customer_id: CustomerColumn = None,
    ordered_at: DateColumn = None,
    amount: AmountColumn = None,
    order_id: OrderColumn = None,
    quantity: QuantityColumn = None,
    price: PriceColumn = None,
    policy: PolicyChanges = None,
    unreadable: Unreadable = None,
    until: LastDay = None,
    model: ModelName = "bgnbd",
    engine: EngineName = "native",
    horizon_days: HorizonDays = 365,
    annual_discount_rate: DiscountRate = 0.10,
    _: AsJson = False,
) -> None:
    """Fit purchase and spend models to a shop's orders; show limits of the fits and the most valuable customers."""
    from cxsim.clv.customer_value import customer_value
    from cxsim.data.shop import findings_table

    columns = order_columns(customer_id, ordered_at, amount, order_id, quantity, price)
    reading = Reading.of(orders, columns, (policy, unreadable), until)
    shop, rfm, (purchases, spend), findings, engines = _fitted(reading, names=(model, engine))
    top = customer_value(
        rfm, purchases, spend, horizon_days=horizon_days, annual_discount_rate=annual_discount_rate
    ).head(_TOP)
    print_frame("Customers", _summary(rfm, str(purchases.observed_until)))
    _print_fit(f"Purchases and dropout: {purchases.title}, time in days", purchases)
    _print_fit(f"Spend per order: {spend.title}", spend)
    print_engines(engines)
    print_findings(findings, _NOTHING)
    print_frame(f"Most valuable in the next {horizon_days} days (discounted revenue)", top)
    content = _fits(purchases, spend) | {"engines": engines.to_dicts()}
    content["findings"] = findings_table(shop.findings).vstack(findings).to_dicts()
    content["value"] = {"horizon_days": horizon_days, "customers": top.to_dicts()}
    finish(reading_content(shop, orders_in(shop)) | content, reading.next("value"))


def value(
    orders: OrdersName,
    out: Annotated[Path, Option(help="The file to write, one row per customer: .csv or .parquet.")],
    customer_id: CustomerColumn = None,
    ordered_at: DateColumn = None,
    amount: AmountColumn = None,
    order_id: OrderColumn = None,
    quantity: QuantityColumn = None,
    price: PriceColumn = None,
    policy: PolicyChanges = None,
    unreadable: Unreadable = None,
    until: LastDay = None,
    model: ModelName = "mbgnbd",
    horizon_days: HorizonDays = 365,
    annual_discount_rate: DiscountRate = 0.10,
    margin: Annotated[float, Option(help="Share of revenue that is margin, such as 0.3.", callback=_share)] = 1.0,
    level: Annotated[float, Option(min=0.01, max=0.999, help="Probability of the intervals, such as 0.9.")] = 0.9,
    draws: Annotated[int | None, Option(min=1, help="Simulations; default: fewer for millions of customers.")] = None,
    seed: Annotated[int, Option(min=0, help="Start of the random numbers; the same seed, the same table.")] = 0,
    _: AsJson = False,
) -> None:
    """Write one row per customer for a CRM: orders so far, RFM segment, value with intervals, rank (1 is highest).

    The columns are defined in docs/value-table.md.
    """
    from cxsim.study.valuation import value_orders

    require_table_file(out)
    columns = order_columns(customer_id, ordered_at, amount, order_id, quantity, price)
    reading = Reading.of(orders, columns, (policy, unreadable), until)
    (chosen, _engine), _shop, read = _read(reading, names=(model, "native"))
    with waiting("Valuing the customers") as say:
        terms: dict[str, Any] = {"horizon_days": horizon_days, "annual_discount_rate": annual_discount_rate}
        terms |= {"margin": margin, "level": level, "draws": draws, "seed": seed}
        found = value_orders(read, model=chosen, **terms, progress=say)
        write_table(found.table, out, exact=["spend_to_date"])
    _print_values(found, out)
    finish(_valued(found, out), reading.next("start") if Path(orders).exists() else "")


def simulate(
    scenario: ScenarioName,
    out: Annotated[Path | None, Option(help="Folder for the tables; default: reports/SCENARIO-tables.")] = None,
    _: AsJson = False,
) -> None:
    """Run a scenario, write returns.parquet, statement.parquet and manifest.json, and print the returns."""
    from cxsim.library import root
    from cxsim.study.loading import load_scenario
    from cxsim.study.provenance import require_writable
    from cxsim.study.run import STUDY_FILES, run, save_study

    loaded = load_scenario(scenario)
    folder = out or root() / "reports" / f"{loaded.name}-tables"
    require_writable(folder, STUDY_FILES)
    with counting("Simulating") as progress:
        study = run(loaded, progress=progress)
    print_returns(study.returns, study.currency, loaded.title)
    print_structures(study.structures)
    print_break_even(study.break_even, study.currency, "Break-even of programmes without evidence")
    # A caution about several programmes is said once.
    for caution, titles in study.cautions.group_by("caution", maintain_order=True).agg("title").iter_rows():
        print_text(f"Caution, {joined(titles)}:", caution, style="yellow")
    files = save_study(study, folder)
    print_files(files, folder)
    parts = ("returns", "structures", "break_even", "cautions")
    content = {name: getattr(study, name).to_dicts() for name in parts}
    finish(content | {"written": files}, f"cxsim report {quote(scenario)}")


def check(
    paths: Annotated[
        list[Path] | None, Argument(metavar="PATH", help="Files or folders; default: all of params/.")
    ] = None,
    write_schema: Annotated[bool, Option("--write-schema", help="Rebuild params/schema.json first.")] = False,
    _: AsJson = False,
) -> None:
    """Check everything under params/: keys, units, ranges, evidence, sources, and the order files named there."""
    from cxsim.study.loading import check_params, params_files, write_schemas
    from cxsim.study.sources import check_orders

    if write_schema:
        write_schemas()
    with waiting("Checking"):
        problems = check_params(paths or [])
        # What a file names is opened only where the file can be read.
        problems = problems or check_orders(params_files(paths or []))
    found = params_files(paths or [])
    files = counted(len(found), "file")
    if problems:
        finish({"files": found, "problems": problems})
        raise ParamError("\n".join([f"{counted(len(problems), 'mistake')} in {files}.", *problems]))
    print_line(f"{files} checked; no problems found.")
    finish({"files": found, "problems": []}, "cxsim report NAME, with the name of a scenario")


def new(
    name: Annotated[str, Argument(metavar="NAME", help="Name of the copy: lower-case letters, digits and hyphens.")],
    source: Annotated[
        str,
        Option(
            "--from",
            metavar="NAME",
            help="The scenario or valuation to start from.",
            autocompletion=completed("scenarios", "valuations"),
        ),
    ],
    _: AsJson = False,
) -> None:
    """Copy a scenario or valuation under params/ for editing."""
    from cxsim.study.loading import copy_scenario

    file = copy_scenario(name, source)
    print_line(f"Written: {file}")
    finish({"written": file}, f"edit it, then cxsim check, then cxsim report {name}")


# Each command under the task that it is for.
_TASKS: dict[str, tuple[Callable[..., None], ...]] = {
    "Start": (start, metrics, value, lab),
    "Decide": (report, simulate, break_even, sweep),
    "Your own numbers": (calibrate, new, check, where),
    "Check a report": (verify, compare),
    "Look closer": (fit, tables),
}
for _task, _commands in _TASKS.items():
    for _command in _commands:
        app.command(_command.__name__.replace("_", "-"), rich_help_panel=_task)(_command)
app.add_typer(levers_app, name="levers", rich_help_panel="Look closer")


def _quiet_first(words: Sequence[str]) -> list[str]:
    """Let --quiet stand anywhere."""
    here = words.index("--") if "--" in words else len(words)
    found = [word for word in words[:here] if word in ("--quiet", "-q")]
    return [*found[:1], *(word for word in words[:here] if word not in ("--quiet", "-q")), *words[here:]]


def _read(reading: Reading, *, names: tuple[str, str]) -> tuple[tuple[Model, Engine], Shop, Transactions]:
    """Return the model and the engine of these names, the shop and its orders; say what became of their rows."""
    from cxsim.clv.fit import model_and_engine
    from cxsim.data.orders import transactions_of

    chosen = model_and_engine(*names)
    with waiting("Reading the orders"):
        shop = reading.shop(tables="orders")
        orders = transactions_of(shop)
    # Before the fit: where no model can be fitted, what became of the rows is most often the reason.
    print_reading(shop, orders)
    return chosen, shop, orders


def _fitted(
    reading: Reading, *, names: tuple[str, str]
) -> tuple[Shop, pl.DataFrame, tuple[PurchaseFit, SpendFit], pl.DataFrame, pl.DataFrame]:
    """Return the shop, one row per customer, the models, what the orders cannot say of these, and both engines.

    `names`: of the model and of the engine. The engines are compared where one is asked that is not our own.
    """
    from cxsim.clv.diagnose import diagnose
    from cxsim.clv.fit import by_engine, fit as fit_purchases, fit_spend
    from cxsim.data.rfm import summarise

    (model, engine), shop, orders = _read(reading, names=names)
    with waiting("Fitting the models"):
        rfm = summarise(orders)
        purchases = fit_purchases(rfm, model=model, engine=engine, observed_until=orders.until)
        spend = fit_spend(rfm, engine=engine, observed_until=orders.until)
        engines = by_engine(rfm, (purchases, spend) if engine == "lifetimes" else ())
        return shop, rfm, (purchases, spend), diagnose(rfm, purchases, spend).table, engines


def _summary(rfm: pl.DataFrame, end: str) -> pl.DataFrame:
    """Return how many customers and orders there are: two columns, a quantity in words and its value."""
    import polars as pl

    mean_value, longest = rfm.select(pl.col("monetary_value").mean(), pl.col("age_days").max()).row(0)
    rows = {
        "observed until": end,
        "customers": f"{rfm.height:,}",
        "with a repeat order": f"{(rfm['frequency'] > 0).sum():,}",
        "repeat orders": f"{rfm['frequency'].sum():,}",
        "mean value of a repeat order": f"{mean_value:,.2f}",
        "longest observation period, days": f"{longest:,}",
    }
    return pl.DataFrame({"quantity": list(rows), "value": list(rows.values())})


def _print_fit(title: str, fitted: PurchaseFit | SpendFit) -> None:
    print_frame(title, fitted.estimates(), digits=6)
    found = f"Log-likelihood {fitted.log_likelihood:,.3f}, {counted(fitted.n_customers, 'customer')}"
    print_text(f"{found}; maximum found by the engine {fitted.engine}")


def _fits(purchases: PurchaseFit, spend: SpendFit) -> dict[str, object]:
    return {
        "observed_until": str(purchases.observed_until),
        "purchases": _estimated(purchases, model=purchases.model, k=purchases.params.k, time_unit="day"),
        "spend": _estimated(spend, model=spend.model.replace("_", "-")),
    }


def _estimated(fitted: PurchaseFit | SpendFit, **model: object) -> dict[str, object]:
    return {
        **model,
        "engine": fitted.engine,
        "parameters": fitted.estimates().to_dicts(),
        "log_likelihood": fitted.log_likelihood,
        "n_customers": fitted.n_customers,
    }


def _valued(found: ValuedOrders, file: Path) -> dict[str, object]:
    return {
        "written": file,
        "customers": found.table.height,
        "totals": found.values.totals.to_dicts(),
        "segments": found.table["segment"].value_counts(sort=True).to_dicts(),
        "findings": found.findings.to_dicts(),
    }


def _print_values(found: ValuedOrders, file: Path) -> None:
    """Print the value of all customers and of segments, what to know of it and of the fits, and where it is written."""
    import polars as pl

    from cxsim.clv.customer_value import rows_outside

    values = found.values
    span = f"next {values.terms.horizon_days:,.0f} days"
    words = {
        "orders": f"orders in the {span}",
        "buyers": f"customers who order in the {span}",
        "value": f"present value, {span}",
    }
    lines = [
        ("customers", f"{values.table.height:,}", ""),
        ("customers still active, expected", f"{values.table['prob_alive'].sum():,.0f}", ""),
    ]
    for quantity, *amounts in values.totals.select("quantity", "mean", "low", "high").iter_rows():
        mean, low, high = (f"{amount:,.0f}" for amount in amounts)
        lines.append((words[quantity], mean, f"{low} to {high}"))
    print_frame(
        f"Customers at {found.purchases.observed_until}, {found.purchases.title}",
        pl.DataFrame(lines, schema=["quantity", "expected", f"{100 * values.terms.level:g} % interval"], orient="row"),
    )
    segments = found.table.group_by("segment").agg(pl.len(), pl.col("value").sum()).sort("segment")
    print_grid(
        "RFM segments",
        ("segment", "customers", words["value"]),
        ((name, f"{count:,}", f"{worth:,.0f}") for name, count, worth in segments.iter_rows()),
        right=("customers", words["value"]),
    )
    for remark in (*values.remarks, *values.outside, *rows_outside(values.table)):
        print_text(remark)
    print_findings(found.findings, _NOTHING)
    print_line(f"Written: {file} ({counted(found.table.height, 'customer')}, {file.stat().st_size / 1e6:.1f} MB)")


def _print_calibration(found: Calibration, like: str) -> None:
    numbers = ("assumed", "measured", "90 % interval")
    measured = found.table.filter(found.table["missing"].is_null())
    print_text(f"Measured: {measured.height} numbers, compared with those of {like}")
    console().print(
        grid(
            ("number", *numbers, "unit", "cases", "method"),
            (
                (
                    *(row["number"], f"{row['before']:g}", f"{row['measured']:.3g}"),
                    *(f"{row['low']:.3g} to {row['high']:.3g}", row["unit"], f"{row['units']:,}", row["method"]),
                )
                for row in measured.iter_rows(named=True)
            ),
            right=(*numbers, "cases"),
        )
    )
    missing = found.table.drop_nulls("missing")
    if missing.is_empty():
        return
    print_text()
    print_text(f"Not measured, assumption kept: {missing.height} numbers")
    for reason, names in missing.group_by("missing", maintain_order=True).agg("number").iter_rows():
        print_line(f"{', '.join(names)}: {reason}")
