"""Lets no test leave this machine: a connection or name look-up beyond loopback fails the test that made it.

Python sockets only, in the tests' own process. Names that never exist (RFC 6761) answer "unknown" at once.
"""

import ipaddress
import socket
from collections.abc import Generator
from typing import Any

import pytest

LOCAL_NAMES = frozenset({"", "localhost", "testserver", "0.0.0.0", "::"})  # noqa: S104 - compared, not bound
NEVER_EXISTING = (".invalid", ".test", ".example")

leaks: list[str] = []
_real_connect = socket.socket.connect
_real_connect_ex = socket.socket.connect_ex
_real_getaddrinfo = socket.getaddrinfo


class NetworkForbidden(RuntimeError):
    """A test tried to reach another machine."""


def pytest_configure() -> None:
    """Put the guard before every Python socket."""
    socket.socket.connect = _connect  # type: ignore[method-assign, assignment]
    socket.socket.connect_ex = _connect_ex  # type: ignore[method-assign, assignment]
    socket.getaddrinfo = _getaddrinfo


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that tried, also when the code under test swallowed the error."""
    leaks.clear()
    result = yield
    if leaks:
        pytest.fail(f"{item.nodeid} tried to reach {', '.join(leaks)}: tests may use loopback only.", pytrace=False)
    return result


def is_local(host: str) -> bool:
    """Tell whether a host is this machine by its address or name, without asking any name server."""
    if host in LOCAL_NAMES or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _check(host: object) -> None:
    text = host.decode() if isinstance(host, bytes) else str(host or "")
    if not is_local(text):
        leaks.append(text)
        raise NetworkForbidden(f"A test tried to reach {text!r}. Tests may use loopback only.")


def _check_address(address: Any) -> None:
    if isinstance(address, tuple):  # a Unix socket has a path instead
        _check(address[0])


def _connect(self: socket.socket, address: Any) -> None:
    _check_address(address)
    _real_connect(self, address)


def _connect_ex(self: socket.socket, address: Any) -> int:
    _check_address(address)
    return _real_connect_ex(self, address)


def _getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
    if isinstance(host, str) and host.endswith(NEVER_EXISTING):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    _check(host)
    return _real_getaddrinfo(host, *arguments, **options)
