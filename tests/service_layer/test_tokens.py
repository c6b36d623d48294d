"""Access tokens: shown once, stored as a digest, refused without a query when they are not ours."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from bert_training.contract.tokens import make_token
from bert_training.models import AccessToken, Worker
from bert_training.services.errors import ServiceError, TokenMalformed, TokenUnknown
from bert_training.services.tokens import find_token, issue_user_token, revoke_token, rotate_worker_token
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
