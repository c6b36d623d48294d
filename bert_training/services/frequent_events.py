"""Records what one caller may repeat a thousand times an hour, refusals and downloads, without filling the audit.

The first EACH of an hour stand one by one, then the 40th, 80th, 160th ... with how many before it were left out: a
scanner that calls a million times leaves 36 rows. Counted in this process: two processes keep up to twice as many.
"""

import time
from collections import Counter
from threading import Lock
from typing import Any

from django.db.models import Model

from bert_training.contract.enums import AuditKind
from bert_training.services.audit import record
from bert_training.services.origin import current_origin

EACH = 20
HOUR_SECONDS = 3600
CALLERS = 10_000  # counted apart within an hour; all others together

Key = tuple[object, ...]


class HourlyCounts:
    """How often each key came in this hour."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._hour = 0
        self._counts: Counter[Key] = Counter()

    def count(self, key: Key) -> int:
        """Return how often it came in this hour, this time counted."""
        hour = int(time.time() // HOUR_SECONDS)
        with self._lock:
            if hour != self._hour:
                self._hour, self._counts = hour, Counter()
            if key not in self._counts and len(self._counts) >= CALLERS:
                key = key[:1]
            self._counts[key] += 1
            return self._counts[key]


_counts = HourlyCounts()


def record_refusal(kind: AuditKind, *, target: Model | None = None, **facts: Any) -> None:
    """Note that a caller was refused; many refusals of one caller count together, whatever they asked for."""
    _record_counted(kind, (kind,), target, facts)


def record_export(target: Model, *, what: str, **facts: Any) -> None:
    """Note that data of a row were taken out. Each piece of a download that is fetched in pieces comes here."""
    key = (AuditKind.EXPORTED, target._meta.model_name, target.pk, what)
    _record_counted(AuditKind.EXPORTED, key, target, {"what": what, **facts})


def record_list_export(what: str, **facts: Any) -> None:
    """Note that a list was taken out, of which each row is seen by whoever took it."""
    _record_counted(AuditKind.EXPORTED, (AuditKind.EXPORTED, what), None, {"what": what, **facts})


def _record_counted(kind: AuditKind, key: Key, target: Model | None, facts: dict[str, Any]) -> None:
    origin = current_origin()
    caller = origin.find_caller()
    who: Key = (caller.person.pk if caller.person else None, caller.worker.pk if caller.worker else None)
    times = _counts.count((*key, *(who if any(who) else (origin.address,))))
    left_out = left_out_before(times)
    if left_out is not None:
        record(kind, target=target, **facts, left_out=left_out or None)


def left_out_before(times: int) -> int | None:
    """Return how many events just before the n-th were not recorded; None where the n-th is not either."""
    if times <= EACH:
        return 0
    doublings, rest = divmod(times, EACH)
    if rest or doublings & (doublings - 1):
        return None
    return times // 2 - 1
