"""Records what somebody did: one row and one log line, from within the service that does it.

The row stands in the caller's transaction: what is rolled back was not done. Facts are numbers, flags and words of
closed lists; texts, names that people gave, and secrets cannot be recorded.
"""

import logging
import re
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Model

from bert_training.contract.enums import AuditKind
from bert_training.models import AuditEvent, Worker
from bert_training.services.origin import current_origin

logger = logging.getLogger(__name__)

# Words of the program: names of fields, states, levels, routes. A sentence or an address of a person does not fit.
_WORD = re.compile(r"[A-Za-z0-9_.:+-]{0,64}", re.ASCII)
ENTRIES = 50  # of a list in the facts


class UnfitFact(ValueError):
    """A fact that might be a text of somebody's."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The fact {name!r} must be a number, a flag, a word of the program, or a list of these.")


def record(
    kind: AuditKind,
    *,
    actor: User | None = None,
    worker: Worker | None = None,
    target: Model | None = None,
    **facts: Any,
) -> None:
    """Note that something was done. Who did it is who calls, unless actor or worker is given.

    facts: numbers, flags, words of closed lists, or lists of these; what is longer than ENTRIES is cut, with its length
    beside it. Raises UnfitFact. Costs one INSERT.
    """
    origin = current_origin()
    caller = origin.find_caller()
    person = actor or caller.person
    machine = worker or caller.worker
    event = AuditEvent(
        kind=kind.value,
        actor_id=person.pk if person else None,
        actor_name=person.get_username() if person else "",
        worker_id=machine.pk if machine else None,
        worker_name=machine.name if machine else "",
        token_prefix=caller.token_prefix,
        target_kind=target._meta.model_name or "" if target else "",
        target_id=target.pk if target else None,
        facts=_fit(facts),
        request_id=origin.request_id,
        address=origin.address,
    )
    event.save()
    transaction.on_commit(lambda: _log(event))


def _fit(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts that are not empty; raises UnfitFact."""
    fit: dict[str, Any] = {}
    for name, value in facts.items():
        if value is None:
            continue
        if isinstance(value, list | tuple | set | frozenset):
            entries = list(value)
            fit[name] = [_fit_one(name, entry) for entry in entries[:ENTRIES]]
            if len(entries) > ENTRIES:
                fit[f"{name}_count"] = len(entries)
        else:
            fit[name] = _fit_one(name, value)
    return fit


def _fit_one(name: str, value: Any) -> Any:
    if isinstance(value, str) and _WORD.fullmatch(value):
        return str(value)  # of a closed list's member its value
    if value is None or isinstance(value, bool | int | float):
        return value
    raise UnfitFact(name)


def _log(event: AuditEvent) -> None:
    told = {
        "event": event.kind,
        "person": event.actor_id,
        "worker": event.worker_id,
        "token": event.token_prefix,
        "target": f"{event.target_kind}:{event.target_id}" if event.target_kind else "",
        "address": event.address,
        **{f"fact_{name}": value for name, value in event.facts.items()},
    }
    logger.info("audit", extra={name: value for name, value in told.items() if value not in (None, "")})
