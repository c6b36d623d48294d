"""How often somebody may ask for what costs: one count for all processes, which parallel calls cannot get past."""

from collections.abc import Iterator
from threading import Barrier, Thread
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import translation
from pytest_django import Settings

from bert_training.contract.enums import AuditKind
from bert_training.models import AuditEvent, RateBucket
from bert_training.services import rate_limits
from bert_training.services.errors import RateLimited
from bert_training.services.origin import Caller, Origin, calling_from
from bert_training.services.rate_limits import Limit, forget_full_buckets, limit_address, limit_caller, subnet_of, take


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> SimpleNamespace:
    """A clock of the test; three runs an hour, one wrong token a minute."""
    settings.RUNS_PER_HOUR, settings.TOKEN_FAILURES_PER_MINUTE = 3, 1
    held = SimpleNamespace(now=1_790_000_000.25)
    monkeypatch.setattr(rate_limits, "time", SimpleNamespace(time=lambda: held.now))
    return held


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


def limit_as(user: User) -> None:
    with calling_from(Origin(find_caller=lambda: Caller(user))):
        limit_caller(Limit.RUNS)


def test_the_table_has_the_promised_numbers() -> None:
    promised = {"uploads": (60, 3600), "checks": (600, 3600), "runs": (60, 3600), "token_failures": (30, 60)}
    rates = {limit.value: (rate.calls(), rate.seconds) for limit, rate in rate_limits.RATES.items()}
    assert promised.items() <= rates.items()


def test_a_person_may_call_so_often_and_then_waits(ana: User, carla: User, clock: SimpleNamespace) -> None:
    for _call in range(3):
        limit_as(ana)
    with pytest.raises(RateLimited, match=r"At most 3 runs may be started an hour\. Go on in 20 min\.") as refusal:
        limit_as(ana)
    assert (refusal.value.http_status, refusal.value.extra) == (429, {"retry_after": 1200})
    limit_as(carla)
    clock.now += 1199
    with pytest.raises(RateLimited, match="in 1 s"):
        limit_as(ana)
    clock.now += 1
    limit_as(ana)


def test_the_portal_itself_is_not_limited(db: None, clock: SimpleNamespace) -> None:
    for _call in range(9):
        limit_caller(Limit.RUNS)
    assert not RateBucket.objects.exists()


def test_a_refusal_enters_the_audit_once_a_minute(ana: User, clock: SimpleNamespace) -> None:
    for _call in range(9):
        try:
            limit_as(ana)
        except RateLimited:
            clock.now += 1
    event = AuditEvent.objects.get(kind=AuditKind.RATE_LIMITED)
    assert (event.actor_id, event.facts) == (ana.pk, {"limit": "runs", "calls": 3})


@pytest.mark.parametrize(
    ("address", "counted"),
    [("192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("", "")],
)
def test_an_ipv6_address_stands_for_its_subnet(address: str, counted: str) -> None:
    assert subnet_of(address) == counted


def test_addresses_of_one_subnet_share_a_bucket(db: None, clock: SimpleNamespace) -> None:
    limit_address(Limit.TOKEN_FAILURES, "2001:db8::1")
    with pytest.raises(RateLimited):
        limit_address(Limit.TOKEN_FAILURES, "2001:db8::2")
    limit_address(Limit.TOKEN_FAILURES, "192.0.2.1")


def test_full_buckets_are_forgotten(ana: User, carla: User, clock: SimpleNamespace) -> None:
    limit_as(ana)
    clock.now += 1201
    limit_as(carla)
    assert forget_full_buckets() == 1
    assert RateBucket.objects.get().key == f"runs:{carla.pk}"


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_parallel_calls_share_no_place(settings: Settings) -> None:
    settings.RUNS_PER_HOUR = 5
    together = Barrier(4, timeout=20)
    taken: list[bool] = []

    def call() -> None:
        together.wait()
        try:
            taken.extend(take(Limit.RUNS, "1").wait_seconds == 0 for _call in range(3))
        finally:
            connection.close()

    threads = [Thread(target=call) for _thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sum(taken), len(taken)) == (5, 12)
