"""How compiled functions are compiled, and where their machine code is kept: the one door to numba.

numba keeps compiled code beside each file and looks at that file alone when it decides whether it is stale. Our
functions are inlined across files, so code that was compiled against yesterday's other files would go on being used.
The code of a package is therefore kept in a folder named after the content of everything that it is compiled from.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba import njit
from numba.core.types import unliteral

_Compiled = TypeVar("_Compiled", bound=Callable[..., object])

_PACKAGE = Path(__file__).parent
# What the compiled functions of a package call, beside the package itself.
_BELOW = {
    "rng": (),
    "clv": ("rng.py",),
    "simulation": ("rng.py",),
}


def lean(function: _Compiled) -> _Compiled:
    """Compile a function without reference counts on the arrays that go from function to function.

    They cost more than half of the simulation's time. Safe for functions that neither make an array nor keep one.
    """
    return _kept(function, _nrt=False)


def inlined(function: _Compiled) -> _Compiled:
    """Compile a lean function into each of its callers, so that a dozen arrays need not be handed on to it.

    This saves a third of the simulation's time where programmes run, and a sixth in the baseline.
    """
    return _kept(function, _nrt=False, inline=True)


def counted(function: _Compiled) -> _Compiled:
    """Compile a function that makes arrays."""
    return _kept(function, _nrt=True)


def _kept(function: _Compiled, *, _nrt: bool, inline: bool = False) -> _Compiled:
    # Neither the option _nrt nor the setting CACHE_DIR is in numba's types.
    compiler: Any = njit
    settings: Any = numba.config
    folder = _folder(function.__module__.partition(".")[2].partition(".")[0])
    before = settings.CACHE_DIR
    settings.CACHE_DIR = str(folder) if folder else before
    try:
        dispatcher = compiler(cache=folder is not None, nogil=True, forceinline=inline, _nrt=_nrt)(function)
        compiled: _Compiled = _for_any_number(dispatcher)
        return compiled
    finally:
        settings.CACHE_DIR = before


def _for_any_number(dispatcher: Any) -> Any:
    """Let a function be compiled once for all whole numbers, and not once more for each that is written in a call.

    numba takes a number written in the code for a type of its own. A function that such a number steers,
    as ours are, would be compiled dozens of times: more than half of the first call's time.
    """
    template: Callable[..., Any] = dispatcher.get_call_template
    plain_type: Callable[[Any], Any] = unliteral

    def without_literals(args: Sequence[Any], kws: Mapping[str, Any]) -> Any:
        plain = {name: plain_type(kind) for name, kind in kws.items()}
        return template(tuple(plain_type(kind) for kind in args), plain)

    dispatcher.get_call_template = without_literals
    return dispatcher


@functools.cache
def _folder(package: str) -> Path | None:
    """Return the folder for this very code, made if need be; None where none can be made: it is then compiled anew."""
    if package not in _BELOW:
        return None
    content = hashlib.sha256(numba.__version__.encode())
    patterns = (*_BELOW[package], f"{package}.py", f"{package}/**/*.py")
    sources = [path for pattern in patterns for path in _PACKAGE.glob(pattern)]
    for path in sorted([Path(__file__), *sources]):
        content.update(path.read_bytes())
    folder = _PACKAGE / "__pycache__" / f"{package}-{content.hexdigest()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder
