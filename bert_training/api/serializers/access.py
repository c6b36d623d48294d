"""What one caller may know and do of the rows that are shown, for the serializers: their context, made by the views."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bert_training import access
from bert_training.api.serializers.sharing import ShareSerializer
from bert_training.models import Dataset, Run

# The ids of other rows that a row names: left out where the caller may not see those.
ORIGINS = {Run: ("reproduced_from_id", "initial_run_id"), Dataset: ("derived_from_id",)}


def context_of(person: User, rows: Sequence[Run | Dataset]) -> dict[str, Any]:
    """Return the context of a list of one kind: one query, none where no row names another."""
    named = {getattr(row, name) for row in rows for name in ORIGINS[type(row)]} - {None}
    return {"seen": access.seen_among(person, type(rows[0]), named) if named else frozenset()}


def context_of_one(person: User, row: Run | Dataset) -> dict[str, Any]:
    """Return the context of a row that is shown by itself."""
    shown = {"may": access.level_of(person, row), "shares": access.shares_visible_to(person, row)}
    return {**context_of(person, [row]), **shown}


def seen_origin(context: Mapping[str, Any], pk: int | None) -> int | None:
    """Return the id of a row that another names, None where the caller may not see it."""
    return pk if pk in context["seen"] else None


class DetailFields(serializers.Serializer[Any]):
    """What is shown of a row beside its own fields when it is shown by itself. Needs `context_of_one`."""

    may = serializers.SerializerMethodField(help_text="view, use or manage; each holds those before it.")
    shares = serializers.SerializerMethodField()

    def get_may(self, row: Any) -> str:
        """Return what the caller may do."""
        level: str = self.context["may"]
        return level

    @extend_schema_field(ShareSerializer(many=True))
    def get_shares(self, row: Any) -> list[Any]:
        """Return the shares that the caller may see."""
        return list(ShareSerializer(self.context["shares"], many=True).data)
