"""Chooses faults by a seed and does them to a stage.

The same seed and length give the same choices, whatever happens meanwhile.
"""

import contextlib
import heapq
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx2
import psycopg2
import redis

from tests.faults import bad_line
from tests.faults.proxy import Fault
from tests.faults.servers import Server
from tests.faults.stage import LEASE_SECONDS, Computer, Stage
from tests.processes import wait_until

PAUSE_SECONDS = (2.0, 5.0)  # between two faults
SHORT, LONG = (0.2, 1.0), (1.2 * LEASE_SECONDS, 3 * LEASE_SECONDS)  # how long a fault lasts
READY_SECONDS = 0.05
AWAY = (httpx2.HTTPError, psycopg2.Error)  # the portal or its database, harmed a moment ago

Heal = Callable[[], object]


@dataclass(frozen=True)
class Strike:
    """One choice: what happens, when (seconds from the start), to which computer, and for how long."""

    at: float
    kind: str
    target: int
    lasts: float


@dataclass(frozen=True)
class Victims:
    """What can be harmed. `down`: computers that shall not run now; a worker that ends on another is started again."""

    stage: Stage
    database: Server
    cache: Server
    down: set[Computer] = field(default_factory=set)

    def keep_up(self) -> None:
        """Start every worker that shall run, as an office's service manager does."""
        for computer in self.stage.computers:
            if computer not in self.down:
                computer.start()


Deed = Callable[[Victims, Computer, random.Random], Heal]


def plan(seed: int, *, seconds: float, computers: int) -> list[Strike]:
    """Choose the faults of a soak: every kind once in random order, then again."""
    chance = random.Random(seed)
    strikes: list[Strike] = []
    at = chance.uniform(*PAUSE_SECONDS)
    while at < seconds:
        for kind in chance.sample(sorted(DEEDS), len(DEEDS)):
            lasts = chance.uniform(*DEEDS[kind][1])
            strikes.append(Strike(at, kind, chance.randrange(computers), lasts))
            at += chance.uniform(*PAUSE_SECONDS)
    return [strike for strike in strikes if strike.at < seconds]


class Nemesis:
    """Carries out a plan. `done` counts by kind."""

    def __init__(self, victims: Victims, strikes: list[Strike], *, seed: int) -> None:
        self.done: Counter[str] = Counter()
        self._victims = victims
        self._strikes = list(reversed(strikes))
        self._chance = random.Random(seed)
        self._heals: list[tuple[float, int, Heal]] = []
        self._began = self._struck_at = time.monotonic()

    def run(self, *, meanwhile: Callable[[], None]) -> None:
        """Strike and heal until all is healed again; `meanwhile` is called over and over, and is never late for long.

        Everything happens on this thread: a worker ends when the thread that started it does.
        """
        while self._strikes or self._heals:
            now = time.monotonic() - self._began
            if self._heals and self._heals[0][0] <= now:
                heapq.heappop(self._heals)[2]()
            elif self._strikes and self._strikes[-1].at <= now and self._has_paused():
                self._strike(self._strikes.pop())
            else:
                self._victims.keep_up()
                meanwhile()
                time.sleep(READY_SECONDS)

    def _has_paused(self) -> bool:
        """Tell whether the last fault is long enough ago, however long it took to do: SHORT ones are over by then."""
        return time.monotonic() - self._struck_at >= PAUSE_SECONDS[0]

    def _strike(self, strike: Strike) -> None:
        computer = self._victims.stage.computers[strike.target]
        heal = DEEDS[strike.kind][0](self._victims, computer, self._chance)
        self.done[strike.kind] += 1
        self._struck_at = time.monotonic()
        heapq.heappush(self._heals, (time.monotonic() - self._began + strike.lasts, self.done.total(), heal))


# --- deeds: each does harm at once and returns what ends it. Two may meet on one computer, so each heals what is there.


def signal_worker(number: signal.Signals, *, send: Callable[[Computer, signal.Signals], None]) -> Deed:
    def deed(victims: Victims, computer: Computer, _chance: random.Random) -> Heal:
        victims.down.add(computer)
        send(computer, number)
        return lambda: let_go_on(victims, computer)

    return deed


def let_go_on(victims: Victims, computer: Computer) -> None:
    """End a kill, a stop or a freeze; the worker is started again if it has ended."""
    victims.down.discard(computer)
    computer.send_all(signal.SIGCONT)


def kill_trainer(_victims: Victims, computer: Computer, _chance: random.Random) -> Heal:
    if trainer := computer.trainer():
        trainer.kill()
    return lambda: None


