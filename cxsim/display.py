"""Facts of an object, and steps of a long task, in; what Jupyter shows of them out.

No colours, so that a table takes those of Jupyter's theme, light or dark.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from cxsim.wording import in_html


def facts_html(
    title: str, facts: Mapping[str, object], heads: Iterable[str] = (), rows: Iterable[Iterable[object]] = ()
) -> str:
    """Return a title, facts by their names, and a small table; every text is escaped.

    >>> facts_html("Mine & yours", {"orders": 3})
    '<p><strong>Mine &amp; yours</strong><br>orders: 3</p>'
    """
    lines = [f"<strong>{in_html(title)}</strong>"]
    lines += [in_html(f"{name}: {fact}") for name, fact in facts.items() if fact not in (None, "")]
    head = "".join(f"<th>{in_html(one)}</th>" for one in heads)
    body = "".join("<tr>" + "".join(f"<td>{in_html(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if head else ""
    return f"<p>{'<br>'.join(lines)}</p>{table}"


@contextmanager
def notebook_line(task: str) -> Iterator[Callable[[str], None]]:
    """Yield a function that writes what a task is at, in a Jupyter kernel and until it is done."""
    handle = _display()

    def say(words: str) -> None:
        if handle is not None:
            text = f"{task}: {words}"
            handle.update({"text/html": f"<progress></progress> {in_html(text)}", "text/plain": text}, raw=True)

    try:
        yield say
    finally:
        if handle is not None:
            handle.update(_EMPTY, raw=True)


_EMPTY = {"text/html": "", "text/plain": ""}
# So many steps a bar has; more would only be sent and not be seen.
_STEPS = 50


def notebook_bar(task: str) -> Callable[[int, int], None] | None:
    """Return a function of done and total that draws a bar; None where no Jupyter kernel runs."""
    handle = _display()
    if handle is None:
        return None
    shown = 0

    def show(done: int, total: int) -> None:
        nonlocal shown
        step = done * _STEPS // total
        if done == total:
            handle.update(_EMPTY, raw=True)
        elif step > shown:
            shown = step
            text = f"{task}: {done} of {total}"
            bar = f'<progress value="{done}" max="{total}"></progress> {text}'
            handle.update({"text/html": bar, "text/plain": text}, raw=True)

    return show


def _display() -> Any:
    """Return an empty display of a running Jupyter kernel, else None; a script has no use for IPython: not loaded."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if not hasattr(shell, "kernel") or "IPython.display" not in sys.modules:
        return None
    handle: Any = sys.modules["IPython.display"].DisplayHandle()
    handle.display(_EMPTY, raw=True)
    return handle
