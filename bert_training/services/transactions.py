"""One short durable transaction a service, repeated once when the database reports a deadlock."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext as _

from bert_training.contract.enums import ErrorCode
from bert_training.models import Dataset
from bert_training.services.errors import DatasetGone

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

# PostgreSQL: serialization_failure, deadlock_detected. Nothing of the transaction stays, so it may run again.
RETRYABLE_SQLSTATES = frozenset({"40001", "40P01"})


def short_transaction(service: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Run a service in one transaction that commits when it returns; nothing slow belongs inside."""
    return repeated_once(transaction.atomic(service))


def repeated_once(service: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Run a service again, once, when the database undid it for a deadlock; inside of a transaction that cannot be."""

    @functools.wraps(service)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            return service(*args, **kwargs)
        except OperationalError as error:
            if connection.in_atomic_block or sqlstate_of(error) not in RETRYABLE_SQLSTATES:
                raise
        return service(*args, **kwargs)

    return run


def hold_dataset(pk: int) -> None:
    """Lock a dataset, so that its deletion waits for this transaction or this transaction sees the deletion.

    Raises DatasetGone.
    """
    if Dataset.objects.select_for_update(no_key=True).filter(pk=pk, deleted_at__isnull=True).first() is None:
        raise DatasetGone(ErrorCode.DATASET_GONE, _("The dataset was deleted."))


def sqlstate_of(error: Exception) -> str:
    """Return PostgreSQL's code of an error, by psycopg2 or psycopg 3; empty for others."""
    cause = error.__cause__
    return str(getattr(cause, "pgcode", None) or getattr(cause, "sqlstate", None) or "")
