"""Where a call comes from: its id, its address, and who makes it. Set around each request, read by the audit.

Services need not be told who calls them. Outside of a request (the tick, background work, commands) there is no origin:
the system acts.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.contrib.auth.models import User

from bert_training.models import Worker


@dataclass(frozen=True)
class Caller:
    """Who calls: a person, a worker, or nobody known; token_prefix: what their token begins with, if they sent one."""

    person: User | None = None
    worker: Worker | None = None
    token_prefix: str = ""


@dataclass(frozen=True)
class Origin:
    """One call. find_caller is asked when an event is recorded: a call is made before its maker is known."""

    request_id: str = ""
    address: str = ""
    find_caller: Callable[[], Caller] = Caller


SYSTEM = Origin()

_origin: ContextVar[Origin] = ContextVar("origin", default=SYSTEM)


def current_origin() -> Origin:
    """Return where the call that is being answered comes from; SYSTEM outside of one."""
    return _origin.get()


@contextmanager
def calling_from(origin: Origin) -> Iterator[None]:
    """Let everything inside be done in the name of this call."""
    before = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(before)
