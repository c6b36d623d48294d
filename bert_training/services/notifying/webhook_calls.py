"""Calls the address of a webhook: one POST to a checked address, no redirect, CALL_SECONDS in all.

The host must stand on a list of the settings, and is looked up anew for each call; the connection goes to the very
address that was checked, so that a name which answers otherwise the second time gains nothing. Of the answer only the
status is read.
"""

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from bert_training.contract.enums import DispatchFailure
from bert_training.services.notifying.dispatches import Try

CALL_SECONDS = 5.0
STATUS_LINE_BYTES = 1024
PORTS = {"https": 443, "http": 80}
SUCCESS, REDIRECTS = range(200, 300), range(300, 400)

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# Python 3.11 calls these global; the second holds one cloud's credentials, the third may lead to any IPv4 address.
NOT_PUBLIC = (
    ipaddress.IPv6Network("fec0::/10"),
    ipaddress.IPv4Network("192.0.0.0/24"),
    ipaddress.IPv6Network("64:ff9b:1::/48"),
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class CallFailed(Exception):
    """The call did not arrive, or was not answered with success."""

    def __init__(self, failure: DispatchFailure, status: int = 0) -> None:
        super().__init__(failure.value)
        self.failure = failure
        self.status = status


@dataclass(frozen=True)
class Target:
    """Where a call goes, as far as the address says it."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Host and port as the lists of the settings and the Host header name them."""
        return self.host if self.port == PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def is_internal(self) -> bool:
        """Tell whether the settings name it as a host within the house."""
        return self.authority in settings.WEBHOOK_INTERNAL_HOSTS

    @property
    def is_allowed(self) -> bool:
        """Tell whether it may be called at all: http only within the house."""
        return self.is_internal or (self.scheme == "https" and self.authority in settings.WEBHOOK_HOSTS)


def target_of(url: str) -> Target:
    """Return where an address leads. Raises CallFailed for one that is not allowed, or no address."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise CallFailed(DispatchFailure.HOST_NOT_ALLOWED) from error
    is_plain = url.isascii() and url.isprintable() and " " not in url and not {*"@["} & {*parts.netloc}
    if parts.scheme not in PORTS or not parts.hostname or not is_plain:
        raise CallFailed(DispatchFailure.HOST_NOT_ALLOWED)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    target = Target(parts.scheme, parts.hostname, port or PORTS[parts.scheme], path)
    if not target.is_allowed:
        raise CallFailed(DispatchFailure.HOST_NOT_ALLOWED)
    return target


def call(url: str, body: bytes, headers: Mapping[str, str]) -> Try:
    """Send one POST and return what came of it."""
    begun = time.monotonic()
    status, failure = 0, None
    try:
        status = _post(target_of(url), body, headers, until=begun + CALL_SECONDS)
    except CallFailed as failed:
        status, failure = failed.status, failed.failure
    except TimeoutError:
        failure = DispatchFailure.TIMEOUT
    except ssl.SSLError:
        failure = DispatchFailure.TLS
    except OSError:
        failure = DispatchFailure.CONNECTION
    return Try(status, round(1000 * (time.monotonic() - begun)), failure)


def _post(target: Target, body: bytes, headers: Mapping[str, str], *, until: float) -> int:
    """Return the status of a success. Raises CallFailed, OSError."""
    address = checked_address(target, until=until)
    with socket.create_connection((address, target.port), timeout=_left(until)) as plain:
        connection = _secured(plain, target, until=until) if target.scheme == "https" else plain
        with connection:
            connection.settimeout(_left(until))
            connection.sendall(_request(target, body, headers))
            status = _status(connection, until=until)
    if status in REDIRECTS:
        raise CallFailed(DispatchFailure.REDIRECT, status)
    if status not in SUCCESS:
        raise CallFailed(DispatchFailure.STATUS, status)
    return status


def _left(until: float) -> float:
    """Return the seconds that are left. Raises TimeoutError."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def checked_address(target: Target, *, until: float) -> str:
    """Look a host up; returns the one address to connect to. Raises CallFailed where any that it has is not allowed."""
    found = _look_up(target.host, target.port, _left(until))
    if not found:
        raise CallFailed(DispatchFailure.UNKNOWN_HOST)
    if not all(_may_call(address, is_internal=target.is_internal) for address in found):
        raise CallFailed(DispatchFailure.ADDRESS_REFUSED)
    return found[0]


def _look_up(host: str, port: int, seconds: float) -> list[str]:
    """Ask the system's resolver, which knows no time limit of its own. Raises TimeoutError."""
    found: list[str] = []
    done = threading.Event()

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.extend(str(answer[4][0]) for answer in answers)
        except (OSError, UnicodeError):
            pass  # an unknown host: nothing was found
        finally:
            done.set()

    threading.Thread(target=ask, name="webhook-look-up", daemon=True).start()
    if not done.wait(seconds):
        raise TimeoutError
    return found


def _may_call(text: str, *, is_internal: bool) -> bool:
    """Tell whether an address may be called: public ones; within the house private ones and this computer too.

    Link-local ones never: there a cloud's computers are given their credentials.
    """
    try:
        address = _unwrapped(ipaddress.ip_address(text))
    except ValueError:  # with a zone: link-local
        return False
    if address.is_multicast or address.is_unspecified or address.is_link_local:
        return False
    is_public = address.is_global and not address.is_reserved and not any(address in network for network in NOT_PUBLIC)
    return is_public or (is_internal and (address.is_private or address.is_loopback))


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, where it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    return inner or address


def _secured(plain: socket.socket, target: Target, *, until: float) -> ssl.SSLSocket:
    """Prove who answers: the certificate is judged by the host's name, whatever its address."""
    plain.settimeout(_left(until))
    return ssl.create_default_context().wrap_socket(plain, server_hostname=target.host)


def _request(target: Target, body: bytes, headers: Mapping[str, str]) -> bytes:
    lines = [
        f"POST {target.path} HTTP/1.1",
        f"Host: {target.authority}",
        f"Content-Length: {len(body)}",
        "Content-Type: application/json",
        "Connection: close",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def _status(connection: socket.socket, *, until: float) -> int:
    """Read the status line and no more, however slowly it comes. Raises CallFailed for what is no HTTP."""
    line = b""
    while b"\r\n" not in line and len(line) < STATUS_LINE_BYTES:
        connection.settimeout(_left(until))
        more = connection.recv(STATUS_LINE_BYTES)
        if not more:
            break
        line += more
    version, _space, rest = line.partition(b"\r\n")[0].partition(b" ")
    if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
        raise CallFailed(DispatchFailure.CONNECTION)
    return int(rest[:3])
