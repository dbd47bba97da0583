"""The contracts of the tables that cross a file boundary, and the check that a table keeps its contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl
from polars.datatypes import DataType, DataTypeClass

from cxsim.errors import TableError, choices

Kind = DataType | DataTypeClass


@dataclass(frozen=True, kw_only=True, slots=True)
class Contract:
    """Names and types that a table must have.

    Attributes
    ----------
    name
        Name of the contract, in capitals.
    columns
        For each column the types that are allowed, the first one preferred.
    nullable
        Columns in which a value may be missing.
    optional
        Further columns with their types: a table may lack them, but one that has them keeps to the types.
    """

    name: str
    columns: Mapping[str, tuple[Kind, ...]]
    nullable: frozenset[str] = frozenset()
    optional: Mapping[str, tuple[Kind, ...]] = field(default_factory=dict)


# Kinds of columns, for the contracts that lie with what produces them.
TEXT: tuple[Kind, ...] = (pl.String,)
COUNT: tuple[Kind, ...] = (pl.Int64,)
MONTH: tuple[Kind, ...] = (pl.Int32,)
REAL: tuple[Kind, ...] = (pl.Float64,)
FLAG: tuple[Kind, ...] = (pl.Boolean,)
DAY: tuple[Kind, ...] = (pl.Date,)

_ID: tuple[Kind, ...] = (pl.String, pl.Int64, pl.Int32, pl.UInt32, pl.UInt64)
_TEXT: tuple[Kind, ...] = (pl.String,)
_COUNT: tuple[Kind, ...] = (pl.Int64,)
_REAL: tuple[Kind, ...] = (pl.Float64,)

# Money is in units of the currency wherever it is a Float64, and in millionths of it where it is an Int64. Shares and
# probabilities are between 0 and 1; `low` and `high` are the 5 % and 95 % quantiles over draws.
TRANSACTIONS = Contract(
    name="TRANSACTIONS",
    columns={"customer_id": _ID, "ordered_at": (pl.Date, pl.Datetime), "amount": _REAL},
)
RFM = Contract(
    name="RFM",
    columns={
        "customer_id": _ID,
        "frequency": _COUNT,
        "recency_days": _COUNT,
        "age_days": _COUNT,
        "monetary_value": _REAL,
    },
    nullable=frozenset({"monetary_value"}),
    # Sum of the natural logarithms of the gaps in days between a customer's successive order days.
    optional={"log_gaps": _REAL},
)
CUSTOMERS = Contract(
    name="CUSTOMERS",
    columns={
        "origin": _TEXT,
        "frequency": _COUNT,
        "recency_days": _COUNT,
        "age_days": _COUNT,
        "idle_days": _COUNT,
        "monetary_value": _REAL,
    },
    nullable=frozenset({"monetary_value"}),
)
LEDGER = Contract(
    name="LEDGER",
    columns={
        "draw": (pl.Int32,),
        "arm": (pl.Enum, pl.String),
        "cohort": (pl.Enum, pl.String),
        "month": (pl.Int32,),
        "account": (pl.Enum, pl.String),
        "amount": _COUNT,
    },
)
STATEMENT = Contract(
    name="STATEMENT",
    columns={
        "strategy": _TEXT,
        "month": (pl.Int32,),
        "starts_on": (pl.Date,),
        "line": _TEXT,
        "baseline": _REAL,
        "treated": _REAL,
        "incremental": _REAL,
        "low": _REAL,
        "high": _REAL,
    },
)
# The period of TOTALS that stands for the whole horizon; all others are years.
WHOLE_HORIZON = "Total"
TOTALS = Contract(
    name="TOTALS",
    columns={
        "strategy": _TEXT,
        "period": _TEXT,
        "line": _TEXT,
        "baseline": _REAL,
        "treated": _REAL,
        "incremental": _REAL,
        "low": _REAL,
        "high": _REAL,
    },
)
# One row per strategy. outlay: present value of what it spends beyond the baseline; roi: incremental_npv over outlay;
# break_even_scale: 1 + roi, the factor by which the outlay could be multiplied before the NPV is 0, all else equal
# (0 or less: it does not pay even for nothing). payback_months: median over draws, payback_months_late: their 90 %
# quantile; both null where that many draws have not paid back by the horizon. *_mc_error: standard error over draws.
RETURNS = Contract(
    name="RETURNS",
    columns={
        "strategy": _TEXT,
        "title": _TEXT,
        "decision": _TEXT,
        "outlay": _REAL,
        "incremental_npv": _REAL,
        "npv_low": _REAL,
        "npv_high": _REAL,
        "npv_mc_error": _REAL,
        "prob_npv_positive": _REAL,
        "prob_mc_error": _REAL,
        "roi": _REAL,
        "roi_low": _REAL,
        "roi_high": _REAL,
        "roi_mc_error": _REAL,
        "prob_payback": _REAL,
        "payback_months": _REAL,
        "payback_months_late": _REAL,
        "payback_mc_error": _REAL,
        "break_even_scale": _REAL,
        "customers": _COUNT,
        "draws": _COUNT,
    },
    nullable=frozenset(
        {
            "roi",
            "roi_low",
            "roi_high",
            "roi_mc_error",
            "payback_months",
            "payback_months_late",
            "payback_mc_error",
            "break_even_scale",
        }
    ),
)
# The same for each structure of orders and leaving by itself: one row per structure and strategy.
STRUCTURES = Contract(name="STRUCTURES", columns={"structure": _TEXT, **RETURNS.columns}, nullable=RETURNS.nullable)
CASH = Contract(
    name="CASH",
    columns={
        "strategy": _TEXT,
        "month": (pl.Int32,),
        "ends_on": (pl.Date,),
        "mean": _REAL,
        "low": _REAL,
        "high": _REAL,
    },
)
ASSUMPTIONS = Contract(
    name="ASSUMPTIONS",
    columns={
        "id": _TEXT,
        "belongs_to": _TEXT,
        "description": _TEXT,
        "unit": _TEXT,
        "value": _REAL,
        "low": _REAL,
        "high": _REAL,
        "evidence": _TEXT,
        "source": _TEXT,
    },
    nullable=frozenset({"source"}),
)
# What a reader must know of a strategy before believing its results.
CAUTIONS = Contract(name="CAUTIONS", columns={"strategy": _TEXT, "title": _TEXT, "caution": _TEXT})
# How large the searched effect of a strategy must be for it to pay: `break_even` in `unit`, between `searched_low` and
# `searched_high`; null where the strategy pays at neither end or at both, whose NPVs are given.
BREAK_EVEN = Contract(
    name="BREAK_EVEN",
    columns={
        "strategy": _TEXT,
        "title": _TEXT,
        "effect": _TEXT,
        "description": _TEXT,
        "unit": _TEXT,
        "searched_low": _REAL,
        "searched_high": _REAL,
        "npv_low": _REAL,
        "npv_high": _REAL,
        "break_even": _REAL,
        "npv_mc_error": _REAL,
        "draws": _COUNT,
    },
    nullable=frozenset({"break_even"}),
)
# What the strategy brings at some sizes of the searched effect, with the interval over draws of everything else.
CURVE = Contract(
    name="CURVE",
    columns={
        "strategy": _TEXT,
        "title": _TEXT,
        "effect": _TEXT,
        "description": _TEXT,
        "unit": _TEXT,
        "size": _REAL,
        "npv": _REAL,
        "low": _REAL,
        "high": _REAL,
    },
)


def empty(contract: Contract) -> pl.DataFrame:
    """Return a table without rows that keeps `contract`."""
    return pl.DataFrame(schema={name: kinds[0] for name, kinds in contract.columns.items()})


def table_of(rows: Iterable[Mapping[str, object] | Sequence[object]], contract: Contract) -> pl.DataFrame:
    """Return rows, by column or in the order of the contract, as a table under `contract`."""
    return check(pl.DataFrame(list(rows), schema=empty(contract).schema, orient="row"), contract)


def check(table: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Return `table` unchanged if it keeps `contract`."""
    present = {name: kinds for name, kinds in contract.optional.items() if name in table.columns}
    for name, allowed in {**contract.columns, **present}.items():
        if name not in table.columns:
            raise TableError(f"{contract.name}: no column '{name}'; {choices(name, table.columns)}")
        found = table.schema[name]
        if not any(found.is_(kind) or found == kind for kind in allowed):
            raise TableError(
                f"{contract.name}: column '{name}' is {found}; it must be {' or '.join(map(str, allowed))}."
            )
        missing = table[name].null_count()
        if missing and name not in contract.nullable:
            raise TableError(
                f"{contract.name}: column '{name}' misses {missing} of {table.height} values; none may be missing."
            )
    return table
