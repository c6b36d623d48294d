"""What a check found, to take home: all problems as a list or a spreadsheet, and the file with the findings in it."""

import hashlib
from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from bert_training import access
from bert_training.api.downloads import PIECE_BYTES, AnyAccept, StoredFile, send_file
from bert_training.api.frame import ApiView
from bert_training.api.pagination import Pages
from bert_training.api.parsing import JsonRenderer
from bert_training.api.schema import RANGE_ERRORS
from bert_training.api.serializers.datasets import ProblemPageSerializer, ProblemSerializer
from bert_training.contract.enums import WorkbookKind
from bert_training.services.stored_workbooks import open_workbook
from bert_training.services.workbooks import EXCEL, MadeWorkbook, problems_of_dataset

PAGE = [OpenApiParameter(name, int) for name in (Pages.page_query_param, "page_size")]
FILE = {(status, EXCEL): OpenApiTypes.BINARY for status in (200, 206)} | {304: None}
MADE_ERRORS = RANGE_ERRORS | {"409": "It is being made (a large file): `retry_after` says when to ask again."}


class DatasetProblems(ApiView):
    """GET datasets/{id}/problems."""

    own_errors = MADE_ERRORS
    content_negotiation_class = AnyAccept

    @extend_schema(parameters=PAGE, responses={(200, JsonRenderer.media_type): ProblemPageSerializer, **FILE})
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """List all problems of a dataset, 100,000 at most; with Accept: application/json in pages, else as .xlsx."""
        dataset = access.visible_dataset(request.user, pk)
        if JsonRenderer.media_type not in request.headers.get("Accept", ""):
            return send_made(request, open_workbook(WorkbookKind.PROBLEMS, dataset))
        pages = Pages()
        shown: Any = pages.paginate_queryset(problems_of_dataset(dataset), request, self)
        answer: Response = pages.get_paginated_response(ProblemSerializer(shown, many=True).data)
        return answer


class DatasetWorkbook(ApiView):
    """GET datasets/{id}/workbook."""

    own_errors = MADE_ERRORS
    content_negotiation_class = AnyAccept

    @extend_schema(responses=FILE)
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """Download the uploaded file with columns added: problems, repairs, repeated rows, similar texts, row ids."""
        return send_made(request, open_workbook(WorkbookKind.FINDINGS, access.visible_dataset(request.user, pk)))


def send_made(request: Request, made: MadeWorkbook) -> HttpResponseBase:
    """Answer with a workbook, whole or in ranges."""
    size, digest = 0, hashlib.sha256()
    while piece := made.file.read(PIECE_BYTES):
        size += len(piece)
        digest.update(piece)
    return send_file(request._request, StoredFile(made.file, size, digest.hexdigest(), made.name, EXCEL))
