"""Bounds how often one token may call, and how often one address may show a wrong one.

The first is a bucket of calls for each token, in the memory of this process: it costs 2 us and no query. Meant for a
program that asks in an endless loop, not for workers: a log of 1,000,000 lines is 2,000 calls, and a worker sends one
after the other. Several web processes have a bucket each.

What a person asks for and what it costs the portal is counted elsewhere, for all processes (services.rate_limits).
"""

import math
import threading
import time
from typing import Never

from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from bert_training.client_address import client_address
from bert_training.models import AccessToken
from bert_training.services.errors import RateLimited, TokenMalformed, TokenUnknown
from bert_training.services.rate_limits import RATES, Limit, limit_address, subnet_of

CALLS_IN_A_ROW = 1000  # a full bucket
CALLS_PER_SECOND = 500.0  # what flows back; more than a process under daphne answers
KEPT_ADDRESSES = 10_000


class Buckets:
    """One bucket for each key, on the monotonic clock."""

    def __init__(self) -> None:
        self._full_at: dict[int | str, float] = {}
        self._lock = threading.Lock()

    def take(self, key: int | str, *, in_a_row: float, per_second: float) -> float:
        """Take one call; returns 0, or how many seconds to wait, with nothing taken."""
        now = time.monotonic()
        with self._lock:
            full_at = max(now, self._full_at.get(key, now)) + 1 / per_second
            seconds = full_at - now - in_a_row / per_second
            if seconds <= 0:
                self._full_at[key] = full_at
                self._forget_full(now)
            return max(0.0, seconds)

    def _forget_full(self, now: float) -> None:
        if len(self._full_at) > KEPT_ADDRESSES:
            self._full_at = {key: full_at for key, full_at in self._full_at.items() if full_at > now}


_tokens = Buckets()
_malformed = Buckets()


def limit_rate(request: Request) -> None:
    """Take one call out of the bucket of the request's token; sessions have none. Raises RateLimited."""
    if not isinstance(request.auth, AccessToken):
        return
    seconds = _tokens.take(request.auth.pk, in_a_row=CALLS_IN_A_ROW, per_second=CALLS_PER_SECOND)
    if seconds > 0:
        raise RateLimited.after(math.ceil(seconds), _("Too many requests with this token."))


def refuse_token(request: HttpRequest, refusal: TokenMalformed | TokenUnknown) -> Never:
    """Answer a wrong token; from an address that shows too many of them RateLimited instead.

    Only failures are counted and slowed: behind one address of an office a computer with a wrong token must not lock
    out those with good ones, and nobody finds a token of 256 random bits by trying. What has not the form of a token
    is counted in this process: it costs no query, and shall not cost a write either.
    """
    address = client_address(request)
    if isinstance(refusal, TokenUnknown):
        limit_address(Limit.TOKEN_FAILURES, address)
        raise refusal
    rate = RATES[Limit.TOKEN_FAILURES]
    seconds = _malformed.take(subnet_of(address), in_a_row=rate.calls(), per_second=rate.calls() / rate.seconds)
    if seconds > 0:
        raise RateLimited.after(math.ceil(seconds), _(rate.words))
    raise refusal
