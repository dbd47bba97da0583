"""Words typed in a terminal in, calls of the package and readable tables out.

Exit codes: 0 done; 1 the input is wrong, and the message says what, what was found and what is possible; 2 usage.
Packages are imported inside the commands, so that `cxsim --help` answers at once.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

from typer import Argument, BadParameter, Option, Typer

from cxsim.cli.levers import levers_app
from cxsim.cli.metrics import (
    AmountColumn,
    CustomerColumn,
    DateColumn,
    NamedColumns,
    OrderColumn,
    PolicyChanges,
    PriceColumn,
    QuantityColumn,
    Unreadable,
    changed_policy,
    load,
    metrics,
    named_columns,
    orders_in,
    reading_content,
)
from cxsim.cli.printing import (
    DAY_FORMAT,
    AsJson,
    ScenarioName,
    console,
    counted,
    counting,
    grid,
    plain,
    print_break_even,
    print_files,
    print_findings,
    print_frame,
    print_grid,
    print_json,
    print_line,
    print_reading,
    print_returns,
    print_structures,
    print_text,
    require_table_file,
    waiting,
    write_table,
)
from cxsim.cli.reports import compare, lab, report, sweep, verify
from cxsim.errors import CxsimError, ParamError
from cxsim.wording import joined

if TYPE_CHECKING:
    import polars as pl

    from cxsim.clv.customer_value import CustomerValues
    from cxsim.clv.likelihood import Model
    from cxsim.clv.purchase_fit import PurchaseFit
    from cxsim.clv.spend_fit import SpendFit
    from cxsim.data.shop import Shop
    from cxsim.metrics.calibrate import Calibration

# altair and nbformat check their JSON by jsonschema, which, where this package is installed, builds a grammar of web
# addresses for two seconds; no address is checked here.
_GRAMMAR = "rfc3987_syntax"
_NOTHING = "No issues found in the fits."
# So many of the most valuable customers are printed.
_TOP = 10

OrdersName = Annotated[
    str, Argument(metavar="ORDERS", help="Folder or file of a shop's exports; or cdnow, cdnow-sample, a scenario.")
]
UntilFile = Annotated[
    datetime | None, Option(formats=[DAY_FORMAT], help="Last day of observation; default: from the files.")
]
HorizonDays = Annotated[int, Option(min=1, max=36_525, help="Valuation horizon in days.")]
DiscountRate = Annotated[float, Option(min=0.0, max=1.0, help="Effective annual rate.")]
ModelName = Annotated[str, Option(help="Purchase and dropout model: bgnbd, mbgnbd, paretonbd, bgcnbd, mbgcnbd.")]

app = Typer(
    help="Business cases for customer-experience programmes: simulated returns and their uncertainty.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(levers_app, name="levers")


def main() -> None:
    """Run the command line; a mistake in the input becomes one message and exit code 1."""
    leave_out()
    try:
        app()
    except CxsimError as error:
        console("stderr").print(plain("Error:", style="bold red"), plain(error), soft_wrap=True)
        sys.exit(1)


def leave_out() -> None:
    """Keep this process from loading a slow package; for the command line and the kernels of reports alone."""
    sys.modules.setdefault(_GRAMMAR, None)  # type: ignore[arg-type]  # None means that it is not found


@app.command("break-even")
def break_even(
    scenario: ScenarioName,
    strategy: Annotated[str | None, Option(help="One of its strategies; default: all with mode: break-even.")] = None,
    searches: Annotated[
        str | None,
        Option(help="The number to solve for, such as effects.dropout_1.ratio; default: as in the strategy."),
    ] = None,
    as_json: AsJson = False,
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
    if as_json:
        print_json(found.to_dicts())
    else:
        print_break_even(found, loaded.economics.currency, loaded.title)


@app.command()
def tables(
    scenario: ScenarioName,
    out: Annotated[Path, Option(help="Folder for orders.parquet, tickets.parquet and so on.")],
    arm: Annotated[str, Option(help="baseline, a strategy or a combination.")] = "baseline",
    draw: Annotated[int, Option(min=0, help="Number of the draw, from 0; draws are listed by dropout model.")] = 0,
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
    print_grid(
        f"{arm}, draw {draw}",
        ("table", "rows"),
        ((field.name, f"{getattr(made, field.name).height:,}") for field in dataclasses.fields(made)),
        right=("rows",),
    )
    print_files(made.save(out), out)


app.command()(metrics)


@app.command()
def calibrate(
    shop: Annotated[
        str, Argument(metavar="DIR|SCENARIO", help="Folder or file of a shop's exports; or a scenario's name.")
    ],
    name: Annotated[str, Option(help="Name of the new behaviour: lower-case letters, digits and hyphens.")],
    like: Annotated[
        str, Option(help="Behaviour under params/behaviour that supplies the numbers not measured.")
    ] = "online-shop",
    until: UntilFile = None,
    column: NamedColumns = None,
    policy: PolicyChanges = None,
    unreadable: Unreadable = None,
) -> None:
    """Write a behaviour file with a shop's own measurements in place of assumptions."""
    from cxsim.metrics.calibrate import calibrate as calibrated, require_new_behaviour, source_yaml, write_behaviour
    from cxsim.params import locate, read, shown
    from cxsim.strategies.behaviour import Behaviour

    require_new_behaviour(name)
    assumed = read(locate("behaviour", like), Behaviour)
    with waiting("Reading the shop"):
        changes = changed_policy(policy, unreadable)
        known = load(shop, columns=named_columns(column), policy=changes, until=until and until.date())
    print_reading(known, orders_in(known))
    with waiting("Measuring"):
        found = calibrated(known, like=assumed, name=name)
    if found.table["missing"].null_count() == 0:
        raise ParamError(f"{shop}: no number of a behaviour can be measured from these tables; nothing was written.")
    file, sources = write_behaviour(found)
    _print_calibration(found, like)
    print_line(f"\nAdded to {shown(sources)}:\n{source_yaml(found).rstrip()}\n")
    print_line(f"Written: {shown(file)}; name it in a scenario as behaviour: {name}")


