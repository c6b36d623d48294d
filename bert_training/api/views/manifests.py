"""Manifests: the split of a run as CSV, and a dataset's own one, sent, shown and forgotten."""

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from bert_training import access
from bert_training.api.downloads import AnyAccept
from bert_training.api.frame import ApiView
from bert_training.api.parsing import FormParser
from bert_training.api.serializers.datasets import ProblemSerializer
from bert_training.api.serializers.manifests import ManifestFormSerializer, ManifestSerializer
from bert_training.api.views.datasets import read_form
from bert_training.contract.enums import TokenScope
from bert_training.services import manifests
from bert_training.services.errors import ServiceError
from bert_training.services.manifests import ManifestInvalid

CSV = "text/csv"


class RunManifest(ApiView):
    """GET runs/{id}/manifest."""

    content_negotiation_class = AnyAccept

    @extend_schema(responses={(200, CSV): OpenApiTypes.STR})
    def get(self, request: Request, pk: int) -> HttpResponse:
        """Download which row was in which split: linha, conjunto, and arquivo where several were sent."""
        run = access.visible_run(request.user, pk)
        headers = {"Content-Disposition": f'attachment; filename="run-{pk}-split.csv"', "Cache-Control": "no-store"}
        return HttpResponse(manifests.run_manifest_csv(run), content_type=f"{CSV}; charset=utf-8", headers=headers)


class ManifestOfDataset(ApiView):
    """GET, POST and DELETE datasets/{id}/manifest."""

    scopes = {"POST": TokenScope.MANAGE, "DELETE": TokenScope.MANAGE}
    parser_classes = [FormParser]

    @extend_schema(responses=ManifestSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Show what the dataset's own manifest says; 404 without one."""
        found = manifests.manifest_of(access.visible_dataset(request.user, pk))
        if found is None:
            raise NotFound(_("The dataset has no manifest of its own."))
        return Response(ManifestSerializer(found).data)

    @extend_schema(request={"multipart/form-data": ManifestFormSerializer}, responses=ManifestSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Send a manifest, used by later runs. 400 `invalid_manifest` names each line that does not fit."""
        dataset = access.changeable_dataset(request.user, pk)
        form = read_form(request, ManifestFormSerializer)
        try:
            found = manifests.upload_manifest(dataset, form["file"])
        except ManifestInvalid as refusal:
            errors = [dict(ProblemSerializer(error).data) for error in refusal.errors]
            raise ServiceError(refusal.code, refusal.message, errors=errors, counts=refusal.counts) from None
        return Response(ManifestSerializer(found).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Forget the manifest; runs that were made by it keep their split."""
        manifests.forget_manifest(access.changeable_dataset(request.user, pk))
        return Response(status=204)
