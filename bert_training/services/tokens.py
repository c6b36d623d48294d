"""Issues, finds, rotates and revokes access tokens. The token itself leaves this module once and is never stored."""

import json
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from bert_training.contract.enums import AuditKind, ErrorCode, TokenScope
from bert_training.contract.tokens import USER_PREFIX, WORKER_PREFIX, is_well_formed, make_token, shown_prefix
from bert_training.models import AccessToken, Worker
from bert_training.models.token import AccessTokenQuerySet, token_digest
from bert_training.services.audit import record
from bert_training.services.errors import ServiceError, TokenMalformed, TokenUnknown
from bert_training.services.frequent_events import record_refusal

TOKEN_CHARACTERS_LIMIT = 200
TOKENS_PER_PERSON = 50  # valid ones
LAST_USED_PRECISION = timedelta(minutes=1)  # a busy worker calls several times a second
AT_ONCE = timedelta()

# Asked at every call of a worker, hence in SQL: by the ORM it costs this process 0.8 ms, like this 0.15 (Django 5.2,
# PostgreSQL). Fields of the worker that it leaves out, and the user, are read when somebody asks for them.
_USABLE = """
SELECT token.id, token.worker_id, token.user_id, token.scope, token.last_used_at, worker.active, worker.draining,
       worker.team_id, worker.instance, worker.hours
FROM bert_access_tokens token LEFT JOIN bert_workers worker ON worker.id = token.worker_id
WHERE token.digest = %s AND token.revoked_at IS NULL
  AND (token.expires_at IS NULL OR token.expires_at > CURRENT_TIMESTAMP)
"""
_WORKER_FIELDS = ("active", "draining", "hours", "team_id", "instance")  # in the order of the model


class TokenRefused(ServiceError):
    """No token can be made: too many are valid, or the one to rotate is not."""

    http_status = 409


def issue_worker_token(worker: Worker, *, days: int | None = None) -> tuple[AccessToken, str]:
    """Make a token for a worker; returns the row and the token, which is not to be had again."""
    token = make_token(WORKER_PREFIX)
    row = _store(token, days, worker=worker)
    record(AuditKind.TOKEN_MADE, target=row, token=row.prefix, holder_worker=worker.pk, days=days)
    return row, token


@transaction.atomic
def issue_user_token(
    user: User, *, label: str, scope: TokenScope = TokenScope.READ, days: int | None = None
) -> tuple[AccessToken, str]:
    """Make a token for a person, valid for some days or until revoked. Raises TokenRefused when there are many."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two at once shall not both be the last
    if AccessToken.objects.usable().filter(user=user).count() >= TOKENS_PER_PERSON:
        message = _("There are %(count)d valid tokens already. Revoke one that is not needed any more.")
        raise TokenRefused(ErrorCode.TOO_MANY_TOKENS, message % {"count": TOKENS_PER_PERSON})
    token = make_token(USER_PREFIX)
    row = _store(token, days, user=user, label=label, scope=scope.value)
    record(AuditKind.TOKEN_MADE, target=row, token=row.prefix, holder=user.pk, scope=scope.value, days=days)
    return row, token


@transaction.atomic
def rotate_worker_token(worker: Worker, *, overlap: timedelta = AT_ONCE, days: int | None = None) -> str:
    """Issue a new token; those before it end after `overlap`. A job that the worker holds stays with it.

    At once means that the old token may be in wrong hands, or the computer another: who has the new one is the worker.
    """
    Worker.objects.select_for_update(no_key=True).get(pk=worker.pk)
    old = list(AccessToken.objects.usable().filter(worker=worker).values_list("pk", flat=True))
    row, token = issue_worker_token(worker, days=days)
    _retire(AccessToken.objects.filter(pk__in=old), row, overlap)
    if not overlap:
        Worker.objects.filter(pk=worker.pk).update(instance="")
    return token


@transaction.atomic
def rotate_user_token(old: AccessToken, *, overlap: timedelta, days: int | None) -> tuple[AccessToken, str]:
    """Issue a token of the same label and scope; the old one ends after `overlap`.

    Raises TokenRefused when the old one is not valid, or was replaced before: its overlap is not made longer.
    """
    user = User.objects.select_for_update(no_key=True).get(access_tokens=old.pk)
    found = AccessToken.objects.usable().filter(pk=old.pk, replaced_by=None)
    current = found.first()
    if current is None:
        raise TokenRefused(ErrorCode.TOKEN_REPLACED, _("This token is not valid any more, or has been replaced."))
    row, token = issue_user_token(user, label=current.label, scope=TokenScope(current.scope), days=days)
    _retire(found, row, overlap)
    return row, token


@transaction.atomic
def revoke_token(token: AccessToken) -> None:
    """Make a token useless from now on."""
    if AccessToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=Now()):
        record(AuditKind.TOKEN_REVOKED, target=token, token=token.prefix)


def find_token(text: str) -> AccessToken:
    """Return the usable token with its holder, noting that it was used.

    Raises TokenMalformed (no query was made) or TokenUnknown.
    """
    if len(text) > TOKEN_CHARACTERS_LIMIT or not is_well_formed(text):
        raise TokenMalformed(ErrorCode.TOKEN_MALFORMED, _("This is not a token of this portal."))
    found = list(AccessToken.objects.raw(_USABLE, [token_digest(text)]))
    if not found:
        record_refusal(AuditKind.TOKEN_REFUSED)
        raise TokenUnknown(ErrorCode.TOKEN_UNKNOWN, _("The token is unknown, revoked or expired."))
    token = found[0]
    if token.worker_id is not None:
        values = vars(token) | {"hours": json.loads(vars(token)["hours"])}
        known = [values[name] for name in _WORKER_FIELDS]
        token.worker = Worker.from_db(connection.alias, ("id", *_WORKER_FIELDS), [token.worker_id, *known])
    _note_use(token)
    return token


def _store(token: str, days: int | None, **fields: Worker | User | str) -> AccessToken:
    expires_at = timezone.now() + timedelta(days=days) if days else None
    return AccessToken.objects.create(
        prefix=shown_prefix(token), digest=token_digest(token), expires_at=expires_at, **fields
    )


def _retire(tokens: AccessTokenQuerySet, successor: AccessToken, overlap: timedelta) -> None:
    """End tokens after an overlap, and none later than it would have ended by itself."""
    hours = overlap.total_seconds() / 3600
    for token in tokens:
        record(AuditKind.TOKEN_ROTATED, target=token, token=token.prefix, by=successor.prefix, overlap_hours=hours)
    if overlap:
        end = timezone.now() + overlap
        tokens.filter(Q(expires_at=None) | Q(expires_at__gt=end)).update(expires_at=end)
        tokens.update(replaced_by=successor)
    else:
        tokens.update(revoked_at=Now(), replaced_by=successor)


def _note_use(token: AccessToken) -> None:
    if token.last_used_at is None:
        _note_first_use(token)
        return
    before = timezone.now() - LAST_USED_PRECISION
    if token.last_used_at < before:
        AccessToken.objects.filter(pk=token.pk, last_used_at__lt=before).update(last_used_at=Now())


@transaction.atomic
def _note_first_use(token: AccessToken) -> None:
    """Of calls that come at once only one is the first."""
    if AccessToken.objects.filter(pk=token.pk, last_used_at__isnull=True).update(last_used_at=Now()):
        record(AuditKind.TOKEN_FIRST_USED, actor=token.user, worker=token.worker, target=token, token=token.prefix)
