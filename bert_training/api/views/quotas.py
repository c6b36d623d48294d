"""GET quotas: how much the caller and the caller's teams may keep and use, and how much of it they do."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from bert_training.api.authentication import calling_person
from bert_training.api.frame import ApiView
from bert_training.api.serializers.quotas import QuotasSerializer
from bert_training.services.quotas import uses_of


class Quotas(ApiView):
    """GET quotas."""

    @extend_schema(responses=QuotasSerializer)
    def get(self, request: Request) -> Response:
        """Show the caller's quotas and those of teams that have any; `quota_exceeded` names them by the same words.

        `datasets`, `storage_bytes`, `queued_runs`, and `gpu_minutes` of the calendar month.
        """
        return Response(QuotasSerializer({"quotas": uses_of(calling_person(request))}).data)
