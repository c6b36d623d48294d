"""Bounds how often one token may call: a bucket of calls for each token, in the memory of this process.

Meant for a program that asks in an endless loop, not for workers: a log of 1,000,000 lines is 2,000 calls, and a worker
sends one after the other. Several web processes have a bucket each. Costs 2 us a call and no query.
"""

import math
import threading
import time

from django.utils.translation import gettext as _
from rest_framework.request import Request

from bert_training.contract.enums import ErrorCode
from bert_training.models import AccessToken
from bert_training.services.errors import ServiceError

CALLS_IN_A_ROW = 5000  # a full bucket
CALLS_PER_SECOND = 100.0  # what flows back; a third of what a process under daphne answers

# When the bucket of a token will be full again, on the monotonic clock. No more entries than there are valid tokens.
_full_at: dict[int, float] = {}
_lock = threading.Lock()


class RateLimited(ServiceError):
    """The token's bucket is empty; the answer says after how many seconds it is not."""

    http_status = 429


def limit_rate(request: Request) -> None:
    """Take one call out of the bucket of the request's token; sessions have none. Raises RateLimited."""
    if not isinstance(request.auth, AccessToken):
        return
    seconds = _take(request.auth.pk, time.monotonic())
    if seconds > 0:
        retry_after = math.ceil(seconds)
        message = _("Too many requests with this token. Go on in %(seconds)d s.") % {"seconds": retry_after}
        raise RateLimited(ErrorCode.RATE_LIMITED, message, retry_after=retry_after)


def _take(token_id: int, now: float) -> float:
    """Take one call; returns 0, or how many seconds to wait, with nothing taken."""
    with _lock:
        full_at = max(now, _full_at.get(token_id, now)) + 1 / CALLS_PER_SECOND
        seconds = full_at - now - CALLS_IN_A_ROW / CALLS_PER_SECOND
        if seconds <= 0:
            _full_at[token_id] = full_at
        return max(0.0, seconds)
