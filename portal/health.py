"""/health/live: the process answers. /health/ready: what it stands on answers too. No sign-in, no details."""

from collections.abc import Callable

from django.core.cache import cache
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

PROBE = "health"


@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """Answer 200 as long as the process runs."""
    return JsonResponse({"status": "ok"})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 when database, migrations, cache and storage are usable, else 503 naming what is not."""
    parts = {name: _is_usable(check) for name, check in CHECKS.items()}
    is_ready = all(parts.values())
    body = {
        "status": "ok" if is_ready else "unavailable",
        "parts": {name: "ok" if usable else "failed" for name, usable in parts.items()},
    }
    return JsonResponse(body, status=200 if is_ready else 503)


def _is_usable(check: Callable[[], object]) -> bool:
    try:
        check()
    except Exception:  # noqa: BLE001 - whatever a part raises, it is not usable
        return False
    return True


def _check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _check_migrations() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise RuntimeError("migrations are missing")


def _check_cache() -> None:
    cache.set(PROBE, "1", timeout=5)
    if cache.get(PROBE) != "1":
        raise RuntimeError("the cache forgets")


CHECKS: dict[str, Callable[[], object]] = {
    "database": _check_database,
    "migrations": _check_migrations,
    "cache": _check_cache,
    "storage": lambda: default_storage.exists(PROBE),
}
