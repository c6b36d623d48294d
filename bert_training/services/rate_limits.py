"""How often somebody may ask for what costs: one table of limits, counted in the database for all processes together.

A limit is a bucket: full, it holds all calls of its window; what was taken flows back evenly. Counted by one UPSERT, so
that parallel calls cannot share a place, and not in the cache: what is culled or restarted there would be forgotten,
and without the database the portal answers nothing anyway. Only what does work is counted, never a plain GET.
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from bert_training.contract.enums import AuditKind
from bert_training.models import RateBucket
from bert_training.services.audit import record
from bert_training.services.errors import RateLimited
from bert_training.services.origin import current_origin

logger = logging.getLogger(__name__)

MINUTE, HOUR = 60, 3600
LEAST_WAIT_SECONDS = 0.001  # another call may have made room between the two statements
IPV6_SUBNET_BITS = 64  # what one customer of a provider has at least: addresses in it cost nothing


class Limit(StrEnum):
    """What is limited; the names stand in the keys of the buckets and in the audit."""

    UPLOADS = "uploads"  # of a person: spreadsheets that are kept, repaired ones too
    CHECKS = "checks"  # of a person: spreadsheets that are judged, splits that are looked at before a run
    RUNS = "runs"  # of a person: a cross-validation is one
    TOKEN_FAILURES = "token_failures"  # noqa: S105 - of an address
    SIGN_IN_NAME_AT_ADDRESS = "sign_in_name_at_address"  # these four count failures only (accounts.lockout)
    SIGN_IN_NAME = "sign_in_name"
    SIGN_IN_ADDRESS = "sign_in_address"
    SIGN_IN_CODE = "sign_in_code"  # of a person: codes of the second factor
    PASSWORD_LINKS = "password_links"  # noqa: S105 - of an address: asking for a link to a new password
    MAILED_LINKS = "mailed_links"  # to one e-mail address, whether it is somebody's or not
    AUDITED = "audited"  # of each of the above: refusals that enter the audit, which only grows


@dataclass(frozen=True)
class Rate:
    """calls: how many fit into the bucket, read at call time.  words: what is said when it is empty."""

    calls: Callable[[], int]
    seconds: int
    words: str = ""


RATES = {
    Limit.UPLOADS: Rate(
        lambda: settings.UPLOADS_PER_HOUR, HOUR, gettext_noop("At most %(calls)d spreadsheets may be saved an hour.")
    ),
    Limit.CHECKS: Rate(
        lambda: settings.CHECKS_PER_HOUR, HOUR, gettext_noop("At most %(calls)d spreadsheets may be checked an hour.")
    ),
    Limit.RUNS: Rate(
        lambda: settings.RUNS_PER_HOUR, HOUR, gettext_noop("At most %(calls)d runs may be started an hour.")
    ),
    Limit.TOKEN_FAILURES: Rate(
        lambda: settings.TOKEN_FAILURES_PER_MINUTE, MINUTE, gettext_noop("Too many wrong tokens from this address.")
    ),
    Limit.SIGN_IN_NAME_AT_ADDRESS: Rate(lambda: 10, MINUTE),
    Limit.SIGN_IN_NAME: Rate(lambda: 20, 5 * MINUTE),
    Limit.SIGN_IN_ADDRESS: Rate(lambda: 20, 5 * MINUTE),
    # Three of a million codes are right at any time: 1,440 tries a day find one in a year, seen by staff from day one.
    Limit.SIGN_IN_CODE: Rate(lambda: 5, 5 * MINUTE),
    Limit.PASSWORD_LINKS: Rate(lambda: 20, HOUR, gettext_noop("Too many links were asked for from this address.")),
    Limit.MAILED_LINKS: Rate(lambda: 3, HOUR),
    Limit.AUDITED: Rate(lambda: 1, MINUTE),
}

# The row changes only where the call fits: who asks again before its time waits no longer for that.
_TAKE = """
INSERT INTO bert_rate_buckets AS bucket (key, full_at) VALUES (%(key)s, %(now)s + %(cost)s)
ON CONFLICT (key) DO UPDATE
SET full_at = CASE WHEN bucket.full_at > %(now)s THEN bucket.full_at ELSE %(now)s END + %(cost)s
WHERE bucket.full_at + %(cost)s <= %(now)s + %(seconds)s
RETURNING full_at
"""


class Taken(NamedTuple):
    """wait_seconds: 0, or how long to wait, with nothing taken."""

    wait_seconds: float
    calls: int


def limit_caller(limit: Limit) -> None:
    """Take one call of the person who calls, staff too; outside of a request the portal itself acts, without limit.

    To be called outside of a transaction: what rolls back would give the call back. Costs one statement.
    Raises RateLimited.
    """
    person = current_origin().find_caller().person
    if person is not None:
        _limit(limit, str(person.pk))


def limit_address(limit: Limit, address: str) -> None:
    """Take one call of an address, in IPv6 of its whole subnet. Raises RateLimited."""
    _limit(limit, subnet_of(address))


def subnet_of(address: str) -> str:
    """Return whom an address stands for: in IPv6 everybody who has one has 2^64 of them."""
    try:
        is_long = isinstance(ip_address(address), IPv6Address)
    except ValueError:
        return address
    return str(ip_network(f"{address}/{IPV6_SUBNET_BITS}", strict=False)) if is_long else address


def forget_full_buckets() -> int:
    """Delete buckets that have filled again: they say what a missing one says. Returns how many."""
    return RateBucket.objects.filter(full_at__lt=time.time()).delete()[0]


def _limit(limit: Limit, subject: str) -> None:
    seconds, calls = take(limit, subject)
    if seconds <= 0:
        return
    retry_after = math.ceil(seconds)
    if take(Limit.AUDITED, f"{limit}:{subject}").wait_seconds == 0:
        record(AuditKind.RATE_LIMITED, limit=limit.value, calls=calls)
        logger.warning("rate limit reached", extra={"limit": limit.value})
    raise RateLimited.after(retry_after, _(RATES[limit].words) % {"calls": calls})


def take(limit: Limit, subject: str) -> Taken:
    """Take one call out of a bucket; parallel calls do so one after the other."""
    rate = RATES[limit]
    key, calls, now = f"{limit}:{subject}", rate.calls(), time.time()
    cost = rate.seconds / calls
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"key": key, "now": now, "cost": cost, "seconds": rate.seconds})
        if cursor.fetchone() is not None:
            return Taken(0, calls)
    full_at = RateBucket.objects.values_list("full_at", flat=True).filter(key=key).first() or now
    return Taken(max(full_at + cost - now - rate.seconds, LEAST_WAIT_SECONDS), calls)


def give_back(limit: Limit, subject: str) -> None:
    """Put one call back into a bucket: what is limited are failures, and this was none."""
    rate = RATES[limit]
    cost = rate.seconds / rate.calls()
    RateBucket.objects.filter(key=f"{limit}:{subject}").update(full_at=F("full_at") - cost)
