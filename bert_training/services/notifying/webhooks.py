"""What staff do with webhooks, and how one is called: body, signature, and the end after too many calls in vain."""

import base64
import hashlib
import hmac
import json
import logging
import secrets
import time
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from bert_training.contract.enums import AuditKind, DispatchFailure, ErrorCode, NoticeKind
from bert_training.models import Dispatch, Occurrence, Webhook
from bert_training.services.audit import record
from bert_training.services.errors import ServiceError
from bert_training.services.notifying.dispatches import Try
from bert_training.services.notifying.mailing import curves_of
from bert_training.services.notifying.occurrences import note_of_house
from bert_training.services.notifying.recipients import webhooks_for
from bert_training.services.notifying.webhook_calls import CallFailed, call, target_of
from bert_training.services.notifying.words import tell
from bert_training.services.sealing import SealBroken, seal, unseal

logger = logging.getLogger(__name__)

PURPOSE = "bert_training.webhook"
SECRET_PREFIX = "bertwh_"  # noqa: S105 - what every secret begins with
SECRET_BYTES = 32
FAILURES_UNTIL_OFF = 20


def require_allowed(url: str) -> None:
    """Raise ServiceError unless an address may be called, by the settings as they are."""
    try:
        target_of(url)
    except CallFailed as failed:
        hosts = ", ".join([*settings.WEBHOOK_HOSTS, *settings.WEBHOOK_INTERNAL_HOSTS]) or _("no host")
        message = _("The address must be https://, on a host that WEBHOOK_HOSTS allows. Allowed now: %(hosts)s.")
        raise ServiceError(ErrorCode.INVALID_FIELD, message % {"hosts": hosts}) from failed


def give_secret(webhook: Webhook) -> str:
    """Make a new secret for a webhook that is not stored yet, or in place of the old one; returned this once."""
    secret = SECRET_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    webhook.secret = seal(secret, PURPOSE)
    if webhook.pk is not None:
        Webhook.objects.filter(pk=webhook.pk).update(secret=webhook.secret)
        record(AuditKind.WEBHOOK_CHANGED, target=webhook, did="secret")
    return secret


def switch_webhook(webhook: Webhook, *, active: bool) -> None:
    """Switch a webhook on, with its failures forgotten, or off."""
    Webhook.objects.filter(pk=webhook.pk).update(active=active, failures=0, switched_off_at=None)
    record(AuditKind.WEBHOOK_CHANGED, target=webhook, active_after=active)


def delete_webhook(webhook: Webhook) -> None:
    """Delete a webhook with its log of deliveries."""
    with transaction.atomic():
        record(AuditKind.WEBHOOK_CHANGED, target=webhook, did="deleted")
        webhook.delete()


def secret_of(webhook: Webhook) -> str:
    """Return the secret by which calls are signed. Raises SealBroken."""
    return unseal(webhook.secret, PURPOSE)


def new_test(webhook: Webhook) -> Dispatch:
    """Store a test of a webhook; whoever sends it sees at once whether it arrives."""
    now = timezone.now()
    occurrence = Occurrence.objects.create(kind=NoticeKind.TEST.value, key=f"test:{uuid4().hex}", announced_at=now)
    return Dispatch.objects.create(occurrence=occurrence, webhook=webhook, next_at=now)


def call_webhook(dispatch: Dispatch) -> Try:
    """Call the webhook of a dispatch once, except for a test only if it is to hear of this still.

    Between two attempts hours may pass: it may be switched off, or the run be shared with its team no more.
    """
    webhook = dispatch.webhook
    assert webhook is not None
    is_test = dispatch.occurrence.kind == NoticeKind.TEST
    if not is_test and webhook not in webhooks_for(dispatch.occurrence):
        return Try(failure=DispatchFailure.SWITCHED_OFF)
    try:
        secret = secret_of(webhook)
    except SealBroken:
        logger.error("a webhook's secret cannot be read", extra={"webhook": webhook.pk})
        return Try(failure=DispatchFailure.SECRET_UNREADABLE)
    body = body_of(dispatch)
    made = call(webhook.url, body, _headers(dispatch, secret, body))
    if not is_test:
        _count(webhook, made)
    return made


def body_of(dispatch: Dispatch) -> bytes:
    """Return what a webhook is told, in the portal's language."""
    occurrence, webhook = dispatch.occurrence, dispatch.webhook
    with translation.override(settings.LANGUAGE_CODE):
        told = tell(occurrence)
        picture = curves_of(occurrence) if webhook is not None and webhook.with_picture else None
    content: dict[str, Any] = {
        "event": occurrence.kind,
        "delivery": dispatch.pk,
        "at": occurrence.created_at.isoformat(),
        "title": told.title,
        "sentence": told.sentence,
        "advice": told.advice,
        "figure": told.figure,
        "url": settings.BASE_URL + told.path,
        "facts": occurrence.facts,
        "run": _run(occurrence),
    }
    if picture is not None:
        content["training_history_png"] = base64.b64encode(picture).decode()
    return json.dumps(content, ensure_ascii=False).encode()


def _run(occurrence: Occurrence) -> dict[str, Any] | None:
    run = occurrence.run
    return {"id": run.pk, "name": run.name, "status": run.status} if run is not None else None


def _headers(dispatch: Dispatch, secret: str, body: bytes) -> dict[str, str]:
    timestamp = str(int(time.time()))
    return {
        "User-Agent": "BERT-Training-Portal",
        "Portal-Event": dispatch.occurrence.kind,
        "Portal-Delivery": str(dispatch.pk),
        "Portal-Timestamp": timestamp,
        "Portal-Signature": f"sha256={signature_of(secret, timestamp, body)}",
    }


def signature_of(secret: str, timestamp: str, body: bytes) -> str:
    """Sign a body and the moment it was sent: who recomputes it knows that both are the portal's."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _count(webhook: Webhook, made: Try) -> None:
    """Forget the failures of a webhook that answers; switch it off after too many in a row, and tell staff."""
    known = Webhook.objects.filter(pk=webhook.pk)
    if made.failure is None:
        known.exclude(failures=0).update(failures=0)
        return
    known.update(failures=F("failures") + 1)
    with transaction.atomic():
        too_many = known.filter(active=True, failures__gte=FAILURES_UNTIL_OFF)
        if too_many.update(active=False, switched_off_at=timezone.now()):
            note_of_house(NoticeKind.WEBHOOK_OFF, f"webhook-off:{webhook.pk}:{uuid4().hex}", number=webhook.pk)
            record(AuditKind.WEBHOOK_CHANGED, target=webhook, active_after=False)
