"""What a webhook is told: signed, of its kinds and team alone, once, and nothing of anybody's data."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone, translation

from bert_training import background
from bert_training.contract.enums import DispatchState, NoticeKind
from bert_training.models import Dispatch, Notification, Occurrence, Team, Webhook, Worker
from bert_training.services.notifying.webhooks import FAILURES_UNTIL_OFF, switch_webhook
from tests.pages.training import fail, train
from tests.personas import make_run, ready_dataset, share
from tests.receiver import Receiver
from tests.telling import make_webhook, tell_all

pytestmark = pytest.mark.usefixtures("resolver")
CANARY = "<img onerror=alert(1)> CANARY"


@pytest.fixture(autouse=True)
def _within_the_house(settings: Any, receiver: Receiver) -> Iterator[None]:
    settings.WEBHOOK_INTERNAL_HOSTS = [receiver.host]
    settings.LANGUAGE_CODE = "en"
    with translation.override("en"):
        yield


def bodies(receiver: Receiver) -> list[dict[str, Any]]:
    """Return what has arrived."""
    return [json.loads(body) for _headers, body in receiver.calls]


def test_a_completed_run_is_told_signed_with_its_figures_and_curves(
    ana: User, worker: Worker, receiver: Receiver, settings: Any
) -> None:
    _webhook, secret = make_webhook(receiver)
    dataset = ready_dataset(ana, name=CANARY, original_name=f"{CANARY}.xlsx", description=CANARY)
    run = train(worker, make_run(ana, dataset, name="Assunto v2"), message=CANARY)
    tell_all()
    tell_all()
    ((headers, body),) = receiver.calls
    told = json.loads(body)
    assert (told["event"], told["run"]) == (
        "run_completed",
        {"id": run.pk, "name": "Assunto v2", "status": "completed"},
    )
    assert (told["facts"]["value"], told["url"]) == (0.875, f"{settings.BASE_URL}/runs/{run.pk}")
    assert told["training_history_png"].startswith("iVBORw0KGgo")
    assert "CANARY" not in body.decode()
    timestamp = headers["Portal-Timestamp"]
    expected = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["Portal-Signature"] == f"sha256={expected}"
    assert abs(int(timestamp) - time.time()) < 60
    dispatch = Dispatch.objects.get()
    assert (headers["Portal-Delivery"], headers["Portal-Event"]) == (str(dispatch.pk), "run_completed")
    assert (dispatch.state, dispatch.tries[0]["status"], len(dispatch.tries)) == (DispatchState.SENT, 200, 1)


def test_a_failed_run_is_told_by_reason_and_advice_and_never_by_its_message(
    ana: User, worker: Worker, receiver: Receiver
) -> None:
    make_webhook(receiver, with_picture=False)
    fail(worker, make_run(ana), "gpu_out_of_memory")
    tell_all()
    (told,) = bodies(receiver)
    assert (told["facts"], told["sentence"]) == ({"reason": "gpu_out_of_memory"}, "The GPU ran out of memory.")
    assert "Halve the batch size" in told["advice"]
    assert ("CUDA" in str(told), "training_history_png" in told) == (False, False)


def test_a_webhook_hears_of_its_kinds_and_of_what_is_shared_with_its_team_alone(
    ana: User, team: Team, worker: Worker, receiver: Receiver
) -> None:
    make_webhook(receiver, NoticeKind.RUN_FAILED, team=team)
    shared, own = make_run(ana, name="shared"), make_run(ana, name="own")
    share(shared, team)
    for run in (shared, own):
        fail(worker, run, "crashed")
    completed = make_run(ana)
    share(completed, team)
    train(worker, completed)
    tell_all()
    assert [told["run"]["name"] for told in bodies(receiver)] == ["shared"]


def test_it_is_called_again_under_the_same_number_until_it_answers(
    ana: User, worker: Worker, receiver: Receiver
) -> None:
    webhook, _secret = make_webhook(receiver, with_picture=False)
    receiver.status = 503
    fail(worker, make_run(ana), "crashed")
    tell_all()
    webhook.refresh_from_db()
    assert webhook.failures == 1
    receiver.status = 200
    Dispatch.objects.update(next_at=timezone.now())
    tell_all()
    webhook.refresh_from_db()
    (dispatch,) = Dispatch.objects.all()
    assert (webhook.failures, dispatch.state) == (0, DispatchState.SENT)
    assert [one["status"] for one in dispatch.tries] == [503, 200]
    assert len({headers["Portal-Delivery"] for headers, _body in receiver.calls}) == 1


def test_a_team_hears_nothing_of_a_run_that_is_shared_with_it_no_more(
    ana: User, team: Team, worker: Worker, receiver: Receiver
) -> None:
    make_webhook(receiver, team=team, with_picture=False)
    run = make_run(ana)
    share(run, team)
    receiver.status = 503
    fail(worker, run, "crashed")
    tell_all()
    run.shares.all().delete()
    Dispatch.objects.update(next_at=timezone.now())
    tell_all()
    (dispatch,) = Dispatch.objects.all()
    assert (dispatch.state, len(receiver.calls)) == (DispatchState.FAILED, 1)


def test_after_twenty_failures_in_a_row_it_is_off_and_staff_are_told(
    ana: User, root: User, worker: Worker, receiver: Receiver
) -> None:
    webhook, _secret = make_webhook(receiver, NoticeKind.RUN_FAILED, with_picture=False)
    receiver.status = 500
    Webhook.objects.update(failures=FAILURES_UNTIL_OFF - 2)
    run = fail(worker, make_run(ana), "crashed")
    for is_active in (True, False):
        tell_all()
        Dispatch.objects.update(next_at=timezone.now() - timedelta(minutes=2))
        webhook.refresh_from_db()
        assert webhook.active is is_active
    tell_all()
    assert len(receiver.calls) == 2  # off: what was on its way is not sent
    assert Dispatch.objects.get().state == DispatchState.FAILED
    assert [note.occurrence.kind for note in Notification.objects.filter(user=root)] == [NoticeKind.WEBHOOK_OFF]
    switch_webhook(webhook, active=True)
    receiver.status = 200
    fail(worker, make_run(ana, run.dataset), "crashed")
    tell_all()
    assert len(receiver.calls) == 3


def test_a_host_that_is_taken_off_the_list_is_not_called_any_more(
    ana: User, worker: Worker, receiver: Receiver, settings: Any
) -> None:
    make_webhook(receiver)
    settings.WEBHOOK_INTERNAL_HOSTS = []
    fail(worker, make_run(ana), "crashed")
    tell_all()
    dispatch = Dispatch.objects.get()
    assert (receiver.calls, dispatch.state, dispatch.tries[0]["failure"]) == ([], "failed", "host_not_allowed")


def test_with_another_secret_key_it_says_so_instead_of_signing_wrongly(
    ana: User, worker: Worker, receiver: Receiver, settings: Any
) -> None:
    webhook, secret = make_webhook(receiver)
    assert secret not in webhook.secret
    settings.SECRET_KEY = "another"
    fail(worker, make_run(ana), "crashed")
    tell_all()
    assert (receiver.calls, Dispatch.objects.get().tries[0]["failure"]) == ([], "secret_unreadable")


def test_a_run_that_is_deleted_meanwhile_is_told_nowhere(ana: User, worker: Worker, receiver: Receiver) -> None:
    make_webhook(receiver)
    run = fail(worker, make_run(ana), "crashed")
    background.announce(f"run-ended:{run.pk}")
    pk = Dispatch.objects.get().pk
    run.delete()
    background.send_dispatch(pk)
    assert (receiver.calls, Occurrence.objects.count()) == ([], 0)
