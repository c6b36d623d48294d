"""Fields that several answers share."""

from datetime import UTC
from typing import Any

from django.contrib.auth.models import User
from rest_framework import serializers


class UtcField(serializers.DateTimeField):
    """A time in ISO 8601, always in UTC."""

    def __init__(self, **options: Any) -> None:
        super().__init__(default_timezone=UTC, **options)


class OwnerField(serializers.SlugRelatedField[User]):
    """A person by user name."""

    def __init__(self) -> None:
        super().__init__(slug_field="username", read_only=True)
