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
from dataclasses import dataclass

import redis

from bert_training.demo.client import PortalRefused
from tests.faults import bad_line
from tests.faults.proxy import Fault
from tests.faults.servers import Server
from tests.faults.stage import LEASE_SECONDS, Computer, Stage

PAUSE_SECONDS = (2.0, 5.0)  # between two faults
SHORT, LONG = (0.2, 1.0), (1.2 * LEASE_SECONDS, 3 * LEASE_SECONDS)  # how long a fault lasts
READY_SECONDS = 0.05
STOP_SECONDS = 60.0  # a busy machine; released within a second otherwise

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
    """What can be harmed."""

    stage: Stage
    database: Server
    cache: Server


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


def kill_supervisor(_victims: Victims, computer: Computer, _chance: random.Random) -> Heal:
    computer.kill()
    return lambda: revive(computer)


def kill_computer(_victims: Victims, computer: Computer, _chance: random.Random) -> Heal:
    computer.send_all(signal.SIGKILL)
    return lambda: revive(computer)


def kill_trainer(_victims: Victims, computer: Computer, _chance: random.Random) -> Heal:
    if trainer := computer.trainer():
        trainer.kill()
    return lambda: revive(computer)


def freeze_supervisor(_victims: Victims, computer: Computer, _chance: random.Random) -> Heal:
    computer.send(signal.SIGSTOP)
    return lambda: revive(computer)


def freeze_computer(_victims: Victims, computer: Computer, _chance: random.Random) -> Heal:
    computer.send_all(signal.SIGSTOP)
    return lambda: revive(computer)


def stop_worker(_victims: Victims, computer: Computer, _chance: random.Random) -> Heal:
    computer.send(signal.SIGTERM)

    def heal() -> None:
        computer.send_all(signal.SIGCONT)  # it may have been frozen since
        computer.supervisor.process.wait(STOP_SECONDS)
        computer.start()

    return heal


def revive(computer: Computer) -> None:
    """Let a computer go on, or start its worker again."""
    computer.send_all(signal.SIGCONT)
    computer.start()


def drain_worker(victims: Victims, computer: Computer, _chance: random.Random) -> Heal:
    statement = "UPDATE bert_workers SET draining = %s WHERE id = %s"
    victims.stage.execute(statement, True, computer.worker)
    return lambda: victims.stage.execute(statement, False, computer.worker)


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


def cancel_run(victims: Victims, _computer: Computer, chance: random.Random) -> Heal:
    runs = victims.stage.unfinished()
    with contextlib.suppress(IndexError, PortalRefused):  # nothing to cancel, just ended, or the portal is away
        victims.stage.portal.cancel(chance.choice(runs))
    return lambda: None


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
    "supervisor killed": (kill_supervisor, SHORT),
    "computer killed": (kill_computer, SHORT),
    "trainer killed": (kill_trainer, SHORT),
    "supervisor frozen": (freeze_supervisor, LONG),
    "computer frozen": (freeze_computer, LONG),
    "worker stopped": (stop_worker, LONG),
    "worker drained": (drain_worker, SHORT),
    "portal killed": (kill_portal, SHORT),
    "database crashed": (crash_database, SHORT),
    "cache killed": (kill_cache, LONG),
    "cache flushed": (flush_cache, SHORT),
    "run canceled": (cancel_run, SHORT),
    "answers lost": (spoil_line(bad_line.drop_response(), share=0.3), LONG),
    "requests doubled": (spoil_line(bad_line.duplicate(), share=0.5), LONG),
    "requests late": (spoil_line(bad_line.hold_back(LEASE_SECONDS), share=0.3), LONG),
    "line slow": (spoil_line(bad_line.latency(0.3)), LONG),
    "line cut": (cut_line, LONG),
    "line swallows": (swallow_line, LONG),
}
