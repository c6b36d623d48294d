"""Datasets: check a spreadsheet, upload it, list, show, change, delete, download."""

from typing import Any

import django_filters
from django.contrib.auth.models import User
from django.core.files.base import File
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import Http404, HttpResponseBase, QueryDict
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from bert_training import access
from bert_training.api.authentication import calling_person, calling_worker
from bert_training.api.bodies import DatasetChange, DatasetRepair
from bert_training.api.downloads import AnyAccept, StoredFile, send_file
from bert_training.api.errors import InvalidRequest
from bert_training.api.frame import ApiView, require_protocol
from bert_training.api.origins import OriginsOfPage
from bert_training.api.parsing import FormParser, parse_json, read_body
from bert_training.api.permissions import IsPersonOrWorker, IsTrainer
from bert_training.api.schema import RANGE_ERRORS, WORKER_ERRORS
from bert_training.api.serializers.access import context_of_one
from bert_training.api.serializers.datasets import (
    CheckSerializer,
    DatasetDetailSerializer,
    DatasetSerializer,
    ReportSerializer,
    UploadSerializer,
)
from bert_training.contract.enums import DatasetStatus, ErrorCode, ShareLevel, Split, TokenScope
from bert_training.models import Dataset, Worker
from bert_training.services import datasets, stored_files
from bert_training.services.datasets import DatasetInvalid, Registered
from bert_training.services.errors import ServiceError
from bert_training.services.sources import Uploads
from bert_training.tasks.intake import CheckRequest

COLUMNS_NAMED = 20
HEADERS_JOINED = 20
ORIGINAL = "application/octet-stream"  # of any format, and never to be opened by a browser
PARQUET = "application/vnd.apache.parquet"
REGISTERED = {
    201: OpenApiResponse(DatasetDetailSerializer, description="Stored and ready."),
    200: OpenApiResponse(DatasetDetailSerializer, description="The same file, read the same way, was there already."),
    202: OpenApiResponse(DatasetDetailSerializer, description="Stored; the check goes on (a large file)."),
}
FILE_FIELDS = {Split.TRAIN: "file", Split.VALIDATION: "validation_file", Split.TEST: "test_file"}


class DatasetFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """?task=, ?status=, ?owner= (user name), ?sha256="""

    owner = django_filters.CharFilter(field_name="owner__username")

    class Meta:
        model = Dataset
        fields = ("task", "status", "owner", "sha256")


class ValidateDataset(ApiView):
    """POST datasets/validate: what a spreadsheet would be as a dataset; nothing is kept."""

    permission_classes = [IsTrainer]
    scopes = {"POST": TokenScope.RUN}
    parser_classes = [FormParser]

    @extend_schema(request={"multipart/form-data": CheckSerializer}, responses=ReportSerializer)
    def post(self, request: Request) -> Response:
        """Check a spreadsheet. A file that cannot be used is an answer with `valid: false`, not an error."""
        form = read_form(request, CheckSerializer)
        report = datasets.check_upload(sent_files(form), check_request(form))
        return Response(ReportSerializer(report.as_dict()).data)


class UploadDataset(ApiView):
    """POST datasets/upload: check and keep a spreadsheet."""

    permission_classes = [IsTrainer]
    scopes = {"POST": TokenScope.RUN}
    parser_classes = [FormParser]

    @extend_schema(
        request={"multipart/form-data": UploadSerializer},
        responses=REGISTERED,
    )
    def post(self, request: Request) -> Response:
        """Keep a spreadsheet as a dataset; the same bytes for the same task, sheet and columns are one dataset."""
        form, person = read_form(request, UploadSerializer), calling_person(request)
        try:
            registered = datasets.register_upload(
                owner=person,
                uploads=sent_files(form),
                name=form["name"],
                description=form["description"],
                request=check_request(form),
                visible=access.datasets_visible_to(person, ShareLevel.USE),
            )
        except DatasetInvalid as refusal:
            raise invalid_dataset(refusal) from None
        return registered_response(registered, person)


def registered_response(registered: Registered, person: User) -> Response:
    """Answer 201 for a new dataset, 202 while it is being checked, 200 for one that was there already."""
    status = 200
    if registered.created:
        status = 202 if registered.dataset.status == DatasetStatus.CHECKING else 201
    return answer_dataset(registered.dataset, person, status=status)


def answer_dataset(dataset: Dataset, person: User, *, status: int = 200) -> Response:
    """Answer with a dataset as this person sees it."""
    return Response(DatasetDetailSerializer(dataset, context=context_of_one(person, dataset)).data, status=status)


def read_form(request: Request, form: type[Serializer[Any]]) -> dict[str, Any]:
    """Return the fields of a multipart form with exactly one file. Raises InvalidRequest, ValidationError."""
    parts: QueryDict = request.data  # type: ignore[assignment]  # FormParser is the only parser of these views
    known = {*form().get_fields(), "csrfmiddlewaretoken"}
    unknown = sorted(name for name in parts if name not in known)
    if unknown:
        raise InvalidRequest(_("There is no such field."), path=unknown[0][:100], code=ErrorCode.UNKNOWN_FIELD)
    repeated = [name for name in parts if len(parts.getlist(name)) > 1]
    if repeated:
        raise InvalidRequest(_("This field was sent more than once."), path=repeated[0])
    if not isinstance(parts.get("file"), UploadedFile):
        raise InvalidRequest(_("Send the spreadsheet as the file part named file."), path="file")
    checked = form(data=parts)
    checked.is_valid(raise_exception=True)
    return dict(checked.validated_data)


def sent_files(form: dict[str, Any]) -> Uploads:
    """Return the files of the form by the split that they are for."""
    return {split: form[name] for split, name in FILE_FIELDS.items() if form[name] is not None}


