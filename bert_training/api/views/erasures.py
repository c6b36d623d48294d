"""Deletions: what was deleted, and which computers have confirmed that their copies are gone."""

from django.db.models import Prefetch, QuerySet
from rest_framework.generics import ListAPIView

from bert_training import access
from bert_training.api.frame import ApiView
from bert_training.api.serializers.erasures import ErasureSerializer
from bert_training.models import Erasure, ErasureCopy


class Erasures(ApiView, ListAPIView[Erasure]):
    """GET erasures: of what was one's own, or by one's own hand; staff see all."""

    serializer_class = ErasureSerializer
    filterset_fields = ["kind"]
    search_fields = ["name"]
    ordering_fields = ["id", "created_at"]

    def get_queryset(self) -> QuerySet[Erasure]:
        """Return what the caller may see."""
        rows = access.erasures_visible_to(self.request.user).select_related("owner", "deleted_by").order_by("-id")
        return rows.prefetch_related(Prefetch("copies", ErasureCopy.objects.select_related("worker")))
