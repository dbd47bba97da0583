"""An order file in; hygiene, summary, fits and the most valuable customers out, for the command `cxsim fit`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import polars as pl
import polars.selectors as cs
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from cxsim.clv.customer_value import (
    CustomerValues,
    ValuationTerms,
    customer_value,
    customer_values,
    draws_for,
)
from cxsim.clv.diagnose import Diagnosis, diagnose
from cxsim.clv.fit import fit, fit_spend
from cxsim.clv.likelihood import Model
from cxsim.clv.purchase_fit import PurchaseFit
from cxsim.clv.spend_fit import GammaGammaFit
from cxsim.data.orders import HygieneReport, Transactions
from cxsim.data.rfm import summarise
from cxsim.errors import ReportError
from cxsim.reporting.build import Event
from cxsim.study.shop_tables import ShopTables
from cxsim.tables import BREAK_EVEN, check, empty
from cxsim.wording import MODELS, NBSP, searched, sized


@dataclass(frozen=True, kw_only=True, slots=True)
class Fitted:
    """What `cxsim fit` shows.

    Attributes
    ----------
    hygiene
        What became of every row.
    until
        Last day of observation.
    summary
        Two columns: a quantity in words, and its value.
    purchases, spend
        The fitted models.
    diagnosis
        What the orders cannot say of them.
    value
        Customers with what they are expected to be worth, the best first.
    horizon_days
        Days over which they are valued.
    """

    hygiene: HygieneReport
    until: date
    summary: pl.DataFrame
    purchases: PurchaseFit
    spend: GammaGammaFit
    diagnosis: Diagnosis
    value: pl.DataFrame
    horizon_days: int


def fitted(
    transactions: Transactions, until: date | None, *, model: Model, horizon_days: int, annual_discount_rate: float
) -> Fitted:
    """Return everything that is shown of a shop's orders up to `until`, or to the end of observation."""
    end = until or transactions.until
    rfm = summarise(transactions, until=end)
    purchases, spend = fit(rfm, model=model, observed_until=end), fit_spend(rfm, observed_until=end)
    value = customer_value(rfm, purchases, spend, horizon_days=horizon_days, annual_discount_rate=annual_discount_rate)
    return Fitted(
        hygiene=transactions.hygiene,
        until=end,
        summary=summary(rfm, end),
        purchases=purchases,
        spend=spend,
        diagnosis=diagnose(rfm, purchases, spend),
        value=value,
        horizon_days=horizon_days,
    )


def summary(rfm: pl.DataFrame, end: date) -> pl.DataFrame:
    """Return how many customers and orders there are: two columns, a quantity in words and its value."""
    repeaters = rfm.filter(pl.col("frequency") > 0)
    mean_value, longest = rfm.select(pl.col("monetary_value").mean(), pl.col("age_days").max()).row(0)
    rows = {
        "observed until": end.isoformat(),
        "customers": f"{rfm.height:,}",
        "with a repeat order": f"{repeaters.height:,}",
        "repeat orders": f"{rfm['frequency'].sum():,}",
        "mean value of a repeat order": f"{mean_value:,.2f}",
        "longest observation, days": f"{longest:,}",
    }
    return pl.DataFrame({"quantity": list(rows), "value": list(rows.values())})


# A file or a pipe has no width of its own; at this one no table has to cut its words.
_WIDTH = 140


def console(stream: Literal["stdout", "stderr"] = "stdout") -> Console:
    """Return a console as wide as the terminal, or wide enough for every table where there is none."""
    made = Console(stderr=stream == "stderr", highlight=False)
    if not made.is_terminal:
        made.width = _WIDTH
    return made


def plain(content: object, style: str = "") -> Text:
    """Return text in which rich reads no markup, and which sends no control character to a terminal."""
    words = str(content).replace(NBSP, " ")
    letters = (letter if letter.isprintable() or letter == "\n" else "?" for letter in words)
    return Text("".join(letters), style=style)


if TYPE_CHECKING:
    from cxsim.reporting.build import Event


