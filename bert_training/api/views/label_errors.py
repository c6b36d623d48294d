"""The doubted labels of a run: row numbers and labels; texts are in the dataset, for those who may see it."""

from typing import Any

from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from bert_training import access
from bert_training.api.downloads import AnyAccept
from bert_training.api.frame import ApiView
from bert_training.api.pagination import Pages
from bert_training.api.parsing import read_choice
from bert_training.api.serializers.label_errors import LabelErrorPageSerializer, LabelErrorSerializer
from bert_training.api.views.workbooks import FILE, MADE_ERRORS, send_made
from bert_training.contract.enums import Split
from bert_training.data.proof.shape import LabelErrors
from bert_training.models import Run
from bert_training.services.doubting.doubt_workbooks import name_of_doubts
from bert_training.services.doubting.doubted_labels import doubted_labels, narrow
from bert_training.services.stored_workbooks import open_workbook

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
        found = _doubts(access.visible_run(request.user, pk))
        listed = narrow(found["suspects"], split=read_choice(request, "split", SPLITS) or "")
        pages = Pages()
        shown: Any = pages.paginate_queryset(listed, request, self)
        entries = [{**each, "source": found["source"]} for each in shown]
        answer: Response = pages.get_paginated_response(LabelErrorSerializer(entries, many=True).data)
        return answer


class LabelErrorWorkbook(ApiView):
    """GET runs/{id}/label-errors/workbook."""

    own_errors = MADE_ERRORS
    content_negotiation_class = AnyAccept

    @extend_schema(
        parameters=[OpenApiParameter("part", str, enum=SPLITS, description="Which file of the dataset; the first.")],
        responses=FILE,
    )
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """Download an uploaded file with columns added: the doubted label, the suggested one, the doubt, row ids.

        Send it back corrected: the dataset made of it continues this one, and corrected rows are counted.
        """
        run = access.visible_run(request.user, pk)
        dataset = access.visible_dataset(request.user, run.dataset_id)
        part = read_choice(request, "part", SPLITS) or Split.TRAIN.value
        if part not in dataset.files:
            raise NotFound(_("The dataset has no file for %(part)s.") % {"part": part})
        return send_made(request, open_workbook(name_of_doubts(run, Split(part), _doubts(run)["source"]), dataset))


def _doubts(run: Run) -> LabelErrors:
    found = doubted_labels(run)
    if found is None:
        raise NotFound(_("Nobody has looked for doubtful labels in this run."))
    return found
