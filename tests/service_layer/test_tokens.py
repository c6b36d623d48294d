"""Access tokens: shown once, stored as a digest, refused without a query when they are not ours."""

import importlib
from datetime import datetime, timedelta

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from bert_training.contract.enums import AuditKind, TokenScope
from bert_training.contract.tokens import make_token
from bert_training.models import AccessToken, AuditEvent, Job, Worker
from bert_training.services import tokens
from bert_training.services.errors import ServiceError, TokenMalformed, TokenUnknown
from bert_training.services.tokens import (
    TokenRefused,
    find_token,
    issue_user_token,
    issue_worker_token,
    revoke_token,
    rotate_user_token,
    rotate_worker_token,
)
from bert_training.services.workers import register_worker


def test_a_registered_worker_is_found_by_its_token(db: None) -> None:
    registered = register_worker(name="gpu-sala-3", description="RTX 4080")
    assert registered.token.startswith(registered.prefix)
    assert find_token(registered.token).worker == Worker.objects.get(name="gpu-sala-3")


def test_the_token_itself_is_stored_nowhere(db: None) -> None:
    token = register_worker(name="gpu").token
    stored = AccessToken.objects.values_list().get()
    assert token not in map(str, stored)


@pytest.mark.parametrize("name", ["", "   "])
def test_a_worker_needs_a_name(db: None, name: str) -> None:
    with pytest.raises(ServiceError):
        register_worker(name=name)


def test_two_workers_have_two_names(db: None) -> None:
    register_worker(name="gpu")
    with pytest.raises(ServiceError, match="gpu"):
        register_worker(name="gpu")
    assert AccessToken.objects.count() == 1


@pytest.mark.parametrize("token", ["", "bertw_", "x" * 300, make_token("bertw_")[:-1] + "é", "bertw_" + "a" * 49])
def test_what_is_no_token_is_refused_without_a_query(
    db: None, token: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0), pytest.raises(TokenMalformed):
        find_token(token)


def test_unknown_revoked_and_expired_tokens_are_refused(ana: User) -> None:
    revoked, revoked_text = issue_user_token(ana, label="a")
    revoke_token(revoked)
    expired, expired_text = issue_user_token(ana, label="b", days=1)
    early = timezone.now() - timedelta(days=2)
    AccessToken.objects.filter(pk=expired.pk).update(created_at=early, expires_at=early + timedelta(days=1))
    for text in (make_token("bertu_"), revoked_text, expired_text):
        with pytest.raises(TokenUnknown):
            find_token(text)


def test_rotation_ends_the_old_token(db: None) -> None:
    old = register_worker(name="gpu")
    new = rotate_worker_token(Worker.objects.get())
    assert find_token(new).worker_id == old.id
    with pytest.raises(TokenUnknown):
        find_token(old.token)