@contextmanager
def counting(task: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function of done and total that draws a bar."""
    with _bars(BarColumn(), MofNCompleteColumn()) as bars:
        number = bars.add_task(task, total=None)

        def show(done: int, total: int) -> None:
            bars.update(number, completed=done, total=total)

        yield show


@contextmanager
def waiting(task: str) -> Iterator[Callable[[str], None]]:
    """Yield a function of a short line that is shown beside a spinner and the time."""
    with _bars() as bars:
        number = bars.add_task(task, total=None)

        def say(line: str) -> None:
            bars.update(number, description=f"{task}: {line}")

        yield say


@contextmanager
def batch_of(task: str) -> Iterator[Callable[[Event], None]]:
    """Yield a function of events that draws a bar of what is done, and a line for each task at work."""
    whole, steps = _bars(BarColumn(), MofNCompleteColumn()), _bars()
    number = whole.add_task(task, total=None)
    lines: dict[str, TaskID] = {}

    def watch(event: Event) -> None:
        if event.kind == "wanted":
            whole.update(number, total=event.wanted)
        elif event.kind in {"begun", "step"}:
            words = f"  {event.task}: {event.words or 'begun'}"
            if event.task not in lines:
                lines[event.task] = steps.add_task(words, total=None)
            steps.update(lines[event.task], description=words)
        else:
            whole.advance(number)
            if event.task in lines:
                steps.remove_task(lines.pop(event.task))

    screen = console("stderr")
    if screen.is_terminal:
        with Live(Group(whole, steps), console=screen, transient=True):
            yield watch
    else:
        yield watch


def _bars(*columns: BarColumn | MofNCompleteColumn) -> Progress:
    screen = console("stderr")
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        *columns,
        TimeElapsedColumn(),
        console=screen,
        transient=True,
        disable=not screen.is_terminal,
    )


if TYPE_CHECKING:
    from cxsim.study.shop_tables import ShopTables

_COLOURS = {"fund": "green", "pilot": "yellow", "reject": "red"}


def print_structures(structures: pl.DataFrame) -> None:
    """Print the returns under each model of leaving, where there is more than one."""
    if structures["structure"].n_unique() < 2:
        return
    table = _table(["strategy", "model of leaving", "decision"], ["incremental NPV", "90 % interval", "P(NPV > 0)"])
    for part in structures.partition_by("strategy", maintain_order=True):
        for place, row in enumerate(part.iter_rows(named=True)):
            table.add_row(
                plain(row["title"] if place == 0 else ""),
                plain(MODELS.get(row["structure"], row["structure"])),
                plain(row["decision"], style=_COLOURS[row["decision"]]),
                _whole(row["incremental_npv"]),
                f"{_whole(row['npv_low'])} to {_whole(row['npv_high'])}",
                f"{row['prob_npv_positive']:.1%}",
            )
    _print("Under each model of leaving by itself", table)


def print_break_even(found: pl.DataFrame, currency: str, title: str) -> None:
    """Print how large each effect must be, where any was searched."""
    if found.is_empty():
        return
    table = _table(["strategy", "what is searched", "pays at"], ["searched", "NPV at the ends"])
    for row in found.iter_rows(named=True):
        low, high = (_size(row, row[name]) for name in ("searched_low", "searched_high"))
        table.add_row(
            plain(row["title"]),
            plain(searched(row["description"])),
            plain(_answer(row)),
            f"{low} to {high}",
            f"{_whole(row['npv_low'])}, {_whole(row['npv_high'])}",
        )
    _print(title, table)
    console().print(plain(f"Amounts in {currency}. Nobody has measured these effects; only a test can say their size."))


def read_break_even(path: Path) -> pl.DataFrame:
    """Return the table of a search from the CSV beside its report, under BREAK_EVEN."""
    return check(pl.read_csv(path, schema_overrides=empty(BREAK_EVEN).schema), BREAK_EVEN)


def print_cautions(cautions: pl.DataFrame) -> None:
    """Print what to know before believing the results, where there is anything."""
    out = console()
    for title, caution in cautions.select("title", "caution").iter_rows():
        out.print(plain(f"Caution, {title}:", style="yellow"), plain(caution))


def print_rows(table: pl.DataFrame) -> None:
    """Print a table as JSON, one object a row, with all digits."""
    print(json.dumps(table.to_dicts(), indent=1, allow_nan=False))  # noqa: T201 - the command's result


def print_files(tables: ShopTables, title: str) -> None:
    """Print how many rows each of a shop's tables has."""
    shown = _table(["table"], ["rows"])
    for field in fields(tables):
        shown.add_row(field.name, f"{getattr(tables, field.name).height:,}")
    _print(title, shown)


def _answer(row: Mapping[str, Any]) -> str:
    low, high = row["npv_low"], row["npv_high"]
    if row["break_even"] is None:
        return "both ends" if low > 0.0 else "neither end"
    return f"{_size(row, row['break_even'])} or {'more' if high > low else 'less'} ({row['unit']})"


def _size(row: Mapping[str, Any], size: float) -> str:
    span = row["searched_high"] - row["searched_low"]
    return sized(size, row["unit"], span)


def _whole(number: float) -> str:
    return f"{round(number):,}"


def _table(words: list[str], numbers: list[str]) -> Table:
    table = Table()
    for name in words:
        table.add_column(name)
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def _print(title: str, table: Table) -> None:
    out = console()
    out.print()
    out.print(plain(title))
    out.print(table)


@dataclass(frozen=True, kw_only=True, slots=True)
class Valued:
    """What `cxsim value` writes and shows.

    Attributes
    ----------
    values
        One row per customer, and totals.
    diagnosis
        What the orders cannot say of the fits.
    title
        Name of the model of orders for readers.
    until
        Last day of observation.
    customers
        How many there are.
    """

    values: CustomerValues
    diagnosis: Diagnosis
    title: str
    until: date
    customers: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """How customers are to be valued, as it was typed.

    Attributes
    ----------
    model
        Model of orders and leaving.
    horizon_days, annual_discount_rate, margin, level, seed
        As in `ValuationTerms`.
    draws
        None for as many as the number of customers allows.
    """

    model: Model
    horizon_days: int
    annual_discount_rate: float
    margin: float
    level: float
    draws: int | None
    seed: int

    def terms(self, customers: int) -> ValuationTerms:
        """Return the terms for so many customers."""
        return ValuationTerms(
            horizon_days=self.horizon_days,
            annual_discount_rate=self.annual_discount_rate,
            margin=self.margin,
            level=self.level,
            draws=self.draws or draws_for(customers, self.level),
            seed=self.seed,
        )


def valued(transactions: Transactions, until: date | None, wanted: Wanted, *, say: Callable[[str], None]) -> Valued:
    """Return what each customer is worth."""
    end = until or transactions.until
    say("one row per customer")
    rfm = summarise(transactions, until=end)
    terms = wanted.terms(rfm.height)
    say(f"fitting the models to {rfm.height:,} customers")
    purchases, spend = fit(rfm, model=wanted.model, observed_until=end), fit_spend(rfm, observed_until=end)
    say("examining the fits")
    diagnosis = diagnose(rfm, purchases, spend)
    say(f"what comes, in {terms.draws:,} draws")
    return Valued(
        values=customer_values(rfm, purchases, spend, terms),
        diagnosis=diagnosis,
        title=purchases.title,
        until=end,
        customers=rfm.height,
    )


if TYPE_CHECKING:
    from cxsim.data.orders import Transactions

_TOP = 10
_SEVERITIES = {"stop": "bold red", "caution": "yellow", "note": "dim"}
_TEXTS = frozenset({"strategy", "decision"})


def print_returns(returns: pl.DataFrame, currency: str, title: str) -> None:
    """Print the headline: one row per strategy."""
    table = Table()
    for name in ("strategy", "decision", "outlay", "incremental NPV", "90 % interval", "P(NPV > 0)", "ROI", "payback"):
        table.add_column(name, justify="left" if name in _TEXTS else "right")
    for row in returns.iter_rows(named=True):
        table.add_row(
            plain(row["title"]),
            plain(row["decision"], style=_COLOURS[row["decision"]]),
            _showing_whole(row["outlay"]),
            f"{_showing_whole(row['incremental_npv'])} ± {_showing_whole(row['npv_mc_error'])}",
            f"{_showing_whole(row['npv_low'])} to {_showing_whole(row['npv_high'])}",
            f"{row['prob_npv_positive']:.1%} ± {row['prob_mc_error']:.1%}",
            "–" if row["roi"] is None else f"{_showing_whole(100 * row['roi'])} %",
            "not within the horizon" if row["payback_months"] is None else f"{row['payback_months']:.0f} months",
        )
    out = console()
    out.print(plain(title))
    out.print(table)
    out.print(plain(f"Amounts in {currency}; 90 % intervals over draws; ± Monte Carlo error."))


def print_hygiene(transactions: Transactions) -> None:
    """Print what became of every row."""
    console().print(plain(transactions.hygiene))


def print_fit(found: Fitted) -> None:
    """Print summary, parameters and the most valuable customers."""
    out = console()
    _print_table("Customers", found.summary)
    for title, model in (
        (f"Orders and leaving: {found.purchases.title}, time in days", found.purchases),
        ("Spend per order: Gamma-Gamma", found.spend),
    ):
        _print_table(title, model.estimates().with_columns(pl.col(pl.Float64).round(6)))
        out.print(f"Log-likelihood {model.log_likelihood:,.3f}, {model.n_customers:,} customers")
    print_findings(found.diagnosis.table)
    top = found.value.head(_TOP).with_columns(pl.col(pl.Float64).round(3))
    _print_table(f"Most valuable in the next {found.horizon_days} days (discounted revenue)", top)


def print_json(found: Fitted) -> None:
    """Print the same as JSON, with all digits."""
    content = {
        "observed_until": found.until.isoformat(),
        "hygiene": found.hygiene.table.to_dicts(),
        "purchases": {
            "model": found.purchases.model,
            "k": found.purchases.params.k,
            "time_unit": "day",
            "parameters": found.purchases.estimates().to_dicts(),
            "log_likelihood": found.purchases.log_likelihood,
            "n_customers": found.purchases.n_customers,
        },
        "spend": {
            "model": "gamma-gamma",
            "parameters": found.spend.estimates().to_dicts(),
            "log_likelihood": found.spend.log_likelihood,
            "n_customers": found.spend.n_customers,
        },
        "findings": found.diagnosis.table.to_dicts(),
        "value": {"horizon_days": found.horizon_days, "customers": found.value.head(_TOP).to_dicts()},
    }
    print(json.dumps(content, indent=1, allow_nan=False))  # noqa: T201 - the command's result


def print_findings(findings: pl.DataFrame) -> None:
    """Print what the orders cannot say of the fits: severity, sentence and advice, the gravest first."""
    out = console()
    out.print()
    for severity, sentence, advice in findings.select("severity", "sentence", "advice").iter_rows():
        out.print(plain(f"{severity.capitalize()}:", style=_SEVERITIES[severity]), plain(f"{sentence} {advice}"))
    if findings.is_empty():
        out.print("The examination of the fits found nothing to report.")


def print_values(valued: Valued) -> None:
    """Print what all customers together are worth, and what must be said beside it."""
    terms = valued.values.terms
    span = f"next {terms.horizon_days:,.0f} days"
    rows = {
        f"orders in the {span}": "orders",
        f"customers who order in the {span}": "buyers",
        f"value in the {span}, today": "value",
    }
    totals = {row["quantity"]: row for row in valued.values.totals.iter_rows(named=True)}
    interval = f"{100 * terms.level:g} % interval"
    alive = valued.values.table["prob_alive"].sum()
    lines = [("customers", f"{valued.customers:,}", ""), ("of these still customers, expected", f"{alive:,.0f}", "")]
    for words, quantity in rows.items():
        found = totals[quantity]
        lines.append((words, f"{found['mean']:,.0f}", f"{found['low']:,.0f} to {found['high']:,.0f}"))
    title = f"Customers until {valued.until.isoformat()}, by {valued.title}"
    _print_table(title, pl.DataFrame(lines, schema=["quantity", "expected", interval], orient="row"))
    for remark in valued.values.remarks:
        console().print(plain(remark))
    print_findings(valued.diagnosis.table)


def _showing_whole(number: float) -> str:
    """Return a rounded number, without the minus sign that a small negative one would leave before its zero."""
    return f"{round(number):,}"


def _print_table(title: str, content: pl.DataFrame) -> None:
    table = Table()
    for name in content.columns:
        table.add_column(name.replace("_", " "), justify="right" if content.schema[name].is_numeric() else "left")
    for row in content.iter_rows():
        table.add_row(*(_cell(cell) for cell in row))
    out = console()
    out.print()
    out.print(plain(title))
    out.print(table)


def _cell(cell: object) -> str | Text:
    if cell is None:
        return "–"
    return plain(f"{cell:,}" if isinstance(cell, float) else cell)


ENDINGS = (".csv", ".parquet")
# A spreadsheet runs a cell that begins like this as a formula (OWASP, "CSV Injection").
_FORMULA = r"^[=+\-@\t\r]"
# All that an expected number can mean; a file for ten million customers is then a third smaller.
_DIGITS = 6


def require_table_file(path: Path) -> None:
    """Refuse, before anything is reckoned, a file that a table cannot be written to."""
    if path.suffix.lower() not in ENDINGS:
        raise ReportError(f"{path}: file ending '{path.suffix}' is not known; possible: {', '.join(ENDINGS)}.")
    if path.is_dir():
        raise ReportError(f"{path}: this is a folder; the table is a file.")
    if not path.absolute().parent.is_dir():
        raise ReportError(f"{path}: there is no folder {path.parent}; make it, or choose another.")


def write_table(table: pl.DataFrame, path: Path) -> None:
    """Write a table under another name first, so that nobody ever reads half of it."""
    require_table_file(path)
    half = path.with_name(f".{path.name}.half-written")
    try:
        if path.suffix.lower() == ".csv":
            _for_spreadsheets(table).write_csv(half)
        else:
            table.write_parquet(half)
        half.replace(path)
    except OSError as error:
        raise ReportError(f"{path}: cannot be written ({error.strerror or error}).") from error
    finally:
        half.unlink(missing_ok=True)


def _for_spreadsheets(table: pl.DataFrame) -> pl.DataFrame:
    # One by one: a text and its apostrophe are put together of one column, not of all texts.
    texts = [pl.col(name) for name in table.select(cs.string()).columns]
    escaped = [
        pl.when(text.str.contains(_FORMULA)).then(pl.concat_str(pl.lit("'"), text)).otherwise(text).name.keep()
        for text in texts
    ]
    return table.with_columns(*escaped, cs.float().round_sig_figs(_DIGITS))
