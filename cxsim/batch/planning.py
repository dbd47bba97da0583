"""The name of a scenario or a valuation in; the report that is to be made of it, as a task, out."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from cxsim.batch.inputs import report_inputs
from cxsim.batch.task import ReportWork, Task
from cxsim.batch.writing import INDEX
from cxsim.errors import ParamError
from cxsim.params import names, root
from cxsim.report.render import Code
from cxsim.scenario import Scenario, Valuation, canonical, load_case, parsed_changes

COMPARISON = "02-compare-strategies.ipynb"
CUSTOMER_VALUE = "03-customer-value.ipynb"
BREAK_EVEN = "06-how-large-must-it-be.ipynb"

# File systems allow 255 bytes for a name; what is put before and after it is shorter than the rest.
_LONGEST = 140
_SAFE = re.compile(r"[^A-Za-z0-9._=,+-]")


def every_case() -> tuple[str, ...]:
    """Return the names of all scenarios and valuations under params/: scenarios first, each kind sorted."""
    return (*names("scenarios"), *names("valuations"))


def report_task(given: str, *, changes: str = "", out: Path | None = None, code: Code = "hidden") -> Task:
    """Return the task of making a report."""
    case, written = load_case(given, changes), canonical(changes)
    place = str(Path(given).resolve()) if given.endswith((".yaml", ".yml")) else given
    folder = root() / "reports" if out is None else out
    page = folder if folder.suffix == ".html" else folder / page_name(case.name, written)
    if page.name == INDEX and page != out:
        raise ParamError(f"'{case.name}' would be written over the index of all reports; name the file otherwise.")
    notebook = root() / "notebooks" / notebook_of(case)
    parameters = {"scenario" if isinstance(case, Scenario) else "valuation": place}
    return Task(
        name=page.stem if out is None or out.suffix != ".html" else case.name,
        page=page.absolute(),
        inputs=report_inputs(case, given, notebook=notebook, code=code),
        work=ReportWork(
            notebook=notebook,
            # Notebooks without changes need not know the parameter.
            parameters=parameters | ({"changes": written} if written else {}),
            title=case.title,
            code=code,
        ),
    )


def page_name(case: str, changes: str) -> str:
    """Return the name of a report's file, which tells what was changed."""
    parts = [case, *(f"{key}={value}" for key, value in parsed_changes(changes).items())]
    stem = _SAFE.sub("_", ",".join(part for part in parts if part))
    if len(stem) > _LONGEST:
        stem = f"{stem[:_LONGEST]},{_short_hash(stem)}"
    return f"{stem}.html"


def notebook_of(case: Scenario | Valuation) -> str:
    """Return the notebook of a valuation, of a scenario with returns, or of one that only searches."""
    if not isinstance(case, Scenario):
        return CUSTOMER_VALUE
    return COMPARISON if case.believed else BREAK_EVEN


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:10]