for command in (verify, compare, report, sweep, lab):
    app.command()(command)


@app.command()
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
    until: UntilFile = None,
    model: ModelName = "bgnbd",
    horizon_days: HorizonDays = 365,
    annual_discount_rate: DiscountRate = 0.10,
    as_json: AsJson = False,
) -> None:
    """Fit purchase and spend models to a shop's orders; show limits of the fits and the most valuable customers."""
    from cxsim.clv.customer_value import customer_value
    from cxsim.data.shop import findings_table

    columns = _columns(customer_id, ordered_at, amount, (order_id, quantity, price))
    read, rfm, purchases, spend, findings = _fitted(
        orders, columns, changed_policy(policy, unreadable), until, model=model, quiet=as_json
    )
    top = customer_value(
        rfm, purchases, spend, horizon_days=horizon_days, annual_discount_rate=annual_discount_rate
    ).head(_TOP)
    if as_json:
        content = _fits(purchases, spend) | {"findings": findings_table(read.findings).vstack(findings).to_dicts()}
        valued = {"horizon_days": horizon_days, "customers": top.to_dicts()}
        print_json(reading_content(read, orders_in(read)) | content | {"value": valued})
        return
    print_frame("Customers", _summary(rfm, str(purchases.observed_until)))
    _print_fit(f"Purchases and dropout: {purchases.title}, time in days", purchases)
    _print_fit(f"Spend per order: {spend.title}", spend)
    print_findings(findings, _NOTHING)
    print_frame(f"Most valuable in the next {horizon_days} days (discounted revenue)", top)


@app.command()
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
    until: UntilFile = None,
    model: ModelName = "mbgnbd",
    horizon_days: HorizonDays = 365,
    annual_discount_rate: DiscountRate = 0.10,
    margin: Annotated[float, Option(min=0.0, max=1.0, help="Share of revenue that counts as value.")] = 1.0,
    level: Annotated[float, Option(min=0.01, max=0.999, help="Probability of the intervals.")] = 0.9,
    draws: Annotated[int | None, Option(min=1, help="Draws; default: fewer for millions of customers.")] = None,
    seed: Annotated[int, Option(min=0, help="Seed of all random numbers.")] = 0,
) -> None:
    """Write the value of each customer with intervals; MBG/NBD does not assume that one-time buyers are active."""
    from cxsim.clv.customer_value import ValuationTerms, customer_values, draws_for

    require_table_file(out)
    columns = _columns(customer_id, ordered_at, amount, (order_id, quantity, price))
    changes = changed_policy(policy, unreadable)
    _, rfm, purchases, spend, findings = _fitted(orders, columns, changes, until, model=model)
    terms = ValuationTerms(
        horizon_days=horizon_days,
        annual_discount_rate=annual_discount_rate,
        margin=margin,
        level=level,
        draws=draws or draws_for(rfm.height, level),
        seed=seed,
    )
    with waiting(f"Valuing the customers in {terms.draws:,} draws"):
        values = customer_values(rfm, purchases, spend, terms)
        write_table(values.table, out)
    _print_values(f"Customers at {purchases.observed_until}, {purchases.title}", values, findings)
    print_line(f"Written: {out} ({rfm.height:,} customers, {out.stat().st_size / 1e6:.1f} MB)")


@app.command()
def simulate(
    scenario: ScenarioName,
    out: Annotated[Path | None, Option(help="Folder for the tables; default: reports/SCENARIO-tables.")] = None,
) -> None:
    """Run a scenario, write returns.parquet, statement.parquet and manifest.json, and print the returns."""
    from cxsim.params import root
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
    print_files(save_study(study, folder), folder)