def test_use_is_noted_at_most_once_a_minute(ana: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    _row, text = issue_user_token(ana, label="a")
    find_token(text)
    assert AccessToken.objects.get().last_used_at is not None
    with django_assert_num_queries(1):
        find_token(text)


def expiry_of(text: str) -> datetime | None:
    return AccessToken.objects.get(pk=find_token(text).pk).expires_at


def test_rotation_with_an_overlap_keeps_the_old_token_for_that_long(ana: User, worker: Worker) -> None:
    old, old_text = issue_user_token(ana, label="BI", scope=TokenScope.RUN)
    row, text = rotate_user_token(old, overlap=timedelta(hours=24), days=90)
    assert (find_token(text).user, row.label, row.scope) == (ana, "BI", "run")
    ends = expiry_of(old_text)
    assert ends is not None
    assert timedelta(hours=23) < ends - timezone.now() <= timedelta(hours=24)
    of_worker = issue_worker_token(worker)[1]
    rotate_worker_token(worker, overlap=timedelta(hours=1))
    ends = expiry_of(of_worker)
    assert ends is not None
    assert ends - timezone.now() <= timedelta(hours=1)


def test_rotation_at_once_ends_the_old_token(ana: User) -> None:
    old, old_text = issue_user_token(ana, label="BI")
    rotate_user_token(old, overlap=timedelta(), days=90)
    with pytest.raises(TokenUnknown):
        find_token(old_text)


def test_no_rotation_makes_a_token_live_longer(ana: User, worker: Worker) -> None:
    old, old_text = issue_user_token(ana, label="BI", days=1)
    ends = expiry_of(old_text)
    rotate_user_token(old, overlap=timedelta(days=7), days=90)
    assert expiry_of(old_text) == ends
    first = issue_worker_token(worker)[1]
    rotate_worker_token(worker, overlap=timedelta(hours=1))
    ends = expiry_of(first)
    rotate_worker_token(worker, overlap=timedelta(days=7))
    assert expiry_of(first) == ends


def test_a_token_is_replaced_once(ana: User) -> None:
    old, _text = issue_user_token(ana, label="BI")
    rotate_user_token(old, overlap=timedelta(days=7), days=90)
    with pytest.raises(TokenRefused):
        rotate_user_token(old, overlap=timedelta(days=7), days=90)
    assert AccessToken.objects.usable().count() == 2


def test_a_token_that_ended_is_not_rotated(ana: User) -> None:
    old, _text = issue_user_token(ana, label="BI")
    revoke_token(old)
    with pytest.raises(TokenRefused):
        rotate_user_token(old, overlap=timedelta(), days=90)
    assert not AccessToken.objects.usable().exists()


def test_a_person_has_so_many_valid_tokens_and_no_more(ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "TOKENS_PER_PERSON", 2)
    first = issue_user_token(ana, label="a")[0]
    second = issue_user_token(ana, label="b")[0]
    with pytest.raises(TokenRefused):
        issue_user_token(ana, label="c")
    with pytest.raises(TokenRefused):
        rotate_user_token(second, overlap=timedelta(hours=1), days=9)
    revoke_token(first)
    assert issue_user_token(ana, label="c")
    assert AccessToken.objects.get(pk=second.pk).replaced_by is None


def test_a_job_stays_with_a_worker_whose_token_is_rotated(running_job: Job, worker: Worker) -> None:
    worker.refresh_from_db()
    instance = worker.instance
    rotate_worker_token(worker, overlap=timedelta(hours=1))
    worker.refresh_from_db()
    assert worker.instance == instance  # another computer with the new token is still a copy
    rotate_worker_token(worker)
    worker.refresh_from_db()
    running_job.refresh_from_db()
    assert (worker.instance, running_job.worker, running_job.attempt) == ("", worker, 1)


def test_the_audit_tells_the_life_of_a_token(ana: User) -> None:
    old, text = issue_user_token(ana, label="BI", scope=TokenScope.RUN, days=30)
    for _call in range(2):
        find_token(text)
    row, _text = rotate_user_token(old, overlap=timedelta(hours=24), days=90)
    for _time in range(2):
        revoke_token(old)
    made, used, made_again, rotated, revoked = AuditEvent.objects.order_by("pk")
    kinds = [event.kind for event in (made, used, made_again, rotated, revoked)]
    assert kinds == ["token_made", "token_first_used", "token_made", "token_rotated", "token_revoked"]
    assert made.facts == {"token": old.prefix, "holder": ana.pk, "scope": "run", "days": 30}
    assert (used.actor_id, used.target_id) == (ana.pk, old.pk)
    assert (rotated.target_id, rotated.facts["by"], rotated.facts["overlap_hours"]) == (old.pk, row.prefix, 24)


def test_a_worker_that_uses_its_token_first_is_named(worker: Worker) -> None:
    text = issue_worker_token(worker)[1]
    find_token(text)
    event = AuditEvent.objects.get(kind=AuditKind.TOKEN_FIRST_USED)
    assert (event.worker_id, event.worker_name, event.actor_id) == (worker.pk, worker.name, None)


def test_tokens_of_before_scopes_keep_what_they_could(ana: User, worker: Worker) -> None:
    issue_user_token(ana, label="old")
    issue_worker_token(worker)
    migration = importlib.import_module("bert_training.migrations.0019_token_scopes")
    migration.keep_what_they_could(apps, None)
    assert set(AccessToken.objects.values_list("user", "scope")) == {(ana.pk, "manage"), (None, "")}
