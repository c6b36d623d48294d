"""Calling a webhook: only allowed hosts, only checked addresses, no redirect, and never longer than said."""

import datetime
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bert_training.contract.enums import DispatchFailure
from bert_training.services.notifying import webhook_calls
from bert_training.services.notifying.dispatches import Try
from bert_training.services.notifying.webhook_calls import CallFailed, call, checked_address, target_of
from tests.receiver import LOOPBACK, NAME, Receiver, Resolver, receiving

pytestmark = pytest.mark.usefixtures("resolver")

Calling = Callable[[], Try]


@pytest.fixture
def calling(receiver: Receiver, settings: Any) -> Calling:
    """A call of the receiver, which is a host within the house."""
    settings.WEBHOOK_INTERNAL_HOSTS = [receiver.host]
    return lambda: call(f"http://{receiver.host}/a?b=c", b'{"x": 1}', {"Portal-Event": "test"})


def test_a_call_arrives_with_its_headers_and_body(receiver: Receiver, calling: Calling) -> None:
    receiver.status = 204
    made = calling()
    assert (made.status, made.failure) == (204, None)
    ((headers, body),) = receiver.calls
    assert body == b'{"x": 1}'
    assert (headers["Host"], headers["Portal-Event"]) == (receiver.host, "test")


@pytest.mark.parametrize(
    ("status", "failure"),
    [(302, DispatchFailure.REDIRECT), (404, DispatchFailure.STATUS), (500, DispatchFailure.STATUS)],
)
def test_only_2xx_is_success_and_no_redirect_is_followed(
    receiver: Receiver, calling: Calling, status: int, failure: DispatchFailure
) -> None:
    receiver.status, receiver.headers = status, {"Location": f"http://{receiver.host}/elsewhere"}
    made = calling()
    assert (made.status, made.failure, len(receiver.calls)) == (status, failure, 1)


def test_a_receiver_that_answers_byte_by_byte_is_left(
    receiver: Receiver, calling: Calling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_calls, "CALL_SECONDS", 0.2)
    receiver.drip = 0.05
    made = calling()
    assert made.failure is DispatchFailure.TIMEOUT
    assert made.milliseconds < 1000


def test_a_name_that_changes_its_address_is_called_where_it_was_checked(
    receiver: Receiver,
    calling: Calling,
    resolver: Resolver,
) -> None:
    resolver.answers = [[LOOPBACK], ["169.254.169.254"]]
    assert calling().failure is None
    assert (resolver.asked, len(receiver.calls)) == (1, 1)
    assert calling().failure is DispatchFailure.ADDRESS_REFUSED  # looked up and judged anew
    assert len(receiver.calls) == 1


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.9", "172.16.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "::1",  # noqa: S104
        "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "224.0.0.1", "ff02::1",
        "::127.0.0.1", "fec0::1", "64:ff9b:1::a00:1", "192.0.0.192",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_refused(
    address: str,
    receiver: Receiver,
    settings: Any,
    resolver: Resolver,
) -> None:
    settings.WEBHOOK_HOSTS = [receiver.host]
    resolver.answers = [["93.184.216.34", address]]
    made = call(f"https://{receiver.host}/", b"", {})
    assert (made.failure, receiver.calls) == (DispatchFailure.ADDRESS_REFUSED, [])


def test_public_addresses_may_be_called_and_link_local_ones_never(
    settings: Any,
    resolver: Resolver,
) -> None:
    settings.WEBHOOK_HOSTS, until = [NAME], 10.0**12
    resolver.answers = [["93.184.216.34"]]
    assert checked_address(target_of(f"https://{NAME}/"), until=until) == "93.184.216.34"
    settings.WEBHOOK_HOSTS, settings.WEBHOOK_INTERNAL_HOSTS = [], [NAME]
    for address, is_called in (("10.0.0.5", True), ("169.254.169.254", False)):
        resolver.answers = [[address]]
        try:
            assert checked_address(target_of(f"http://{NAME}/"), until=until) == address
        except CallFailed:
            assert not is_called
        else:
            assert is_called


@pytest.mark.parametrize(
    "url",
    [
        "https://other.example/", "http://hooks.example/", "https://hooks.example:8443/", "ftp://hooks.example/",
        "https://user@hooks.example/", "https://hooks.example.evil.example/", "https://evil.example/hooks.example",
        "https://hooks.example/\r\nX: y", "https://hooks.example/ x", "hooks.example", "", "https://hooks.example:x/",
        "https://[::1]/",
    ],
)  # fmt: skip
def test_what_is_not_on_the_list_is_not_called(url: str, settings: Any) -> None:
    settings.WEBHOOK_HOSTS = [NAME]
    assert call(url, b"", {}).failure is DispatchFailure.HOST_NOT_ALLOWED


def test_an_unknown_host_and_a_closed_port_are_told_apart(
    settings: Any,
    resolver: Resolver,
) -> None:
    settings.WEBHOOK_INTERNAL_HOSTS = ["nowhere.invalid", f"{NAME}:1"]
    assert call("https://nowhere.invalid/", b"", {}).failure is DispatchFailure.UNKNOWN_HOST
    assert call(f"http://{NAME}:1/", b"", {}).failure is DispatchFailure.CONNECTION


def test_over_tls_the_certificate_must_be_of_the_name(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path, NAME)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with receiving(context) as receiver:
        settings.WEBHOOK_INTERNAL_HOSTS = [receiver.host]
        assert call(f"https://{receiver.host}/", b"", {}).failure is DispatchFailure.TLS
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert call(f"https://{receiver.host}/", b"{}", {}).failure is None
        assert len(receiver.calls) == 1


def make_certificate(folder: Path, name: str) -> Path:
    """Write a key and a certificate that it signed itself."""
    key, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path
