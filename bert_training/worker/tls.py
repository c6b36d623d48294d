"""Whom the worker trusts: the system's certificates, or the file of SSL_CERT_FILE. Verification is never off.

Also finds out who signed a certificate, so that a person can be told which proxy opens the connection.
"""

import os
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

import certifi
import truststore

PROBE_SECONDS = 5.0


def tls_context() -> ssl.SSLContext:
    """Return a verifying context."""
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file or folder:
        return ssl.create_default_context(cafile=file or None, capath=folder or None)
    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def proxy_of(url: str) -> str:
    """Return the proxy that the environment names for an address, without its password; empty = none."""
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme, "")
    if not proxy or proxy_bypass(parts.hostname or ""):
        return ""
    where = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    return f"{where.hostname}:{where.port or 80}"


def is_publicly_trusted(url: str) -> bool:
    """Tell whether the public certificate authorities alone vouch for the portal. Raises OSError when unreachable."""
    context = ssl.create_default_context(cafile=certifi.where())
    try:
        with _open(urlsplit(url), context):
            return True
    except ssl.SSLCertVerificationError:
        return False


def issuer_of(url: str) -> str:
    """Return who signed the portal's certificate as it arrives here; empty when it cannot be found out.

    First fetches the certificate alone (nothing is sent), then connects trusting exactly that one, because Python
    shows the names only of a certificate that it verified.
    """
    parts = urlsplit(url)
    fetching = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    fetching.check_hostname, fetching.verify_mode = False, ssl.CERT_NONE
    try:
        with _open(parts, fetching) as connection:
            certificate = ssl.DER_cert_to_PEM_cert(connection.getpeercert(binary_form=True) or b"")
        reading = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        reading.check_hostname = False
        reading.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        reading.load_verify_locations(cadata=certificate)
        with _open(parts, reading) as connection:
            return _name(connection.getpeercert() or {})
    except (OSError, ValueError):
        return ""


def _name(certificate: Mapping[str, object]) -> str:
    issuer = certificate.get("issuer", ())
    fields = {key: value for group in issuer for key, value in group} if isinstance(issuer, tuple) else {}
    return fields.get("organizationName") or fields.get("commonName") or ""


def _open(parts: SplitResult, context: ssl.SSLContext) -> ssl.SSLSocket:
    host, port = parts.hostname or "", parts.port or 443
    proxy = proxy_of(parts.geturl())
    if proxy:
        name, _, proxy_port = proxy.rpartition(":")
        raw = socket.create_connection((name, int(proxy_port)), timeout=PROBE_SECONDS)
        raw.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode("ascii"))
        if b" 200" not in raw.recv(4096).split(b"\r\n", 1)[0]:
            raw.close()
            raise OSError(f"the proxy {proxy} does not connect to {host}")
    else:
        raw = socket.create_connection((host, port), timeout=PROBE_SECONDS)
    return context.wrap_socket(raw, server_hostname=host)
