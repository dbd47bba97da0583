"""An empty folder goes in, the settings of a kernel come out: this interpreter, behind sockets in that folder."""

from __future__ import annotations

import os
import site
import sys
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from traitlets.config import Config

# sockaddr_un.sun_path holds 104 bytes on macOS and 108 on Linux, with the closing zero; "-5" is appended to the name.
_LONGEST_SOCKET_PATH = 100


_LAUNCH = (
    "from cxsim.unneeded import leave_out; leave_out(); "
    "from ipykernel import kernelapp; kernelapp.launch_new_instance()"
)


class OwnKernel(AsyncKernelManager):
    """Start this very interpreter as the kernel, whatever kernels a user has installed."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """Return the command and the environment of the kernel."""
        return KernelSpec(
            argv=[sys.executable, "-Xfrozen_modules=off", "-c", _LAUNCH, "-f", "{connection_file}"],
            display_name="Python 3",
            language="python",
            env={
                # No start-up files and no history of the user: they would be an input that the audit trail misses.
                "IPYTHONDIR": str(Path(self.connection_file).parent / "ipython"),
                "PYTHONPATH": _search_path(),
                "PYDEVD_DISABLE_FILE_VALIDATION": "1",
                "TQDM_DISABLE": "1",
            },
        )

    async def start_kernel(self, *, extra_arguments: list[str], cwd: str) -> None:  # type: ignore[override]  # as called
        """Start the kernel; what its process says about itself goes to a file, not to the terminal."""
        with Path(self.connection_file).with_suffix(".log").open("wb") as log:
            await super().start_kernel(stdout=log, stderr=log, extra_arguments=extra_arguments, cwd=cwd)


def kernel_settings(folder: Path) -> Config:
    """Return the settings under which `OwnKernel` keeps its sockets in a folder."""
    sockets = folder / "kernel-ipc-5"
    fits = len(os.fsencode(sockets)) <= _LONGEST_SOCKET_PATH
    transport = "ipc" if os.name == "posix" and fits else "tcp"
    return Config({"OwnKernel": {"connection_file": str(folder / "kernel.json"), "transport": transport}})


def _search_path() -> str:
    """Let the kernel import this very cxsim when it runs from a checkout that is not installed."""
    root = str(Path(__file__).resolve().parents[2])
    given = os.environ.get("PYTHONPATH")
    # In front of the standard library, a folder of installed packages could hide parts of it.
    installed = root in {*site.getsitepackages(), site.getusersitepackages()}
    return os.pathsep.join(part for part in ("" if installed else root, given) if part)
