"""Faults that need a real worker process: in a network of its own, cut off or losing packets, or with a wrong clock."""

import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bert_training.worker.simulation import SPEED_VARIABLE
from tests.faults import namespace
from tests.faults.local_workers import SOON, Office
from tests.faults.namespace import Namespace
from tests.faults.proxy import Proxy
from tests.faults.stage import LEASE_SECONDS, Computer
from tests.processes import opened, wait_until
from tests.worker.supervisors import Address, RealSupervisor

pytestmark = [pytest.mark.processes, pytest.mark.long, pytest.mark.timeout(180)]

NEEDS_NAMESPACE = pytest.mark.skipif(bool(namespace.why_not()), reason=namespace.why_not())
NEEDS_IPTABLES = pytest.mark.skipif(bool(namespace.why_not("iptables")), reason=namespace.why_not("iptables"))
PACE = {SPEED_VARIABLE: "40"}  # an epoch a second
RECOVERY_SECONDS = 10.0  # the kernel's next try on an open connection, or our next heartbeat on a new one

Start = Callable[..., RealSupervisor]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An office of two computers that may also be reached from another network."""
    with opened(Office(tmp_path_factory.mktemp("office"), computers=2, ALLOWED_HOSTS="*")) as office:
        yield office


@pytest.fixture
def start(office: Office) -> Iterator[Start]:
    """Start the worker of a computer as a process."""
    started: list[RealSupervisor] = []

    def start_worker(computer: Computer, *flags: str, **environ: str) -> RealSupervisor:
        address = Address(computer.proxy.url, computer.token)
        started.append(RealSupervisor(address, computer.models, *flags, **(PACE | environ)))
        return started[-1]

    yield start_worker
    for worker in started:
        worker.kill()
    office.clean_up()


@pytest.fixture
def far(office: Office) -> Iterator[tuple[Computer, Namespace]]:
    """The first computer, moved to a network of its own."""
    computer = office.computers[0]
    near = computer.proxy
    with Namespace() as network, Proxy(office.product.port, host=network.host) as computer.proxy:
        yield computer, network
    computer.proxy = near


def spool_of(computer: Computer, job: int) -> Path:
    """Return the spool of a job's only attempt."""
    return next(path for number, _attempt, path in computer.spools() if number == job)


def recovery_seconds(computer: Computer, mended_at: float) -> float:
    """Wait for the first answer that arrives on a mended line; returns how long after the repair it was there."""

    def answered() -> list[float]:
        exchanges = list(computer.proxy.exchanges)
        return [each.answered_at for each in exchanges if each.started_at > mended_at and each.delivered]

    wait_until(lambda: bool(answered()), seconds=SOON)
    return answered()[0] - mended_at


def pull_the_cable(network: Namespace) -> Callable[[], None]:
    network.cut()
    return network.mend


def swallow_all(network: Namespace) -> Callable[[], None]:
    network.lose(1)
    return network.lose_nothing


@pytest.mark.parametrize(
    "fail", [pytest.param(pull_the_cable, marks=NEEDS_NAMESPACE), pytest.param(swallow_all, marks=NEEDS_IPTABLES)]
)
def test_a_worker_that_was_cut_off_for_many_leases_trains_on_and_loses_nothing(
    office: Office, far: tuple[Computer, Namespace], start: Start, fail: Callable[[Namespace], Callable[[], None]]
) -> None:
    """F-32: nobody took its job meanwhile, so that the same attempt goes on."""
    computer, network = far
    run = office.start_run(epochs=8)
    with network.entered():
        start(computer, "--allow-http")
    office.await_step(run, 20)
    spool = spool_of(computer, office.job_number(run))
    mend, before = fail(network), spool.stat().st_size
    office.await_status(run, "queued")
    time.sleep(2 * LEASE_SECONDS)  # still cut off, leases after the portal gave it up: nothing is to happen
    assert spool.stat().st_size > 2 * before
    mend()
    recovery = recovery_seconds(computer, time.monotonic())
    print(f"first answer {1000 * recovery:.0f} ms after {fail.__name__} was over")
    assert recovery < RECOVERY_SECONDS
    assert office.outcomes(run) == ["completed"]


@NEEDS_NAMESPACE
def test_a_job_that_was_taken_meanwhile_is_left_to_the_other(
    office: Office, far: tuple[Computer, Namespace], start: Start
) -> None:
    """F-32, as F-06: the trainer stops, its lines stay with attempt 1, and one completion counts."""
    computer, network = far
    run = office.start_run(epochs=5)
    with network.entered():
        cut_off = start(computer, "--allow-http", **{SPEED_VARIABLE: "20"})  # 10 s
    office.await_step(run, 20)
    network.cut()
    office.await_status(run, "queued")
    office.execute("UPDATE bert_jobs SET hold_until = now() WHERE run_id = %s", run)
    start(office.computers[1], **{SPEED_VARIABLE: "0"})
    office.await_attempt(run, 2)
    trainer = cut_off.trainer()
    network.mend()
    mended_at = time.monotonic()
    wait_until(lambda: not trainer.is_running(), seconds=15)
    print(f"the trainer stopped {time.monotonic() - mended_at:.1f} s after the line was back")
    assert office.outcomes(run) == ["lost", "completed"]


@NEEDS_IPTABLES
def test_a_line_that_loses_a_third_of_all_packets_is_only_slower(
    office: Office, far: tuple[Computer, Namespace], start: Start
) -> None:
    """F-35: 30 % in each direction."""
    computer, network = far
    run = office.start_run()
    network.lose(0.3)
    with network.entered():
        start(computer, "--allow-http")
    began = time.monotonic()
    assert office.outcomes(run)[-1] == "completed"
    print(f"a run of one second took {time.monotonic() - began:.0f} s")


def shifted_clock(library: Path, offset: str) -> dict[str, str]:
    """Return the environment of a process whose wall clock is off, and whose monotonic clock is right."""
    return {"LD_PRELOAD": str(library), "FAKETIME": offset, "DONT_FAKE_MONOTONIC": "1"}


def find_libfaketime() -> Path:
    """Return a libfaketime that works (pip: libfaketime). Debian 12's 0.9.10 breaks the time.sleep of Python 3.11."""
    places = list(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    spec = importlib.util.find_spec("libfaketime")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        places += Path(folder).rglob("libfaketime.so.1")
    sleep = "import time; began = time.monotonic(); time.sleep(0.05); exit(time.monotonic() < began + 0.05)"
    for place in places:
        probe = subprocess.run([sys.executable, "-c", sleep], env=shifted_clock(place, "+24h"), capture_output=True)
        if not probe.returncode:
            return place
    pytest.skip("no libfaketime that works is installed (pip install libfaketime)")


@pytest.mark.parametrize("offset", ["+24h", "-24h"])
def test_a_worker_whose_clock_is_a_day_off_works_and_is_warned(office: Office, start: Start, offset: str) -> None:
    """F-45: no effect on leases or order."""
    clock = shifted_clock(find_libfaketime(), offset)
    computer, run = office.computers[0], office.start_run()
    worker = start(computer, **clock)
    assert office.outcomes(run) == ["completed"]
    assert "clock is" in worker.output
    (skew,) = office.execute("SELECT clock_skew_seconds FROM bert_workers WHERE id = %s", computer.worker)[0]
    assert abs(abs(float(skew)) - 86_400) < 60