def check_request(form: dict[str, Any]) -> CheckRequest:
    """Return what the file shall be read as. Raises InvalidRequest for columns or a recipe of the wrong shape."""
    columns = parse_json(form["columns"].encode()) if form["columns"] else {}
    if not isinstance(columns, dict) or len(columns) > COLUMNS_NAMED or not all(map(_is_header, columns.values())):
        message = _("This must be a JSON object: the task's column -> the file's column, or a list of them.")
        raise InvalidRequest(message, path="columns")
    return CheckRequest(task=form["task"], sheet=form["sheet"], columns=columns, recipe=_recipe(form["recipe"]))


def _recipe(text: str) -> list[str]:
    names = parse_json(text.encode()) if text else []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InvalidRequest(_("This must be a JSON list of the names of repairs."), path="recipe")
    return names


def _is_header(value: Any) -> bool:
    if isinstance(value, list):
        return 1 <= len(value) <= HEADERS_JOINED and all(isinstance(header, str) for header in value)
    return isinstance(value, str)


def invalid_dataset(refusal: DatasetInvalid) -> ServiceError:
    """Return the refusal with what the check found, as datasets/validate shows it."""
    found = dict(ReportSerializer(refusal.report.as_dict()).data)
    return ServiceError(ErrorCode.INVALID_DATASET, refusal.message, **found)


class Datasets(OriginsOfPage, ApiView, ListAPIView[Dataset]):
    """GET datasets."""

    serializer_class = DatasetSerializer
    filterset_class = DatasetFilter
    search_fields = ["name", "description", "original_name"]
    ordering_fields = ["id", "name", "created_at", "rows", "bytes"]

    def get_queryset(self) -> QuerySet[Dataset]:
        """Return what the caller may see."""
        return access.datasets_listed_for(self.request.user).select_related("owner").order_by("-id")


class DatasetDetail(ApiView):
    """GET, PATCH and DELETE datasets/{id}."""

    scopes = {"PATCH": TokenScope.MANAGE, "DELETE": TokenScope.MANAGE}

    @extend_schema(responses=DatasetDetailSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Show a dataset."""
        return answer_dataset(access.visible_dataset(request.user, pk), calling_person(request))

    @extend_schema(request=DatasetChange, responses=DatasetDetailSerializer)
    def patch(self, request: Request, pk: int) -> Response:
        """Rename or describe a dataset."""
        dataset = access.changeable_dataset(request.user, pk)
        change = read_body(request, DatasetChange)
        datasets.update_dataset(dataset, name=change.name, description=change.description)
        return answer_dataset(dataset, calling_person(request))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Delete a dataset with its files; 409 `in_use` while a run stands on it."""
        datasets.delete_dataset(access.changeable_dataset(request.user, pk), by=calling_person(request))
        return Response(status=204)


class RepairDataset(ApiView):
    """POST datasets/{id}/repair."""

    scopes = {"POST": TokenScope.RUN}

    @extend_schema(request=DatasetRepair, responses=REGISTERED)
    def post(self, request: Request, pk: int) -> Response:
        """Make a new dataset of a stored one, with these one-click repairs more; the first stays as it is."""
        person = calling_person(request)
        dataset = access.usable_dataset(person, pk)
        wanted = read_body(request, DatasetRepair)
        try:
            registered = datasets.repair_dataset(
                dataset, wanted.recipe, owner=person, visible=access.datasets_visible_to(person, ShareLevel.USE)
            )
        except DatasetInvalid as refusal:
            raise invalid_dataset(refusal) from None
        return registered_response(registered, person)


class DownloadDataset(ApiView):
    """GET datasets/{id}/download: the original for people, the canonical table for the worker that trains on it."""

    permission_classes = [IsPersonOrWorker]
    own_errors = WORKER_ERRORS | RANGE_ERRORS
    content_negotiation_class = AnyAccept

    @extend_schema(
        parameters=[
            OpenApiParameter("form", str, enum=["table"], description="Workers: the canonical Parquet table."),
            OpenApiParameter("part", str, enum=list(Split), description="People: which file of the upload."),
            OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="One range: bytes=first-last."),
        ],
        responses={
            **{(status, kind): OpenApiTypes.BINARY for status in (200, 206) for kind in (ORIGINAL, PARQUET)},
            304: None,
        },
    )
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """Download the file; ETag is its SHA-256."""
        worker = calling_worker(request)
        if worker is not None:
            require_protocol(request)
            stored = self._table(request, worker, pk)
        else:
            stored = self._original(access.visible_dataset(request.user, pk), _wanted_part(request))
        return send_file(request._request, stored)

    def _table(self, request: Request, worker: Worker, pk: int) -> StoredFile:
        if request.query_params.get("form") != "table":
            raise PermissionDenied(_("A worker reads the canonical table only: form=table."))
        dataset = access.table_for_worker(worker, pk)
        content: File[bytes] = stored_files.open_table(dataset)
        return StoredFile(content, dataset.table_bytes, dataset.table_sha256, f"{dataset.pk}.parquet", PARQUET)

    def _original(self, dataset: Dataset, part: Split) -> StoredFile:
        file = dataset.files.get(part)
        if file is None:
            raise Http404(_("The dataset has no file for %(part)s.") % {"part": part.value})
        content: File[bytes] = stored_files.open_original(dataset, part)
        return StoredFile(content, file["bytes"], file["sha256"], file["name"], ORIGINAL)


def _wanted_part(request: Request) -> Split:
    part = request.query_params.get("part", Split.TRAIN.value)
    if part not in list(Split):
        raise InvalidRequest(_("This must be one of: %(expected)s.") % {"expected": ", ".join(Split)}, path="part")
    return Split(part)