@app.command()
def check(
    paths: Annotated[
        list[Path] | None, Argument(metavar="[PATH]...", help="Files or folders; default: all of params/.")
    ] = None,
    write_schema: Annotated[bool, Option("--write-schema", help="Rebuild params/schema.json first.")] = False,
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
    files = counted(len(params_files(paths or [])), "file")
    if problems:
        raise ParamError("\n".join([f"{counted(len(problems), 'mistake')} in {files}.", *problems]))
    print_line(f"{files} checked; no problems found.")


@app.command()
def new(
    name: Annotated[str, Argument(help="Name of the copy: lower-case letters, digits and hyphens.")],
    source: Annotated[str, Option("--from", metavar="NAME", help="The scenario or valuation to start from.")],
) -> None:
    """Copy a scenario or valuation under params/ for editing."""
    from cxsim.study.loading import copy_scenario

    print_line(f"Written: {copy_scenario(name, source)}. Edit it, then: cxsim report {name}")


def _columns(
    customer_id: str | None, ordered_at: str | None, amount: str | None, lines: Sequence[str | None]
) -> dict[str, str]:
    """Return the columns that options name, by ours; `lines`: of order numbers, quantities and prices."""
    ours = ("customer_id", "ordered_at", "amount", "order_id", "units", "line_price")
    named = zip(ours, (customer_id, ordered_at, amount, *lines), strict=True)
    return {one: theirs for one, theirs in named if theirs is not None}


def _fitted(
    name: str,
    columns: Mapping[str, str],
    policy: Sequence[str],
    until: datetime | None,
    *,
    model: str,
    quiet: bool = False,
) -> tuple[Shop, pl.DataFrame, PurchaseFit, SpendFit, pl.DataFrame]:
    """Return the shop, one row per customer, the models, and what the orders cannot say of these."""
    from cxsim.clv.diagnose import diagnose
    from cxsim.clv.fit import fit as fit_purchases, fit_spend
    from cxsim.clv.likelihood import kind_of
    from cxsim.data.orders import transactions_of
    from cxsim.data.rfm import summarise

    kind = cast("Model", kind_of(model).name)
    with waiting("Reading the orders"):
        shop = load(name, columns=columns, policy=policy, until=until and until.date(), tables="orders")
        orders = transactions_of(shop)
    if not quiet:
        # Before the fit: where no model can be fitted, what became of the rows is most often the reason.
        print_reading(shop, orders)
    with waiting("Fitting the models"):
        rfm = summarise(orders)
        purchases = fit_purchases(rfm, model=kind, observed_until=orders.until)
        spend = fit_spend(rfm, observed_until=orders.until)
        return shop, rfm, purchases, spend, diagnose(rfm, purchases, spend).table


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
    print_text(f"Log-likelihood {fitted.log_likelihood:,.3f}, {fitted.n_customers:,} customers")


def _fits(purchases: PurchaseFit, spend: SpendFit) -> dict[str, object]:
    return {
        "observed_until": str(purchases.observed_until),
        "purchases": _estimated(purchases, model=purchases.model, k=purchases.params.k, time_unit="day"),
        "spend": _estimated(spend, model=spend.model.replace("_", "-")),
    }


def _estimated(fitted: PurchaseFit | SpendFit, **model: object) -> dict[str, object]:
    return {
        **model,
        "parameters": fitted.estimates().to_dicts(),
        "log_likelihood": fitted.log_likelihood,
        "n_customers": fitted.n_customers,
    }


def _print_values(title: str, values: CustomerValues, findings: pl.DataFrame) -> None:
    """Print the value of all customers together, the remarks that belong to it, and what the fits cannot say."""
    import polars as pl

    from cxsim.clv.customer_value import rows_outside

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
        title,
        pl.DataFrame(lines, schema=["quantity", "expected", f"{100 * values.terms.level:g} % interval"], orient="row"),
    )
    for remark in (*values.remarks, *values.outside, *rows_outside(values.table)):
        print_text(remark)
    print_findings(findings, _NOTHING)


def _print_calibration(found: Calibration, like: str) -> None:
    numbers = ("assumed", "measured", "90 % interval")
    measured = found.table.filter(found.table["missing"].is_null())
    print_text(f"Measured: {measured.height} numbers, compared with those of {like}")
    console().print(
        grid(
            ("number", *numbers, "unit"),
            (
                (
                    *(row["number"], f"{row['before']:g}", f"{row['measured']:.3g}"),
                    *(f"{row['low']:.3g} to {row['high']:.3g}", row["unit"]),
                )
                for row in measured.iter_rows(named=True)
            ),
            right=numbers,
        )
    )
    missing = found.table.drop_nulls("missing")
    if missing.is_empty():
        return
    print_text()
    print_text(f"Not measured, assumption kept: {missing.height} numbers")
    for reason, names in missing.group_by("missing", maintain_order=True).agg("number").iter_rows():
        print_line(f"{', '.join(names)}: {reason}")
