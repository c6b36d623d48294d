"""What a service refuses, one class for each decision that a caller can take."""

import math
from typing import Any, Self

from django.utils.translation import gettext as _

from bert_training.contract.enums import ErrorCode

COUNTED_MINUTES = 2


class ServiceError(Exception):
    """Base: a code of the API, the HTTP status that goes with it, a sentence, and fields that the code promises."""

    http_status = 400

    def __init__(self, code: ErrorCode, message: str, *, http_status: int | None = None, **extra: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.extra = extra
        if http_status is not None:
            self.http_status = http_status


class ProtocolError(ServiceError):
    """An answer of the worker protocol other than 200 (protocol section 7)."""

    http_status = 409


class TokenMalformed(ServiceError):
    """Not a token of ours: refused without a database query."""

    http_status = 401


class TokenUnknown(ServiceError):
    """Well formed, but not issued here, revoked or expired."""

    http_status = 401


class AlreadyFinished(ServiceError):
    """The run has ended; `extra["status"]` says how."""

    http_status = 409


class InvalidRun(ServiceError):
    """A run cannot be created as asked; `errors` names each field."""

    def __init__(self, code: ErrorCode, message: str, *, errors: list[dict[str, str]]) -> None:
        super().__init__(code, message, errors=errors)
        self.errors = errors


class DatasetNotReady(ServiceError):
    """The dataset is still being checked, or was refused."""

    http_status = 409


class DatasetGone(ServiceError):
    """The row is there but the stored file is not."""

    http_status = 404


class StorageAway(ServiceError):
    """The store does not answer: whether the file is there nobody can say now."""

    http_status = 503


class InUse(ServiceError):
    """A dataset or run that a queued or running run needs."""

    http_status = 409


class QuotaExceeded(ServiceError):
    """A person or a team has as much as it may: `quota`, `team`, `limit`, `used`; `resets_at` where a date helps."""

    http_status = 429


class RateLimited(ServiceError):
    """Somebody asks too often; `retry_after` says after how many seconds to go on."""

    http_status = 429

    @classmethod
    def after(cls, seconds: int, message: str) -> Self:
        """Say why, and when to go on: in minutes where nobody counts the seconds."""
        minutes = math.ceil(seconds / 60)
        words = (
            _("%(why)s Go on in %(minutes)d min.")
            if minutes > COUNTED_MINUTES
            else _("%(why)s Go on in %(seconds)d s.")
        )
        words %= {"why": message, "seconds": seconds, "minutes": minutes}
        return cls(ErrorCode.RATE_LIMITED, words, retry_after=seconds)


class StorageFull(ServiceError):
    """The file could not be stored; nothing was kept."""

    http_status = 503


class AlreadyInvited(ServiceError):
    """The address has an account, or an invitation that was not used yet."""

    http_status = 409


class InvitationClosed(ServiceError):
    """The invitation was used, was withdrawn or has expired."""

    http_status = 410


class NameTaken(ServiceError):
    """Somebody else has this user name."""

    http_status = 409
