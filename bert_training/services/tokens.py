"""Issues, finds, rotates and revokes access tokens. The token itself leaves this module once and is never stored."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from bert_training.contract.enums import ErrorCode
from bert_training.contract.tokens import USER_PREFIX, WORKER_PREFIX, is_well_formed, make_token, shown_prefix
from bert_training.models import AccessToken, Worker
from bert_training.models.token import token_digest
from bert_training.services.errors import TokenMalformed, TokenUnknown

TOKEN_CHARACTERS_LIMIT = 200
LAST_USED_PRECISION = timedelta(minutes=1)  # a busy worker calls several times a second

# Asked at every call of a worker, hence in SQL: by the ORM it costs this process 0.8 ms, like this 0.15 (Django 5.2,
# PostgreSQL). Fields of the worker that it leaves out, and the user, are read when somebody asks for them.
_USABLE = """
SELECT token.id, token.worker_id, token.user_id, token.last_used_at, worker.active, worker.draining, worker.team_id,
       worker.instance
FROM bert_access_tokens token LEFT JOIN bert_workers worker ON worker.id = token.worker_id
WHERE token.digest = %s AND token.revoked_at IS NULL
  AND (token.expires_at IS NULL OR token.expires_at > CURRENT_TIMESTAMP)
"""
_WORKER_FIELDS = ("active", "draining", "team_id", "instance")


def issue_worker_token(worker: Worker) -> tuple[AccessToken, str]:
    """Make a token for a worker; returns the row and the token, which is not to be had again."""
    token = make_token(WORKER_PREFIX)
    row = AccessToken.objects.create(worker=worker, prefix=shown_prefix(token), digest=token_digest(token))
    return row, token


def issue_user_token(user: User, *, label: str, days: int | None = None) -> tuple[AccessToken, str]:
    """Make a token for a person, valid for some days or until it is revoked."""
    token = make_token(USER_PREFIX)
    expires_at = timezone.now() + timedelta(days=days) if days else None
    row = AccessToken.objects.create(
        user=user, label=label, prefix=shown_prefix(token), digest=token_digest(token), expires_at=expires_at
    )
    return row, token


@transaction.atomic
def rotate_worker_token(worker: Worker) -> str:
    """Revoke all tokens of a worker and issue a new one."""
    AccessToken.objects.filter(worker=worker, revoked_at__isnull=True).update(revoked_at=Now())
    Worker.objects.filter(pk=worker.pk).update(instance="")  # whoever has the new token is the worker
    return issue_worker_token(worker)[1]


def revoke_token(token: AccessToken) -> None:
    """Make a token useless from now on."""
    AccessToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=Now())


def find_token(text: str) -> AccessToken:
    """Return the usable token with its holder, noting that it was used.

    Raises TokenMalformed (no query was made) or TokenUnknown.
    """
    if len(text) > TOKEN_CHARACTERS_LIMIT or not is_well_formed(text):
        raise TokenMalformed(ErrorCode.TOKEN_MALFORMED, _("This is not a token of this portal."))
    found = list(AccessToken.objects.raw(_USABLE, [token_digest(text)]))
    if not found:
        raise TokenUnknown(ErrorCode.TOKEN_UNKNOWN, _("The token is unknown, revoked or expired."))
    token = found[0]
    if token.worker_id is not None:
        values = [vars(token)[name] for name in _WORKER_FIELDS]
        token.worker = Worker.from_db(connection.alias, ("id", *_WORKER_FIELDS), [token.worker_id, *values])
    _note_use(token)
    return token


def _note_use(token: AccessToken) -> None:
    before = timezone.now() - LAST_USED_PRECISION
    if token.last_used_at is None or token.last_used_at < before:
        stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=before)
        AccessToken.objects.filter(stale, pk=token.pk).update(last_used_at=Now())
