"""Open run pages: websocket clients that note what they showed and come back by themselves, as the page does."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import httpx2
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from bert_training.demo.client import CSRF_FIELD

RETRY_SECONDS = 0.2
OPEN_PAGES = 12  # of the 20 sockets that a person may have
POLL_SECONDS = 0.05


class Page:
    """The page of one run; `lines` and `points` are the cursors that it showed, in order."""

    def __init__(self, run: int) -> None:
        self.run = run
        self.lines: list[int] = []
        self.points: list[int] = []

    async def follow(self, base_url: str, cookie: str) -> None:
        """Show what comes until cancelled; go on from the last cursor after each break."""
        address = f"{base_url.replace('http', 'ws', 1)}/ws/runs/{self.run}"
        headers = {"Cookie": cookie, "Origin": base_url}
        while True:
            try:
                async with connect(address, additional_headers=headers, max_size=None, proxy=None) as socket:
                    await socket.send(json.dumps({"after": {"logs": _last(self.lines), "metrics": _last(self.points)}}))
                    async for text in socket:
                        self._show(json.loads(text))
            except (OSError, WebSocketException):
                pass  # the portal is away; the page says so and tries again
            await asyncio.sleep(RETRY_SECONDS)

    def _show(self, frame: dict[str, list[dict[str, int]]]) -> None:
        self.lines += [line["cursor"] for line in frame["logs"]]
        self.points += [point["cursor"] for point in frame["metrics"]]


class Pages:
    """Pages of a signed-in person, followed on a thread."""

    def __init__(self, base_url: str, *, user: str, password: str) -> None:
        self._base_url = base_url
        self._cookie = sign_in(base_url, user=user, password=password)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="pages", daemon=True)
        self._thread.start()
        self._open: dict[int, asyncio.Task[None]] = {}
        self.pages: dict[int, Page] = {}

    def open(self, run: int) -> None:
        """Open a run's page, or one that was closed again where it was left; the oldest one is closed for it."""
        page = self.pages.setdefault(run, Page(run))
        if run not in self._open:
            self._run(self._start(page))
        while len(self._open) > OPEN_PAGES:
            self.close(next(iter(self._open)))

    def close(self, run: int) -> None:
        """Close a page; what it showed is kept."""
        self._run(self._stop(run))

    def catch_up(self, is_whole: Callable[[Page], bool], *, seconds: float) -> None:
        """Open each page once more, and give it some seconds to show the rest."""
        for page in self.pages.values():
            self.open(page.run)
            deadline = time.monotonic() + seconds
            while not is_whole(page) and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)

    def read(self, path: str) -> bytes:
        """Return a page as it is loaded."""
        answer = httpx2.get(self._base_url + path, headers={"Cookie": self._cookie}, trust_env=False)
        return bytes(answer.raise_for_status().content)

    def stop(self) -> None:
        """Close all."""
        for run in list(self._open):
            self.close(run)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self, page: Page) -> None:
        self._open[page.run] = self._loop.create_task(page.follow(self._base_url, self._cookie))

    async def _stop(self, run: int) -> None:
        task = self._open.pop(run)
        task.cancel()
        with suppress(asyncio.CancelledError):  # anything else is a mistake of ours
            await task

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()


def sign_in(base_url: str, *, user: str, password: str) -> str:
    """Sign in as a browser does; returns the session's cookie as a header."""
    with httpx2.Client(base_url=base_url, trust_env=False, follow_redirects=True) as browser:
        form = browser.get("/sign-in")
        token = CSRF_FIELD.search(form.text)
        assert token is not None, form.text
        fields = {"username": user, "password": password, "csrfmiddlewaretoken": token[1]}
        browser.post(str(form.url), data=fields, headers={"Referer": str(form.url)})
        return f"session={browser.cookies['session']}"


def _last(cursors: list[int]) -> int:
    return cursors[-1] if cursors else 0
