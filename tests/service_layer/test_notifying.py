"""Who is told what of runs, data and the house: once, with figures, and nothing of anybody's data."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core import mail
from django.utils import timezone, translation
from django_q.models import OrmQ

from bert_training import background
from bert_training.access import people_with
from bert_training.contract.enums import (
    DatasetStatus,
    DispatchState,
    JobStatus,
    NoticeKind,
    Outcome,
    ProofStatus,
    RepeatKind,
    Role,
    ShareLevel,
)
from bert_training.contract.messages import CompleteRequest
from bert_training.models import (
    AccessToken,
    Dataset,
    Dispatch,
    Erasure,
    ErasureCopy,
    GradeScale,
    Notification,
    NotificationChoice,
    Occurrence,
    PortalTick,
    Run,
    RunProof,
    Team,
    Webhook,
    Worker,
)
from bert_training.services import stored_check
from bert_training.services.datasets import delete_dataset
from bert_training.services.jobs import complete_job
from bert_training.services.notifying import announcing, inbox
from bert_training.services.notifying.dispatches import PATIENCE, begin
from bert_training.services.notifying.house import watch
from bert_training.services.notifying.words import tell
from bert_training.services.proving import proofs
from bert_training.services.proving.proofs import fail_proof, start_proof
from bert_training.services.tokens import issue_user_token
from tests.pages.conftest import client_of
from tests.pages.training import fail, train
from tests.personas import claim, make_run, make_user, make_worker, ready_dataset, role_permissions, share
from tests.proofs import make_proof
from tests.telling import announce_all, tell_all

CANARY = "<img onerror=alert(1)> CANARY"


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


def told_to(user: User) -> list[str]:
    """Return the kinds that somebody finds in the page, the newest first."""
    return [notification.occurrence.kind for notification in inbox.inbox_of(user)]


def prove(run: Run, value: float = 0.9, **changes: Any) -> None:
    """Let the proof of a completed run become ready, as background work does."""
    RunProof.objects.update_or_create(run=run, defaults={"status": ProofStatus.PENDING})
    proofs._settle(run.pk, ProofStatus.READY, content=make_proof(value, **changes))


@pytest.fixture
def has_mail(settings: Any, ana: User) -> None:
    """A portal with a mail server, and ana wants everything by e-mail, in English."""
    settings.HAS_EMAIL = True
    NotificationChoice.objects.create(user=ana, mailed=[*NoticeKind], language="en")


def test_the_owner_of_a_run_without_predictions_is_told_when_it_ends(
    ana: User, bruno: User, worker: Worker, run: Run
) -> None:
    train(worker, run)
    assert [task.args() for task in OrmQ.objects.all() if task.func() == "bert_training.background.announce"] == [
        (f"run-ended:{run.pk}",)
    ]
    announce_all()
    assert (told_to(ana), told_to(bruno)) == ([NoticeKind.RUN_COMPLETED], [])
    (notification,) = inbox.inbox_of(ana)
    assert "87.5%" in tell(notification.occurrence).figure  # the worker's own figure


def test_a_loss_is_told_as_a_number_and_no_share(ana: User, worker: Worker, run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(hyperparameters={**run.hyperparameters, "best_metric": "loss"})
    train(worker, run)
    value = Run.objects.get(pk=run.pk).result["metrics"]["loss"]  # type: ignore[index]
    announce_all()
    (notification,) = inbox.inbox_of(ana)
    assert tell(notification.occurrence).figure == f"Loss {value:.4f}"


def test_nobody_outside_is_told_of_the_example(ana: User, worker: Worker, run: Run) -> None:
    Webhook.objects.create(name="hook", url="https://hooks.example/x", secret="-", kinds=[*NoticeKind])
    Run.objects.filter(pk=run.pk).update(is_example=True)
    train(worker, run)
    announce_all()
    assert not Dispatch.objects.exists()


def test_with_predictions_the_owner_is_told_once_the_proof_is_there(ana: User, worker: Worker, run: Run) -> None:
    train(worker, run)
    Occurrence.objects.all().delete()
    prove(run)
    tell_all()
    (notification,) = inbox.inbox_of(ana)
    told = tell(notification.occurrence)
    assert notification.occurrence.kind == NoticeKind.RUN_COMPLETED
    assert (told.sentence, "90.0% (88.0% to 92.0%)" in told.figure) == ("Can be used.", True)
    start_proof(run.pk)  # made again from its file: no news
    fail_proof(run.pk)
    tell_all()
    assert told_to(ana) == [NoticeKind.RUN_COMPLETED]


def test_a_verdict_that_is_not_simply_use_asks_for_a_decision(ana: User, worker: Worker, run: Run) -> None:
    GradeScale.objects.filter(metric="f1_macro").update(excellent=0.99, good=0.98, fair=0.97)
    train(worker, run)
    Occurrence.objects.all().delete()
    prove(run, 0.5)
    tell_all()
    assert told_to(ana) == [NoticeKind.RUN_DECISION]


def test_a_proof_that_cannot_be_made_does_not_keep_the_end_of_a_run_secret(ana: User, worker: Worker, run: Run) -> None:
    train(worker, run)
    Occurrence.objects.all().delete()
    start_proof(run.pk)
    fail_proof(run.pk)
    tell_all()
    assert told_to(ana) == [NoticeKind.RUN_COMPLETED]


def test_data_that_are_deleted_before_the_proof_do_not_either(ana: User, worker: Worker, run: Run) -> None:
    train(worker, run)
    Occurrence.objects.all().delete()
    start_proof(run.pk)
    delete_dataset(run.dataset, by=ana)
    tell_all()
    assert told_to(ana) == [NoticeKind.RUN_COMPLETED]


def test_a_failed_run_is_told_by_its_reason_and_never_by_its_message(ana: User, worker: Worker, run: Run) -> None:
    fail(worker, run, "gpu_out_of_memory")
    announce_all()
    (notification,) = inbox.inbox_of(ana)
    told = tell(notification.occurrence)
    assert (told.sentence, "Halve the batch size" in told.advice) == ("The GPU ran out of memory.", True)
    assert "CUDA" not in str(told)
    assert notification.occurrence.facts == {"reason": "gpu_out_of_memory"}


@pytest.mark.parametrize("is_running", [False, True])
def test_who_cancels_their_own_run_is_told_nothing_and_of_others_doing_they_are(
    ana: User, bruno: User, team: Team, run: Run, is_running: bool
) -> None:
    other = make_run(ana, run.dataset)
    share(other, team, ShareLevel.MANAGE)
    for one, person in ((run, ana), (other, bruno)):
        holder = make_worker(f"w{one.pk}")
        job_id = claim(holder).job_id if is_running else 0
        client_of(person).post(f"/runs/{one.pk}/cancel")
        if is_running:
            assert not Occurrence.objects.filter(run=one).exists()  # the worker has not let go of it yet
            client_of(ana).post(f"/runs/{one.pk}/cancel")  # too late to have been the one who did it
            complete_job(holder, job_id, CompleteRequest(attempt=1, outcome=Outcome.CANCELED, log_seq=0, metric_seq=0))
    announce_all()
    assert [told.occurrence.run_id for told in inbox.inbox_of(ana)] == [other.pk]
    assert told_to(bruno) == []


def test_of_repeats_only_the_end_of_the_last_is_told(ana: User, worker: Worker, run: Run) -> None:
    train(worker, run)
    announce_all()
    repeats = [
        Run.objects.create(
            name=f"r{n}", owner=ana, dataset=run.dataset, task=run.task, base_model="x", hyperparameters={},
            repeat_of=run, repeat_kind=RepeatKind.SEED, repeat_number=n,
        )
        for n in (1, 2)
    ]  # fmt: skip
    for repeat, expected in zip(repeats, ([], [NoticeKind.REPEATS_ENDED]), strict=True):
        Run.objects.filter(pk=repeat.pk).update(status=JobStatus.COMPLETED, finished_at=timezone.now())
        Occurrence.objects.create(kind=NoticeKind.RUN_COMPLETED, key=f"run-ended:{repeat.pk}", run=repeat)
        announce_all()
        assert told_to(ana)[:-1] == expected
    (newest, _older) = inbox.inbox_of(ana)
    assert tell(newest.occurrence).sentence == "2 of 2 repeats completed."


@pytest.mark.usefixtures("checked_here")
def test_the_check_of_a_large_upload_is_told_when_it_is_over(ana: User, dataset: Dataset) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(status=DatasetStatus.CHECKING)
    stored_check.refuse_unchecked(dataset.pk)
    announce_all()
    assert told_to(ana) == [NoticeKind.DATASET_REFUSED]
    (notification,) = inbox.inbox_of(ana)
    assert dataset.name not in str(tell(notification.occurrence))
    delete_dataset(dataset, by=ana)
    assert told_to(ana) == []


def test_the_house_is_watched_and_each_finding_told_once(ana: User, otto: User, root: User, worker: Worker) -> None:
    now = timezone.now()
    PortalTick.objects.create(pk=1, heard_since=now - timedelta(hours=1), heard_at=now)
    Worker.objects.update(last_seen_at=now - timedelta(minutes=11))
    Worker.objects.create(name="full", last_seen_at=now, hardware={"disk_free": 10**8})
    Worker.objects.create(name="ended", last_seen_at=now - timedelta(hours=2), state="stopped")
    token, _text = issue_user_token(ana, label="x", days=5)
    erasure = Erasure.objects.create(kind="dataset", name=CANARY, dataset_number=1)
    Erasure.objects.update(created_at=now - timedelta(days=8))
    ErasureCopy.objects.create(erasure=erasure, worker=worker, worker_name=worker.name)
    assert watch() == 4
    announce_all()
    assert watch() == 0
    house = {NoticeKind.WORKER_SILENT, NoticeKind.DISK_FULL}
    assert {*told_to(otto)} == house
    assert {*told_to(root)} == house | {NoticeKind.ERASURE_WAITING}
    assert told_to(ana) == [NoticeKind.TOKEN_EXPIRING]
    assert CANARY not in "".join(str(tell(one.occurrence)) for one in inbox.inbox_of(root))
    AccessToken.objects.filter(pk=token.pk).update(replaced_by=token)
    Worker.objects.filter(pk=worker.pk).update(last_seen_at=now - timedelta(minutes=12))
    assert watch() == 1  # another silence


def test_nobody_is_called_silent_while_the_portal_itself_did_not_hear(worker: Worker) -> None:
    now = timezone.now()
    PortalTick.objects.create(pk=1, heard_since=now - timedelta(minutes=9), heard_at=now)
    Worker.objects.update(last_seen_at=now - timedelta(minutes=11))
    assert watch() == 0


def test_without_a_choice_no_mail_is_sent_and_what_is_hidden_is_not_told(
    settings: Any, ana: User, worker: Worker, run: Run
) -> None:
    settings.HAS_EMAIL = True
    train(worker, run)
    tell_all()
    assert (len(told_to(ana)), mail.outbox) == (1, [])
    NotificationChoice.objects.create(user=ana, hidden=[NoticeKind.RUN_FAILED], language="en")
    fail(worker, make_run(ana, run.dataset), "crashed")
    tell_all()
    assert (len(told_to(ana)), mail.outbox) == (1, [])


@pytest.mark.usefixtures("has_mail")
def test_a_mail_brings_the_figures_the_curves_and_a_link_and_nothing_of_the_data(
    ana: User, worker: Worker, settings: Any
) -> None:
    dataset = ready_dataset(ana, name=CANARY, original_name=f"{CANARY}.xlsx", description=CANARY)
    run = train(worker, make_run(ana, dataset, name="Assunto\nBcc: x@evil.example v2"), message=CANARY)
    Occurrence.objects.all().delete()
    prove(run, names=(CANARY, "b", "c"))
    tell_all()
    tell_all()
    (sent,) = mail.outbox
    assert sent.to == ["ana@example.com"]
    assert "\n" not in sent.subject
    assert "90.0% (88.0% to 92.0%)" in sent.body
    assert f"{settings.BASE_URL}/runs/{run.pk}" in sent.body
    assert [(name, kind) for name, _content, kind in sent.attachments] == [("training_history.png", "image/png")]
    assert "CANARY" not in sent.message().as_string()
    assert "CANARY" not in str(Occurrence.objects.values()) + str(Dispatch.objects.values())


@pytest.mark.usefixtures("has_mail")
def test_a_mail_is_tried_again_with_patience_and_given_up_at_the_end(settings: Any, dataset: Dataset) -> None:
    settings.EMAIL_BACKEND = "tests.accounts.broken_mail.BrokenMail"
    Dataset.objects.filter(pk=dataset.pk).update(status=DatasetStatus.CHECKING)
    stored_check.refuse_unchecked(dataset.pk)
    tell_all()
    dispatch = Dispatch.objects.get()
    assert (dispatch.state, dispatch.attempts) == (DispatchState.PENDING, 1)
    tell_all()  # it is not time
    dispatch.refresh_from_db()
    assert dispatch.attempts == 1
    for _attempt in PATIENCE:
        Dispatch.objects.update(next_at=timezone.now() - timedelta(minutes=2))
        OrmQ.objects.all().delete()
        background.watch_house()
        assert ("bert_training.background.send_dispatch", (dispatch.pk,)) in [
            (task.func(), task.args()) for task in OrmQ.objects.all()
        ]
        tell_all()
    dispatch.refresh_from_db()
    assert (dispatch.state, len(dispatch.tries), mail.outbox) == (DispatchState.FAILED, 1 + len(PATIENCE), [])


@pytest.mark.usefixtures("has_mail")
def test_two_who_send_the_same_at_once_send_it_once(ana: User, worker: Worker, run: Run) -> None:
    fail(worker, run, "crashed")
    announce_all()
    pk = Dispatch.objects.get().pk
    assert begin(pk) is not None
    background.send_dispatch(pk)  # while the other one is at it
    assert mail.outbox == []
    Dispatch.objects.update(next_at=timezone.now())  # the other one died
    background.send_dispatch(pk)
    background.send_dispatch(pk)
    assert [message.extra_headers["Message-ID"] for message in mail.outbox] == [f"<dispatch-{pk}@testserver>"]


def test_an_occurrence_whose_task_was_lost_is_announced_by_the_watch(ana: User, worker: Worker, run: Run) -> None:
    fail(worker, run, "crashed")
    OrmQ.objects.all().delete()
    Occurrence.objects.update(created_at=timezone.now() - timedelta(minutes=3))
    background.watch_house()
    assert [task.args() for task in OrmQ.objects.all()] == [(f"run-ended:{run.pk}",)]
    Occurrence.objects.update(attempts=announcing.ANNOUNCE_ATTEMPTS)  # each ended with its process
    announcing.announce(f"run-ended:{run.pk}")
    assert told_to(ana) == []


def test_figures_that_cannot_be_read_do_not_keep_the_end_of_a_run_secret(
    ana: User, worker: Worker, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(worker, run)
    monkeypatch.setattr(announcing, "find_facts", lambda _occurrence: 1 / 0)
    for _attempt in range(announcing.ATTEMPTS_WITH_FIGURES + 1):
        assert told_to(ana) == []
        background.announce(f"run-ended:{run.pk}")
    assert told_to(ana) == [NoticeKind.RUN_COMPLETED]


def test_a_role_that_was_taken_away_takes_its_notifications_along(ana: User, worker: Worker, run: Run) -> None:
    fail(worker, run, "crashed")
    announce_all()
    ana.user_permissions.clear()
    assert told_to(User.objects.get(pk=ana.pk)) == []


def test_a_deleted_or_inactive_owner_is_told_nothing(run: Run, ana: User, worker: Worker) -> None:
    User.objects.filter(pk=ana.pk).update(is_active=False)
    fail(worker, run, "crashed")
    announce_all()
    assert not Notification.objects.exists()


def test_what_is_old_goes(ana: User, worker: Worker, run: Run) -> None:
    fail(worker, run, "crashed")
    fail(worker, make_run(ana, run.dataset), "crashed")
    announce_all()
    old, young = Occurrence.objects.order_by("pk")
    for occurrence in (old, young):
        Dispatch.objects.create(occurrence=occurrence, user=ana, next_at=timezone.now())
    Occurrence.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=91))
    Dispatch.objects.filter(occurrence=young).update(created_at=timezone.now() - timedelta(days=31))
    background.sweep_files()
    assert [row.occurrence for row in Notification.objects.all()] == [young]
    assert not Dispatch.objects.exists()


def test_a_group_makes_operators_too(db: None) -> None:
    group = Group.objects.create(name="operadores")
    group.permissions.set(role_permissions([Role.OPERATE]))
    person = make_user("paula", roles=[])
    person.groups.add(group)
    make_user("tiago")
    assert list(people_with(Role.OPERATE)) == [person]
