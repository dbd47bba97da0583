"""How the functions of the kernel are compiled, and where the machine code is kept.

numba keeps compiled code beside each file and looks at that file alone when it decides whether it is stale. Our
functions are inlined across files, so code that was compiled against yesterday's other files would go on being used.
The code is therefore kept in a folder named after the content of all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba import njit

_Compiled = TypeVar("_Compiled", bound=Callable[..., object])


def lean(function: _Compiled) -> _Compiled:
    """Compile a function of the kernel without reference counts on the arrays that go from function to function.

    They cost more than half of the kernel's time. Safe for functions that neither make an array nor keep one.
    """
    return _kept(function, _nrt=False)


def inlined(function: _Compiled) -> _Compiled:
    """Compile a lean function into each of its callers, so that a dozen arrays need not be handed on to it.

    This saves a third of the kernel's time where programmes run, and a sixth in the baseline.
    """
    return _kept(function, _nrt=False, inline=True)


def counted(function: _Compiled) -> _Compiled:
    """Compile a function of the kernel that makes arrays."""
    return _kept(function, _nrt=True)


def _kept(function: _Compiled, *, _nrt: bool, inline: bool = False) -> _Compiled:
    # Neither the option _nrt nor the setting CACHE_DIR is in numba's types.
    compiler: Any = njit
    settings: Any = numba.config
    before = settings.CACHE_DIR
    settings.CACHE_DIR = str(_FOLDER) if _FOLDER else before
    try:
        compiled: _Compiled = compiler(cache=_FOLDER is not None, nogil=True, forceinline=inline, _nrt=_nrt)(function)
        return compiled
    finally:
        settings.CACHE_DIR = before


def _folder() -> Path | None:
    """Return the folder for this very code, made if need be; None where none can be made: it is then compiled anew."""
    package = Path(__file__).parent.parent
    content = hashlib.sha256(numba.__version__.encode())
    for path in sorted([*package.glob("rng/*.py"), *package.glob("simulation/*.py"), package / "tallies.py"]):
        content.update(path.read_bytes())
    folder = package / "__pycache__" / f"kernel-{content.hexdigest()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder


_FOLDER = _folder()
