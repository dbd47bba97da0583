"""Words in; every case of the groups they name, as soon as it is measured, out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import MappingProxyType

from benchmarks.dashboards import dashboards
from benchmarks.fitting import fits, posteriors
from benchmarks.measuring import Case
from benchmarks.reading import reading
from benchmarks.reporting import reporting
from benchmarks.simulator import simulator
from benchmarks.summarising import summaries
from benchmarks.valuing import memory, values, whole

GROUPS: MappingProxyType[str, Callable[[], Iterator[Case]]] = MappingProxyType(
    {
        "simulator": simulator,
        "reading": reading,
        "summary": summaries,
        "fit": fits,
        "value": values,
        "posterior": posteriors,
        "memory": memory,
        "whole": whole,
        "dashboard": dashboards,
        "report": reporting,
    }
)


def cases(words: Sequence[str]) -> Iterator[Case]:
    """Yield each case of the groups that are named, of all of them if none is; SystemExit for an unknown word."""
    strange = [word for word in words if word not in GROUPS]
    if strange:
        raise SystemExit(f"no benchmark '{strange[0]}'; possible: {', '.join(GROUPS)}.")
    for group in words or GROUPS:
        yield from GROUPS[group]()
