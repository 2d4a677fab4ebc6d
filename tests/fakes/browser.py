"""Chromium over its DevTools protocol: just enough to open a page from disk, press keys, evaluate expressions and watch what it loads."""

import asyncio
import base64
import contextlib
import itertools
import json
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

WIDER = """(() => {
  const shown = [...document.querySelectorAll('table, svg.figure, figure, .scroll, .panel, .row, main, body')].filter((one) => one.getClientRects().length);
  const within = (one) => one.parentElement?.getBoundingClientRect().right ?? innerWidth;
  const wide = shown.filter((one) => one.scrollWidth > one.clientWidth + 1 || one.getBoundingClientRect().right > within(one) + 1);
  // A heading that is squeezed to a letter or two per line is no better than one that is cut off.
  const cells = [...document.querySelectorAll('th, td, dt, dd, figcaption, h1, h2, h3, p')].filter((one) => one.getClientRects().length);
  const squeezed = cells.filter((one) => one.textContent.trim().length > 6 && one.clientWidth > 1 && one.clientWidth < 40 && one.clientHeight > 3 * one.clientWidth);
  return [...wide, ...squeezed].map((one) => `${one.tagName} ${one.getAttribute('class')} in ${one.closest('[id]')?.id}: ${one.scrollWidth} > ${one.clientWidth}`);
})()"""
SMALLEST_TEXT = """Math.min(...[...document.querySelectorAll('svg.figure text')].filter((one) => one.getClientRects().length)
  .map((one) => parseFloat(getComputedStyle(one).fontSize) * one.getScreenCTM().a))"""


def chromium() -> str | None:
    """The browser's path, if there is one: $CHROMIUM, or the usual names."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome", "/usr/bin/chromium")
    return next((found for name in names if name and (found := shutil.which(name))), None)


class Tab:
    """One page. `requests`: URLs it asked for; `errors`: uncaught errors and console messages of level error."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.events: list[str] = []
        self.numbers = itertools.count(1)
        self.calls: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.reader = asyncio.create_task(self.read())

    async def read(self) -> None:
        async for frame in self.socket:
            message = json.loads(frame.data)
            if "id" in message:
                self.calls.pop(message["id"]).set_result(message)
                continue
            name, content = message["method"], message["params"]
            self.events.append(name)
            if name == "Network.requestWillBeSent":
                self.requests.append(content["request"]["url"])
            elif name == "Runtime.exceptionThrown":
                self.errors.append(json.dumps(content["exceptionDetails"]))
            elif name == "Runtime.consoleAPICalled" and content["type"] in ("error", "assert"):
                self.errors.append(json.dumps(content["args"]))
            elif name == "Log.entryAdded" and content["entry"]["level"] == "error":
                self.errors.append(content["entry"]["text"])

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self.numbers)
        self.calls[number] = asyncio.get_running_loop().create_future()
        waiting = self.calls[number]
        await self.socket.send_json({"id": number, "method": method, "params": parameters})
        answer = await asyncio.wait_for(waiting, 60)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    async def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression; promises are awaited."""
        result = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    async def until(self, expression: str, *, seconds: float = 20) -> None:
        """Wait until an expression is true."""
        async with asyncio.timeout(seconds):
            while not await self.ask(expression):
                await asyncio.sleep(0.03)

    async def open(self, page: Path, *, ready: str = "document.documentElement?.dataset.ready === 'yes'") -> None:
        """Load a file and wait until its own script says that it is ready; for a page without a script, until an expression is true."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")
        await self.call("Page.navigate", url=page.as_uri())
        await self.until(ready)

    async def press(self, key: str) -> None:
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        code = {"Enter": 13, "Escape": 27}.get(key, ord(key.upper()[0]))
        for kind in ("keyDown", "keyUp"):
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **(text if kind == "keyDown" else {}))

    async def choose(self, field: str, value: str) -> None:
        """Set a control of the filter form as a user does, and wait for the list to follow."""
        script = f"(() => {{ const control = document.getElementById({field!r}); control.value = {value!r};"
        await self.ask(script + " control.dispatchEvent(new Event('input', {bubbles: true})); })()")
        await asyncio.sleep(0.2)

    async def resize(self, width: int, height: int = 900) -> None:
        """Lay the page out for a window of this width, in CSS pixels; a narrow one stands for a phone."""
        await self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        await asyncio.sleep(0.3)

    async def wider_than_their_column(self) -> list[str]:
        """Tables, charts and boxes that need sideways scrolling, or that stick out of their box, with both widths in pixels."""
        return await self.ask(WIDER)

    async def smallest_chart_text_px(self) -> float:
        """Height of the smallest letters in the visible charts, as drawn on the screen."""
        return await self.ask(SMALLEST_TEXT)

    async def picture(self, path: Path, *, width: int, height: int, dark: bool) -> None:
        await self.resize(width, height)
        await self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        await asyncio.sleep(0.3)
        shot = await self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(shot["data"]))


@contextlib.asynccontextmanager
async def open_tab(profile: Path) -> AsyncIterator[Tab]:
    """A fresh browser with an empty profile in `profile`; it ends with the block."""
    program = chromium()
    assert program is not None, "ask chromium() first"
    process = await asyncio.create_subprocess_exec(
        program,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--hide-scrollbars",
        "--remote-debugging-port=0",
        f"--user-data-dir={profile}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert process.stderr is not None
        address = None
        async with asyncio.timeout(60):
            while address is None:
                line = (await process.stderr.readline()).decode(errors="replace")
                address = re.search(r"ws://[^/]+", line)
        async with aiohttp.ClientSession() as session:
            async with session.get(address[0].replace("ws://", "http://") + "/json/list") as reply:
                page = next(target for target in await reply.json() if target["type"] == "page")
            async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                tab = Tab(socket)
                yield tab
                tab.reader.cancel()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
