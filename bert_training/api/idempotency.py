"""Idempotency-Key: for 24 hours the same key of the same person at the same path answers with the same run."""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request

from bert_training.api.authentication import calling_person
from bert_training.api.errors import InvalidRequest
from bert_training.contract.enums import ErrorCode
from bert_training.models import IdempotentRequest, Run
from bert_training.services.errors import ServiceError

KEY_FORM = re.compile(r"[\x21-\x7e]{1,200}")
REMEMBERED = timedelta(hours=24)

Prepared = TypeVar("Prepared")


def create_once(
    request: Request, prepare: Callable[[], Prepared], store: Callable[[Prepared], Run]
) -> tuple[Run, bool]:
    """Prepare and store, unless this request was answered before; returns the run and whether anything was stored.

    Run and key commit together: of two clicks at once the second meets the first one's key, its own run never was.
    Preparing reads the table and so happens before the transaction.
    Raises ServiceError idempotency_conflict when the key came with another body.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return store(prepare()), True
    if not KEY_FORM.fullmatch(key):
        raise InvalidRequest(_("Idempotency-Key takes 1 to 200 visible ASCII characters."), path="Idempotency-Key")
    owner, digest = calling_person(request), _body_digest(request)
    known = _known(owner, request.path, key)
    if known is None:
        prepared = prepare()
        try:
            with transaction.atomic():
                run = store(prepared)
                IdempotentRequest.objects.create(user=owner, path=request.path, key=key, body_digest=digest, run=run)
        except IntegrityError:
            known = _known(owner, request.path, key)
            if known is None:
                raise
        else:
            return run, True
    if known.body_digest != digest:
        message = _("This Idempotency-Key was used with another body.")
        raise ServiceError(ErrorCode.IDEMPOTENCY_CONFLICT, message, http_status=409)
    return known.run, False


def _known(owner: User, path: str, key: str) -> IdempotentRequest | None:
    requests = IdempotentRequest.objects.filter(user=owner, path=path, key=key)
    requests.filter(created_at__lt=timezone.now() - REMEMBERED).delete()
    return requests.select_related("run").first()


def _body_digest(request: Request) -> str:
    return hashlib.sha256(json.dumps(request.data, sort_keys=True).encode()).hexdigest()
