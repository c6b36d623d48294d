"""The address that a request comes from: what failures are counted by, and what the audit names."""

from ipaddress import IPv4Address, IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """Return the caller's address, "" where there is none, as over a Unix socket.

    A caller may write what it likes into X-Forwarded-For; what the proxy of BEHIND_PROXY adds stands last. Without
    a proxy of ours the header says nothing.
    """
    direct = _parsed(request.META.get("REMOTE_ADDR", ""))
    if not settings.BEHIND_PROXY:
        return str(direct or "")
    added = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2]
    return str(_parsed(added) or direct or "")


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """Return an address in its one form: an IPv4 address that travels as IPv6 is the IPv4 address."""
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
