"""A cache that is away: what is counted in it is not let through uncounted, and the answer says when to come back."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client, override_settings

from bert_training import access
from tests.servers import free_port


@pytest.mark.embedded
def test_a_redis_that_does_not_answer_is_503(client: Client, ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def counted(*_arguments: Any) -> None:
        cache.add("counted", 1)

    client.force_login(ana)
    monkeypatch.setattr(access, "runs_listed_for", counted)
    away = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": f"redis://127.0.0.1:{free_port()}"}
    with override_settings(CACHES={"default": away}):
        response = client.get("/runs")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")


@pytest.mark.embedded
@pytest.mark.django_db
@override_settings(
    CACHES={"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "bert_cache"}}
)
def test_without_redis_the_cache_is_in_the_database() -> None:
    assert cache.add("once", "value", timeout=60)
    assert not cache.add("once", "other", timeout=60)
    assert cache.get("once") == "value"
