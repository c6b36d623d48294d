"""Counts wrong passwords and codes, for names and for addresses apart, and looks at no more of them for some time.

A name counts whether it exists or not, so that a lockout tells nothing. It ends by itself: the buckets of
services.rate_limits fill again. Who goes on trying wrong passwords for somebody's name does not keep them out: where a
person has signed in before, only what is tried there counts.
"""

import hashlib
import unicodedata
from collections.abc import Callable, Sequence
from datetime import timedelta
from math import ceil

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone

from bert_training.client_address import client_address
from bert_training.contract.enums import AuditKind
from bert_training.models import AuditEvent
from bert_training.services.audit import record
from bert_training.services.origin import current_origin
from bert_training.services.rate_limits import Limit, give_back, subnet_of, take

Bucket = tuple[Limit, str]  # and whose
KNOWN_FOR = timedelta(days=30)


class LockedOut(Exception):
    """Too many failures; retry_after: seconds until the next try is looked at."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many failed tries. The next one is looked at in {retry_after} s.")
        self.retry_after = retry_after


def at_password(request: HttpRequest, name: str) -> list[Bucket]:
    """Return where a password that is tried for a name counts."""
    where, who = subnet_of(client_address(request)), unicodedata.normalize("NFKC", name).strip().casefold()
    return [  # the address first: one that is locked makes no buckets for names
        (Limit.SIGN_IN_ADDRESS, where),
        (Limit.SIGN_IN_NAME_AT_ADDRESS, _digest(f"{where} {who}")),
        (Limit.SIGN_IN_NAME, _digest(who)),
    ]


def at_code(request: HttpRequest, user: User) -> list[Bucket]:
    """Return where a code that is tried for a person counts."""
    return [(Limit.SIGN_IN_CODE, str(user.pk)), (Limit.SIGN_IN_ADDRESS, subnet_of(client_address(request)))]


class Attempt:
    """One try, counted before it is judged, so that a thousand at once are no way round; taken back when right."""

    def __init__(self, buckets: Sequence[Bucket], find_tried: Callable[[], User | None]) -> None:
        """Count; raises LockedOut, with nothing counted, where a bucket is empty. find_tried: for the audit."""
        self._taken: list[Bucket] = []
        for limit, whose in buckets:
            wait_seconds = take(limit, whose).wait_seconds
            if wait_seconds > 0:
                if limit is Limit.SIGN_IN_NAME and _is_known_here(find_tried()):
                    continue
                self.forgive()
                if take(Limit.AUDITED, f"{limit}:{whose}").wait_seconds == 0:  # once a minute: the audit only grows
                    record(AuditKind.LOCKED_OUT, target=find_tried(), limit=limit.value)
                raise LockedOut(ceil(wait_seconds))
            self._taken.append((limit, whose))

    def forgive(self) -> None:
        """Take the count back: the try was right, or is not looked at."""
        for limit, whose in self._taken:
            give_back(limit, whose)


def _is_known_here(person: User | None) -> bool:
    """Tell whether somebody has signed in lately from the address that calls."""
    origin = current_origin()
    if person is None or not origin.address:
        return False
    lately = AuditEvent.objects.filter(actor_id=person.pk, at__gte=timezone.now() - KNOWN_FOR)
    return lately.filter(kind=AuditKind.SIGNED_IN, address=origin.address).exists()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
