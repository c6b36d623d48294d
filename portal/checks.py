"""System checks: settings that start but would hurt later."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register


@register
def check_background_times(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """A background task that is retried before it timed out runs twice."""
    cluster: dict[str, Any] = settings.Q_CLUSTER
    if cluster["retry"] <= cluster["timeout"]:
        return [Error("Q_CLUSTER retry must exceed timeout.", hint="Raise retry.", id="portal.E001")]
    return []


@register
def check_protocol_times(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """A lease that is not several heartbeats long is lost to one delayed packet."""
    if settings.LEASE_SECONDS < 2 * settings.HEARTBEAT_SECONDS:
        hint = f"LEASE_SECONDS={settings.LEASE_SECONDS:g}, HEARTBEAT_SECONDS={settings.HEARTBEAT_SECONDS:g}."
        return [Error("LEASE_SECONDS must be at least twice HEARTBEAT_SECONDS.", hint=hint, id="portal.E002")]
    return []


@register(deploy=True)
def check_live_layer(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Without Redis only one web process can ring its own viewers; others wait for the 5-second read."""
    if settings.REDIS_URL:
        return []
    hint = "Set REDIS_URL when you run more than one web process."
    return [Warning("The live view uses the in-memory layer.", hint=hint, id="portal.W001")]
