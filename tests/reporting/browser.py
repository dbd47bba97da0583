"""An HTML file goes in, what a browser makes of it comes out; Chromium without a window, by its own protocol."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import websocket

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
]


@dataclass(kw_only=True, slots=True)
class Tab:
    """One tab of the browser; `events` holds what it reported since the last call of `open`."""

    socket: websocket.WebSocket
    events: list[dict[str, object]] = field(default_factory=list)
    sent: int = 0

    def call(self, method: str, **parameters: object) -> dict:
        """Send a command and return its answer; reports that arrive before it are kept."""
        self.sent += 1
        self.socket.send(json.dumps({"id": self.sent, "method": method, "params": parameters}))
        while (message := json.loads(self.socket.recv())).get("id") != self.sent:
            self.events.append(message)
        assert "error" not in message, f"{method}: {message}"
        return message["result"]

    def evaluate(self, expression: str) -> object:
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        return answer["result"].get("value")

    def open(self, page: Path, *, width: int = 1280, scripts: str = "on", charts: str = "live") -> None:
        """Open a file, and wait until it is complete and each of its charts is drawn that is not folded or still."""
        self.events.clear()
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
        )
        self.call("Emulation.setScriptExecutionDisabled", value=scripts == "off")
        self.call("Page.navigate", url=page.absolute().as_uri())
        ready = "document.readyState === 'complete'"
        if scripts == "on" and charts == "live":
            ready += " && !document.querySelector('figure.cx-figure:not(.on):not(details:not([open]) *)')"
        self.wait_for(ready)

    def press(self, key: str) -> None:
        """Press and release a key, as a reader does who has no mouse."""
        code = {"Tab": 9, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowRight": 39}[key]
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def wait_for(self, condition: str, *, seconds: float = 8) -> None:
        until = time.monotonic() + seconds
        while not self.evaluate(condition) and time.monotonic() < until:
            time.sleep(0.03)

    def reported(self, *methods: str) -> list[dict]:
        """Return the details of the reports of some kinds."""
        self.evaluate("0")  # reads whatever is still waiting in the socket
        return [event["params"] for event in self.events if event["method"] in methods]

    def screenshot(self, target: Path, *, beyond: bool = True) -> None:
        target.write_bytes(self._decoded("Page.captureScreenshot", captureBeyondViewport=beyond))

    def print_pdf(self, target: Path) -> None:
        target.write_bytes(self._decoded("Page.printToPDF", printBackground=True, preferCSSPageSize=True))

    def _decoded(self, method: str, **parameters: object) -> bytes:
        return base64.b64decode(self.call(method, **parameters)["data"])


@contextlib.contextmanager
def browser(profile: Path) -> Iterator[Tab]:
    """Start Chromium with an empty profile; yield its first tab, with its reports switched on."""
    process = subprocess.Popen(
        [str(CHROMIUM), *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        root = websocket.create_connection(_address(profile), timeout=20)
        tab = Tab(socket=root)
        pages = [page for page in tab.call("Target.getTargets")["targetInfos"] if page["type"] == "page"]
        address = _address(profile).split("/devtools/")[0] + f"/devtools/page/{pages[0]['targetId']}"
        root.close()
        with contextlib.closing(websocket.create_connection(address, timeout=20)) as socket:
            tab = Tab(socket=socket)
            for domain in ("Network", "Page", "Runtime", "Log"):
                tab.call(f"{domain}.enable")
            yield tab
    finally:
        process.terminate()
        process.wait(timeout=60)


def _address(profile: Path) -> str:
    """Return where the browser listens; it writes the port it was given into its profile."""
    written = profile / "DevToolsActivePort"
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if written.exists() and len(lines := written.read_text().split()) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        time.sleep(0.03)
    raise TimeoutError("Chromium did not open its port.")
