"""What the pages say of one computer: token, versions, clock, and its hardware as meters of the last heartbeat."""

from dataclasses import dataclass
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from bert_training.contract.limits import FREE_DISK_BYTES
from bert_training.models import Worker
from bert_training.pages.tokens import expiry_words
from bert_training.pages.words import Fact
from bert_training.services.phases import duration_text
from bert_training.services.proving.figure_words import share_text


@dataclass(frozen=True)
class Meter:
    """A share of something that is used now; is_scarce: much of it is a warning."""

    label: str
    share: float
    text: str
    is_scarce: bool = False

    @property
    def value(self) -> str:
        """Return the share as an attribute needs it, whatever the language."""
        return f"{min(1.0, max(0.0, self.share)):.3f}"


def facts(worker: Any) -> list[Fact]:
    """Say which GPU it has, where its disk is too full, until when its token is valid; unknown parts are left out.

    Needs the worker's valid tokens in `valid_tokens`, the newest first.
    """
    found = [
        Fact(_("GPU"), ", ".join(_gpu_words(gpu) for gpu in worker.hardware.get("gpu") or [])),
        Fact(_("Free disk"), _disk_words(worker.hardware)),
        Fact(_("Token"), expiry_words(worker.valid_tokens[0]) if worker.valid_tokens else _("no valid token")),
    ]
    return [fact for fact in found if fact.text]


def versions_text(worker: Worker) -> str:
    """Name the versions that its program said at its last claim."""
    return ", ".join(f"{name} {version}" for name, version in sorted(worker.versions.items()))


def meters(worker: Worker) -> list[Meter]:
    """Return what its last heartbeat told of the hardware; older workers tell of GPUs alone."""
    told = worker.hardware
    found = [meter for gpu in told.get("gpu") or [] for meter in _gpu_meters(gpu)]
    if told.get("cpu") is not None:
        found.append(Meter(_("Processor"), told["cpu"], share_text(told["cpu"])))
    if told.get("memory_bytes"):
        found.append(_filled(_("Memory"), told.get("memory_used_bytes") or 0, told["memory_bytes"]))
    if told.get("disk_bytes") and told.get("disk_free") is not None:
        found.append(_filled(_("Disk of the models"), told["disk_bytes"] - told["disk_free"], told["disk_bytes"]))
    return found


def clock_sentence(worker: Worker) -> str:
    """Say that a worker's clock is wrong, and how much; empty while it is right enough."""
    if not worker.is_clock_off:
        return ""
    skew = worker.clock_skew_seconds
    ahead = _("Its clock is %(duration)s ahead of the portal's. Only times in its log lines suffer: set the clock.")
    behind = _("Its clock is %(duration)s behind the portal's. Only times in its log lines suffer: set the clock.")
    return (ahead if skew > 0 else behind) % {"duration": duration_text(round(abs(skew)))}


def _gpu_meters(gpu: dict[str, Any]) -> list[Meter]:
    found = []
    if gpu.get("memory_bytes"):
        found.append(_filled(_("GPU memory"), gpu.get("memory_used_bytes") or 0, gpu["memory_bytes"]))
    if gpu.get("utilisation") is not None:
        heat = gpu.get("temperature_celsius")
        text = share_text(gpu["utilisation"]) + (f" · {heat:.0f} °C" if heat is not None else "")
        found.append(Meter(_("GPU in use"), gpu["utilisation"], text))
    return found


def _filled(label: str, used: int, whole: int) -> Meter:
    words = {"used": filesizeformat(used), "whole": filesizeformat(whole)}
    return Meter(label, used / whole, _("%(used)s of %(whole)s") % words, is_scarce=True)


def _disk_words(hardware: dict[str, Any]) -> str:
    """Say what is free where there is no meter for it, or where it is too little."""
    free = hardware.get("disk_free")
    if free is None or (free >= FREE_DISK_BYTES and hardware.get("disk_bytes")):
        return ""
    size = str(filesizeformat(free))
    return size if free >= FREE_DISK_BYTES else _("%(size)s: too little to take a run") % {"size": size}


def _gpu_words(gpu: dict[str, Any]) -> str:
    memory = filesizeformat(gpu["memory_bytes"]) if gpu.get("memory_bytes") else ""
    return " ".join(part for part in (str(gpu.get("name", "")), memory) if part)
