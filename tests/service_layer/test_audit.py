"""The audit: rows that stay as they are, in the caller's transaction, without texts, with the call they belong to."""

import json
import logging
from importlib import import_module
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from bert_training.contract.enums import AuditKind
from bert_training.models import AuditEvent, Run, Worker
from bert_training.models.audit import AppendOnly
from bert_training.models.audit_words import AUDIT_LABELS
from bert_training.services.audit import ENTRIES, UnfitFact, record
from bert_training.services.origin import Caller, Origin, calling_from
from portal.logs import JsonFormatter

pytestmark = pytest.mark.embedded


def last_event() -> AuditEvent:
    event = AuditEvent.objects.first()
    assert event is not None
    return event


def test_an_event_says_who_did_what_to_which_row_from_where(run: Run, ana: User, worker: Worker) -> None:
    origin = Origin("request-1", "192.0.2.7", find_caller=lambda: Caller(ana, worker, "bertu_1a2b3c4d"))
    with calling_from(origin):
        record(AuditKind.RUN_CREATED, target=run, dataset=run.dataset_id, simulate=False)
    event = last_event()
    assert (event.kind, event.target_kind, event.target_id) == ("run_created", "run", run.pk)
    assert (event.actor_id, event.actor_name) == (ana.pk, "ana")
    assert (event.worker_id, event.worker_name, event.token_prefix) == (worker.pk, "gpu-1", "bertu_1a2b3c4d")
    assert (event.request_id, event.address) == ("request-1", "192.0.2.7")
    assert event.facts == {"dataset": run.dataset_id, "simulate": False}
    assert event.at.tzinfo is not None


def test_outside_of_a_call_the_system_acts(run: Run) -> None:
    record(AuditKind.RUN_DELETED, target=run)
    event = last_event()
    assert (event.actor_id, event.worker_id, event.request_id, event.address) == (None, None, "", "")


UNFIT = ["A sentence of somebody's", "ana@example.com", "\u00e9", "x" * 65, ["R\u00e9u"], {"a": 1}, b"x"]


@pytest.mark.parametrize("fact", UNFIT)
@pytest.mark.django_db
def test_a_fact_that_might_be_a_text_is_refused(fact: Any) -> None:
    with pytest.raises(UnfitFact):
        record(AuditKind.RUN_CHANGED, told=fact)
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db
def test_a_long_list_is_cut_and_counted() -> None:
    record(AuditKind.TEAM_CHANGED, added=[0, 1, 2], removed=list(range(ENTRIES + 1)), none=None)
    assert last_event().facts == {
        "added": [0, 1, 2],
        "removed": list(range(ENTRIES)),
        "removed_count": ENTRIES + 1,
    }


@pytest.mark.django_db
def test_what_is_rolled_back_was_not_done() -> None:
    with transaction.atomic():
        record(AuditKind.SHARED)
        transaction.set_rollback(True)
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db
def test_an_event_is_one_line_of_json_after_commit(
    django_capture_on_commit_callbacks: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "bert_training.services.audit"):
        with django_capture_on_commit_callbacks() as callbacks:
            record(AuditKind.QUEUE_REORDERED, before=0, after=5)
        assert not caplog.records
        for callback in callbacks:
            callback()
    line = json.loads(JsonFormatter().format(caplog.records[0]))
    assert (line["message"], line["event"], line["fact_after"]) == ("audit", "queue_reordered", 5)
    assert line["ts"].endswith("+00:00")


def test_every_kind_has_its_words() -> None:
    assert set(AUDIT_LABELS) == set(AuditKind)
    assert max(len(kind) for kind in AuditKind) <= 30


@pytest.mark.django_db
def test_the_program_cannot_change_or_delete_an_event() -> None:
    record(AuditKind.EXPORTED)
    event = last_event()
    for attempt in (
        event.save,
        event.delete,
        AuditEvent.objects.all().delete,
        lambda: AuditEvent.objects.update(kind=AuditKind.SHARED),
        lambda: AuditEvent.objects.bulk_update([event], ["kind"]),
    ):
        with pytest.raises(AppendOnly):
            attempt()


@pytest.mark.parametrize("statement", ["UPDATE bert_audit_events SET kind = 'shared'", "DELETE FROM bert_audit_events"])
@pytest.mark.django_db
def test_the_database_refuses_to_change_or_delete_an_event(statement: str) -> None:
    restore_delete_trigger()
    record(AuditKind.EXPORTED)
    refused = pytest.raises(IntegrityError, match="never changed nor deleted")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert last_event().kind == "exported"


def restore_delete_trigger() -> None:
    """Put back, until this test's transaction ends, what tests/conftest.py takes from the embedded session."""
    if connection.vendor != "sqlite":
        return
    triggers = import_module("bert_training.migrations.0022_audit_events").TRIGGERS_OF_SQLITE
    with connection.cursor() as cursor:
        cursor.execute(triggers["bert_audit_events_no_delete"])