def press_button(button: str, opposite: str, *, healed: str) -> Deed:
    """Have staff press a button on a computer's page in the administration; `healed` is a condition on its row."""
    question = f"SELECT {healed} FROM bert_workers WHERE id = %s"  # noqa: S608 - written below

    def deed(victims: Victims, computer: Computer, _chance: random.Random) -> Heal:
        stage = victims.stage

        def is_healed() -> bool:
            with contextlib.suppress(*AWAY):
                stage.staff.act(opposite, computer.worker)
                return bool(stage.execute(question, computer.worker)[0][0])
            return False  # pressed again

        with contextlib.suppress(*AWAY):
            stage.staff.act(button, computer.worker)
        return lambda: wait_until(is_healed)

    return deed


def kill_portal(victims: Victims, _computer: Computer, _chance: random.Random) -> Heal:
    victims.stage.kill_web()
    return lambda: victims.stage.start_web(is_awaited=False)  # the cache may be away


def crash_database(victims: Victims, _computer: Computer, _chance: random.Random) -> Heal:
    victims.database.crash(signal.SIGQUIT)  # PostgreSQL's immediate shutdown: no checkpoint, recovery at the start
    return victims.database.start


def kill_cache(victims: Victims, _computer: Computer, _chance: random.Random) -> Heal:
    victims.cache.crash()
    return victims.cache.start


def flush_cache(victims: Victims, _computer: Computer, _chance: random.Random) -> Heal:
    with contextlib.suppress(redis.ConnectionError), redis.Redis.from_url(victims.cache.url) as cache:  # or it is away
        cache.flushall()
    return lambda: None


def ask_for(what: str) -> Deed:
    """Have ana ask for something about one of her runs: "cancel" or "finish"."""

    def deed(victims: Victims, _computer: Computer, chance: random.Random) -> Heal:
        with contextlib.suppress(*AWAY, IndexError):  # no run is left
            run = chance.choice(victims.stage.unfinished())
            victims.stage.staff.call("POST", f"/runs/{run}/{what}")
        return lambda: None

    return deed


def spoil_line(fault: Fault, *, on: str = "", share: float = 1.0) -> Deed:
    """Put a fault of bad_line.py on the computer's line."""

    def deed(_victims: Victims, computer: Computer, _chance: random.Random) -> Heal:
        rule = computer.proxy.set(fault, on=on, share=share)
        return lambda: computer.proxy.clear(rule)

    return deed


def cut_line(_victims: Victims, computer: Computer, _chance: random.Random) -> Heal:
    computer.proxy.refuse()
    return computer.proxy.clear


def swallow_line(_victims: Victims, computer: Computer, _chance: random.Random) -> Heal:
    """A black hole; at its end the open connections are reset, as by a router that starts again."""
    computer.proxy.set(bad_line.blackhole())

    def heal() -> None:
        computer.proxy.refuse()
        computer.proxy.clear()

    return heal


DEEDS: dict[str, tuple[Deed, tuple[float, float]]] = {
    "supervisor killed": (signal_worker(signal.SIGKILL, send=Computer.send), SHORT),
    "computer killed": (signal_worker(signal.SIGKILL, send=Computer.send_all), SHORT),
    "trainer killed": (kill_trainer, SHORT),
    "supervisor frozen": (signal_worker(signal.SIGSTOP, send=Computer.send), LONG),
    "computer frozen": (signal_worker(signal.SIGSTOP, send=Computer.send_all), LONG),
    "worker stopped": (signal_worker(signal.SIGTERM, send=Computer.send), SHORT),
    "worker drained": (press_button("drain", "stop_draining", healed="NOT draining"), SHORT),
    "worker switched off": (press_button("deactivate", "activate", healed="active"), SHORT),
    "run canceled": (ask_for("cancel"), SHORT),
    "run asked to finish": (ask_for("finish"), SHORT),
    "portal killed": (kill_portal, SHORT),
    "database crashed": (crash_database, SHORT),
    "cache killed": (kill_cache, LONG),
    "cache flushed": (flush_cache, SHORT),
    "answers lost": (spoil_line(bad_line.drop_response(), share=0.3), LONG),
    "requests doubled": (spoil_line(bad_line.duplicate(), share=0.5), LONG),
    "requests late": (spoil_line(bad_line.hold_back(LEASE_SECONDS), share=0.3), LONG),
    "line slow": (spoil_line(bad_line.latency(0.3)), LONG),
    "line cut": (cut_line, LONG),
    "line swallows": (swallow_line, LONG),
}
