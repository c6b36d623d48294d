"""The doubted labels of a run: row numbers and labels; texts are in the dataset, for those who may see it."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from bert_training import access
from bert_training.api.frame import ApiView
from bert_training.api.pagination import Pages
from bert_training.api.parsing import read_choice
from bert_training.api.serializers.label_errors import LabelErrorPageSerializer, LabelErrorSerializer
from bert_training.contract.enums import Split
from bert_training.services.doubted_labels import doubted_labels, narrow

SPLITS = [split.value for split in Split]


class RunLabelErrors(ApiView):
    """GET runs/{id}/label-errors."""

    @extend_schema(
        parameters=[
            *(OpenApiParameter(name, int) for name in (Pages.page_query_param, "page_size")),
            OpenApiParameter("split", str, enum=SPLITS),
        ],
        responses=LabelErrorPageSerializer,
    )
    def get(self, request: Request, pk: int) -> Response:
        """List the rows whose label a model that had not seen them doubts, the most doubtful first, 1,000 at most.

        404 where nobody has looked: the run has no proof (yet), or its worker is an older one.
        """
        found = doubted_labels(access.visible_run(request.user, pk))
        if found is None:
            raise NotFound(_("Nobody has looked for doubtful labels in this run."))
        listed = narrow(found["suspects"], split=read_choice(request, "split", SPLITS) or "")
        pages = Pages()
        shown: Any = pages.paginate_queryset(listed, request, self)
        entries = [{**each, "source": found["source"]} for each in shown]
        answer: Response = pages.get_paginated_response(LabelErrorSerializer(entries, many=True).data)
        return answer
