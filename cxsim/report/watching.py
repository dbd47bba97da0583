"""A notebook that is being executed in; what its bars of progress say, as it happens, out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from traitlets import Any as AnyTrait

ENGINE = "cxsim"
_BAR = "<progress "


class _Watched(PapermillNotebookClient):  # type: ignore[misc]  # papermill carries no types
    """papermill's client, which also tells what bars say while a cell runs."""

    say = AnyTrait(default_value=None)

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """Pass a message on; a bar's new text is told first."""
        if self.say is not None and msg["msg_type"] == "update_display_data":
            data = msg["content"].get("data", {})
            if str(data.get("text/html", "")).startswith(_BAR):
                self.say(str(data.get("text/plain", "")))
        output: NotebookNode | None = super().process_message(msg, cell, cell_index)
        return output


class _Engine(NBClientEngine):  # type: ignore[misc]  # papermill carries no types
    """papermill's engine with the client that tells."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **settings: Any) -> Any:
        """Execute with the settings that a client knows."""
        known = {name: value for name, value in settings.items() if name in _Watched.class_trait_names()}
        started = settings.get("start_timeout", 60)
        client = _Watched(nb_man, kernel_name=kernel_name, startup_timeout=started, **known)
        return client.execute()


def watch(say: Callable[[str], None] | None) -> dict[str, object]:
    """Return the settings of papermill under which `say` is called with each new text of a bar."""
    papermill_engines.register(ENGINE, _Engine)
    return {"engine_name": ENGINE, "say": say}
