"""Work done and its total in; a bar in Jupyter that leaves nothing behind out.

The bar is an output that begins and ends empty, so the stored notebook is the same whether or not somebody watched.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

_EMPTY = {"text/html": "", "text/plain": ""}
# So many steps a bar has; more would only be sent and not be seen.
_STEPS = 50


def notebook_bar(task: str) -> Callable[[int, int], None] | None:
    """Return a function of done and total that draws a bar; None where no Jupyter kernel runs."""
    if not _in_kernel():
        return None
    handle: Any = sys.modules["IPython.display"].DisplayHandle()
    handle.display(_EMPTY, raw=True)
    shown = 0

    def show(done: int, total: int) -> None:
        nonlocal shown
        step = done * _STEPS // total
        if done == total:
            handle.update(_EMPTY, raw=True)
        elif step > shown:
            shown = step
            told = f"{task}: {done} of {total}"
            bar = f'<progress value="{done}" max="{total}"></progress> {told}'
            handle.update({"text/html": bar, "text/plain": told}, raw=True)

    return show


def _in_kernel() -> bool:
    """Return whether this is a Jupyter kernel; IPython is looked for, not loaded, as a script has no use for it."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return hasattr(shell, "kernel") and "IPython.display" in sys.modules
