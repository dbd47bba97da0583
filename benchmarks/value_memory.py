"""Peak memory of one process that values so many customers: `python -m benchmarks.value_memory 1000000`."""

from __future__ import annotations

import json
import sys

from benchmarks.peaks import peak
from benchmarks.shop import order_log
from benchmarks.terms import HORIZON_DAYS, RATE
from cxsim.clv.fit import fit, fit_spend
from cxsim.data import read_transactions
from cxsim.data.rfm import summarise


def main(customers: int) -> None:
    """Summarise, fit and value, and print the peak after each."""
    rfm = summarise(read_transactions(order_log(customers)))
    after = {"summary": peak()}
    purchases, spend = fit(rfm), fit_spend(rfm)
    after["fit"] = peak()
    purchases.clv(rfm, spend, annual_discount_rate=RATE, horizon_days=HORIZON_DAYS)
    after["value"] = peak()
    print(json.dumps(after))


if __name__ == "__main__":
    main(int(sys.argv[1]))
