"""The contracts of the tables that cross a file boundary, and the check that a table keeps its contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl
from polars.datatypes import DataType, DataTypeClass

from cxsim.errors import TableError, choices

ColumnType = DataType | DataTypeClass


class Kind(tuple[ColumnType, ...]):
    """Types that a column may have, the first one preferred; called with names, the columns that have them."""

    __slots__ = ()

    def __call__(self, *names: str) -> dict[str, Kind]:
        """Return the named columns of a contract."""
        return dict.fromkeys(names, self)


TEXT, COUNT, REAL, FLAG = Kind([pl.String]), Kind([pl.Int64]), Kind([pl.Float64]), Kind([pl.Boolean])
# The place of a month or a draw.
INDEX = Kind([pl.Int32])
DAY, TIME, MOMENT = Kind([pl.Date]), Kind([pl.Datetime]), Kind([pl.Date, pl.Datetime])
ID = Kind([pl.String, pl.Int64, pl.Int32, pl.UInt32, pl.UInt64])
NUMBER, NAME = Kind([pl.Float64, pl.Int64]), Kind([pl.Enum, pl.String])


class Contract:
    """Names and types that a table must have, and where a value may be missing.

    A table may lack the columns that are optional, but one that has them keeps to their types.
    """

    def __init__(
        self,
        name: str,
        *columns: Mapping[str, Kind],
        nullable: Iterable[str] = (),
        optional: Mapping[str, Kind] | None = None,
    ) -> None:
        self.name = name
        self.columns = {column: kind for part in columns for column, kind in part.items()}
        self.nullable = frozenset(nullable)
        self.optional = optional or {}


# Money is in units of the currency wherever it is a Float64, and in millionths of it where it is an Int64. Shares and
# probabilities are between 0 and 1; `low` and `high` are the 5 % and 95 % quantiles over draws.
TRANSACTIONS = Contract("TRANSACTIONS", ID("customer_id"), MOMENT("ordered_at"), REAL("amount"))
# Sum of the natural logarithms of the gaps in days between a customer's successive order days.
RFM = Contract(
    "RFM",
    ID("customer_id"),
    COUNT("frequency", "recency_days", "age_days"),
    REAL("monetary_value"),
    nullable=("monetary_value",),
    optional=REAL("log_gaps"),
)
CUSTOMERS = Contract(
    "CUSTOMERS",
    TEXT("origin"),
    COUNT("frequency", "recency_days", "age_days", "idle_days"),
    REAL("monetary_value"),
    nullable=("monetary_value",),
)
LEDGER = Contract("LEDGER", INDEX("draw"), NAME("arm", "cohort"), INDEX("month"), NAME("account"), COUNT("amount"))
STATEMENT = Contract(
    "STATEMENT",
    TEXT("strategy"),
    INDEX("month"),
    DAY("starts_on"),
    TEXT("line"),
    REAL("baseline", "treated", "incremental", "low", "high"),
)
# The period of TOTALS that stands for the whole horizon; all others are years.
WHOLE_HORIZON = "Total"
TOTALS = Contract(
    "TOTALS", TEXT("strategy", "period", "line"), REAL("baseline", "treated", "incremental", "low", "high")
)
# One row per strategy. investment: present value of what it spends beyond the baseline; roi: incremental_npv over
# investment; profitability_index: benefits over investment, 1 + roi, the factor by which the investment could be
# multiplied before the NPV is 0, all else equal (0 or less: not even if it were free). payback_months: median over
# draws, payback_months_late: their 90 % quantile; both null where that many draws have not paid back by the horizon.
# *_mc_error: standard error over draws.
RETURNS = Contract(
    "RETURNS",
    TEXT("strategy", "title", "decision"),
    REAL(
        "investment",
        "incremental_npv",
        "npv_low",
        "npv_high",
        "npv_mc_error",
        "prob_npv_positive",
        "prob_mc_error",
        "roi",
        "roi_low",
        "roi_high",
        "roi_mc_error",
        "prob_payback",
        "payback_months",
        "payback_months_late",
        "payback_mc_error",
        "profitability_index",
    ),
    COUNT("customers", "draws"),
    nullable=(
        "roi",
        "roi_low",
        "roi_high",
        "roi_mc_error",
        "payback_months",
        "payback_months_late",
        "payback_mc_error",
        "profitability_index",
    ),
)
# The same for each structure of orders and leaving by itself: one row per structure and strategy.
STRUCTURES = Contract("STRUCTURES", TEXT("structure"), RETURNS.columns, nullable=RETURNS.nullable)
CASH = Contract("CASH", TEXT("strategy"), INDEX("month"), DAY("ends_on"), REAL("mean", "low", "high"))
ASSUMPTIONS = Contract(
    "ASSUMPTIONS",
    TEXT("id", "belongs_to", "description", "unit"),
    REAL("value", "low", "high"),
    TEXT("evidence", "source"),
    nullable=("source",),
)
# What a reader must know of a strategy before believing its results.
CAUTIONS = Contract("CAUTIONS", TEXT("strategy", "title", "caution"))
# How large the searched effect of a strategy must be for it to pay: `break_even` in `unit`, between `searched_low` and
# `searched_high`; null where the strategy pays at neither end or at both, whose NPVs are given.
BREAK_EVEN = Contract(
    "BREAK_EVEN",
    TEXT("strategy", "title", "effect", "description", "unit"),
    REAL("searched_low", "searched_high", "npv_low", "npv_high", "break_even", "npv_mc_error"),
    COUNT("draws"),
    nullable=("break_even",),
)
# What the strategy brings at some sizes of the searched effect, with the interval over draws of everything else.
CURVE = Contract(
    "CURVE", TEXT("strategy", "title", "effect", "description", "unit"), REAL("size", "npv", "low", "high")
)


def empty(contract: Contract) -> pl.DataFrame:
    """Return a table without rows that keeps `contract`."""
    return pl.DataFrame(schema={name: kind[0] for name, kind in contract.columns.items()})


def table_of(rows: Iterable[Mapping[str, object] | Sequence[object]], contract: Contract) -> pl.DataFrame:
    """Return rows, by column or in the order of the contract, as a table under `contract`."""
    return check(pl.DataFrame(list(rows), schema=empty(contract).schema, orient="row"), contract)


def ordered(table: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Return the columns of `contract`, in their order, of a table that keeps it."""
    return check(table.select(list(contract.columns)), contract)


def check(table: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Return `table` unchanged if it keeps `contract`."""
    schema = table.schema
    for name, kind in {**contract.columns, **contract.optional}.items():
        if name not in schema:
            if name in contract.columns:
                raise TableError(f"{contract.name}: no column '{name}'; {choices(name, schema)}")
        elif schema[name] not in kind:
            possible = " or ".join(map(str, kind))
            raise TableError(f"{contract.name}: column '{name}' is {schema[name]}; it must be {possible}.")
        elif name not in contract.nullable and (gaps := table[name].null_count()):
            raise TableError(
                f"{contract.name}: column '{name}' misses {gaps} of {table.height} values; none may be missing."
            )
    return table
