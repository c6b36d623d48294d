"""A database or cache that a test may kill and start again: found by its port, started with the same command."""

import signal
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from tests.janitor import the_janitor
from tests.processes import wait_until


class Server:
    """A server of tests/servers.py, by its URL."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._port = urlsplit(url).port
        pid = _listener(self._port)
        assert pid is not None, f"nobody listens on port {self._port}"
        running = psutil.Process(pid)
        self._home, self._account = Path(running.cwd()), running.uids().real
        self._process = the_janitor().find(pid)
        self._command = self._process.args

    def crash(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it without farewell and wait until it is gone."""
        self._process.send_signal(number)
        self._process.wait()
        the_janitor().forget(self._process)

    def start(self) -> None:
        """Start it again on its old data and wait until it listens."""
        with (self._home / f"again-{self._port}.log").open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                user=self._account,
                cwd=self._home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        the_janitor().watch(self._process, stop_signal=signal.SIGINT)
        wait_until(lambda: _listener(self._port) is not None)


def _listener(port: int | None) -> int | None:
    """Return the process that listens on a port of 127.0.0.1."""
    listening = (one for one in psutil.net_connections("tcp4") if one.status == psutil.CONN_LISTEN)
    return next((one.pid for one in listening if one.laddr and one.laddr.port == port), None)
