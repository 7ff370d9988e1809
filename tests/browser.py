"""A browser without a window, steered through two pipes by its own protocol (Chrome DevTools)."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import sys
import time
from fcntl import F_DUPFD_CLOEXEC, fcntl
from pathlib import Path
from types import TracebackType
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-quic", "--host-resolver-rules=MAP * ~NOTFOUND"),
)

NONE_HERE = "no browser on this machine: Chromium or Chrome on the path, or named by BROWSER_FOR_TESTS, would be tried"
"""Why nothing is tried."""

PATIENCE = 60.0
"""Seconds to wait for an answer."""


def browser() -> str | None:
    """Return the browser of this machine: that of the variable BROWSER_FOR_TESTS, or one on the path."""
    named = os.environ.get("BROWSER_FOR_TESTS")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)


class Tab:
    """One page in a browser of its own; closed at the end of a ``with`` statement."""

    def __init__(self, program: str, folder: Path) -> None:
        hear, told = os.pipe()
        asked, say = os.pipe()
        quiet = [(os.POSIX_SPAWN_OPEN, place, os.devnull, os.O_RDWR, 0) for place in (0, 1, 2)]
        far = [fcntl(end, F_DUPFD_CLOEXEC, 10) for end in (asked, told)]  # clear of 3 and 4, where they are wanted
        ends = [(os.POSIX_SPAWN_DUP2, end, place) for end, place in zip(far, (3, 4), strict=True)]
        call = [program, *OPTIONS, f"--user-data-dir={folder}", "about:blank"]
        self.process = os.posix_spawn(program, call, os.environ, file_actions=[*quiet, *ends], setpgroup=0)
        for end in (asked, told, *far):
            os.close(end)
        self.hear, self.say, self.number, self.rest, self.session = hear, say, 0, b"", ""
        self.complaints: list[str] = []
        [page] = [one for one in self.call("Target.getTargets")["targetInfos"] if one["type"] == "page"]
        self.session = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the protocol and return its result."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        message |= {"sessionId": self.session} if self.session else {}
        os.write(self.say, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
                self.complaints.append(json.dumps(answer["params"]))
            if answer.get("id") == self.number:
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def _next(self) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        while b"\0" not in self.rest:
            assert select.select([self.hear], [], [], max(end - time.monotonic(), 0))[0], "the browser does not answer"
            part = os.read(self.hear, 1 << 16)
            assert part, "the browser is gone"
            self.rest += part
        message, _, self.rest = self.rest.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found

    def ask(self, expression: str) -> Any:
        """Return what an expression of JavaScript is in the page."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def open(self, address: str, width: int = 1100, height: int = 900, scheme: str = "light") -> None:
        """Open a page on a screen of so many pixels, light or dark."""
        mobile = width < 600
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", features=features)
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=address)
        end = time.monotonic() + PATIENCE
        while self.ask("location.href.startsWith('file:') && document.readyState") != "complete":
            assert time.monotonic() < end, "the page is not there"
            time.sleep(0.02)

    def press(self, key: str, times: int = 1) -> None:
        """Press a key."""
        codes = {"ArrowRight": 39, "ArrowLeft": 37, "Tab": 9, "Home": 36, "End": 35}
        about = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
        for kind in ("rawKeyDown", "keyUp") * times:
            self.call("Input.dispatchKeyEvent", type=kind, **about)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        os.killpg(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self.hear)
        os.close(self.say)


if __name__ == "__main__":  # is there one?
    sys.exit(browser() is None)
