"""A hundred open run pages in one process: websockets that note when each log line arrives.

Reads its orders as one JSON line from standard input: `url`, `cookies` (one a person), `viewers`, `lines`. Prints
`ready` when all have their first frame, and after a second line of input one JSON line with what they saw.
A log line's message is its number and the moment it was due, in seconds of the monotonic clock that processes share.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from websockets.asyncio.client import ClientConnection, connect

PATIENCE_SECONDS = 10.0  # for what is still on its way when the writer has ended


@dataclass
class Viewer:
    """What one page got: its numbers in the order of arrival, and how long each line took."""

    numbers: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    async def watch(self, socket: ClientConnection, lines: int) -> None:
        """Read frames until all lines are there."""
        while len(self.numbers) < lines:
            numbers, due = read_lines(str(await socket.recv()))
            now = time.monotonic()
            self.numbers.extend(numbers)
            self.seconds.extend(now - moment for moment in due)


@lru_cache(maxsize=64)
def read_lines(frame: str) -> tuple[list[int], list[float]]:
    """Return numbers and due times of a frame's lines; viewers who get the same frame share the work."""
    pairs = [line["message"].split() for line in json.loads(frame)["logs"]]
    return [int(number) for number, _due in pairs], [float(due) for _number, due in pairs]


async def main() -> None:
    """Open the pages, watch, report."""
    orders = json.loads(await _input_line())
    viewers = [Viewer() for _ in range(orders["viewers"])]
    cookies = orders["cookies"]
    sockets = [await _open(orders["url"], cookies[number % len(cookies)]) for number in range(len(viewers))]
    print("ready", flush=True)
    watching = [
        asyncio.create_task(viewer.watch(socket, orders["lines"]))
        for viewer, socket in zip(viewers, sockets, strict=True)
    ]
    await _input_line()
    done, _late = await asyncio.wait(watching, timeout=PATIENCE_SECONDS)
    for task in done:
        task.result()  # raises what went wrong
    print(json.dumps(summary(viewers, orders["lines"])), flush=True)


def summary(viewers: list[Viewer], lines: int) -> dict[str, float]:
    """Add up: lines that did not come or came out of order, and percentiles of the seconds each took."""
    expected = range(1, lines + 1)
    seconds = [each for viewer in viewers for each in viewer.seconds] or [float("inf")]
    p50, p95 = np.percentile(seconds, [50, 95])
    wrong = sum(viewer.numbers != list(expected)[: len(viewer.numbers)] for viewer in viewers)
    missing = sum(lines - len(viewer.numbers) for viewer in viewers)
    return {"p50": float(p50), "p95": float(p95), "missing": missing, "disordered": wrong}


async def _open(url: str, cookie: str) -> ClientConnection:
    """Open one page and read its first frame, which has no lines yet."""
    headers: Any = {"Cookie": cookie, "Origin": url.replace("ws://", "http://").split("/ws/")[0]}
    socket = await connect(url, additional_headers=headers, compression=None, max_size=None, ping_interval=None)
    await socket.send('{"after": {"logs": 0, "metrics": 0}}')
    await socket.recv()
    return socket


async def _input_line() -> str:
    return await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(main())
