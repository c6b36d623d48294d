"""From which address a request comes. A header is believed only behind a proxy of ours (BEHIND_PROXY)."""

from allauth.core.internal.httpkit import get_client_ip
from django.http import HttpRequest

UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104 - nothing is bound to it: a request over a unix socket has no address


def address_of(request: HttpRequest) -> str:
    """Return the caller's address; behind a proxy the last one of X-Forwarded-For, which the proxy has set."""
    return get_client_ip(request) or UNKNOWN_ADDRESS
