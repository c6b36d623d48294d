"""What a run's figures rest on: its proof, the predictions as a file, and the stream in which a worker sends them."""

import os

from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from bert_training import access
from bert_training.api.downloads import AnyAccept, StoredFile, send_file
from bert_training.api.frame import ApiView, WorkerView
from bert_training.api.parsing import read_body, read_choice
from bert_training.api.schema import RANGE_ERRORS
from bert_training.api.serializers.proofs import ProofSerializer
from bert_training.contract.streams import PredictionBatch, StreamAnswer
from bert_training.models import Run, RunProof
from bert_training.services.proving import predictions
from bert_training.services.proving.prediction_stream import append_predictions

PARQUET = "application/vnd.apache.parquet"
CSV = "text/csv"


class PostPredictions(WorkerView):
    """POST jobs/{id}/predictions."""

    @extend_schema(request=PredictionBatch, responses=StreamAnswer)
    def post(self, request: Request, pk: int) -> Response:
        """Store predictions; those stored before are skipped, 409 `stream_gap` when some before them are missing."""
        answer = append_predictions(self.worker, pk, read_body(request, PredictionBatch))
        return Response(answer.model_dump(mode="json"))


class ShowProof(ApiView):
    """GET runs/{id}/proof."""

    @extend_schema(responses=ProofSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Show every figure of a run with its interval, computed from the prediction of each row, and what follows.

        `summary` says whether the model may be used and why, its grade, and what to look at: codes for programs,
        sentences in the language of Accept-Language for people.
        It is made in the background once the run is completed. A run without predictions (404) is one that has not
        ended, a simulation, or of an older worker.
        """
        proof = RunProof.objects.select_related("run").filter(run=access.visible_run(request.user, pk)).first()
        if proof is None:
            raise NotFound(_("This run has no proof."))
        return Response(ProofSerializer(proof).data)


class DownloadPredictions(ApiView):
    """GET runs/{id}/predictions."""

    own_errors = RANGE_ERRORS
    content_negotiation_class = AnyAccept

    @extend_schema(
        parameters=[
            OpenApiParameter("format", str, enum=["csv"], description="Names instead of ids, for spreadsheets."),
            OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="One range: bytes=first-last."),
        ],
        responses={
            **{(status, PARQUET): OpenApiTypes.BINARY for status in (200, 206)},
            **{(status, CSV): OpenApiTypes.STR for status in (200, 206)},
            304: OpenApiResponse(description="The caller has it."),
        },
    )
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """Download what each source answered for each row: one Parquet file, or CSV. No text of a row is in it."""
        run = access.visible_run(request.user, pk)
        is_csv = bool(read_choice(request, "format", ["csv"]))
        return send_file(request._request, _as_csv(run) if is_csv else _as_parquet(run))


def _as_parquet(run: Run) -> StoredFile:
    content, stored = predictions.open_predictions(run)
    return StoredFile(content, stored.bytes, stored.sha256, f"run-{run.pk}-predictions.parquet", PARQUET)


def _as_csv(run: Run) -> StoredFile:
    content, stored = predictions.open_predictions_csv(run)
    size = os.fstat(content.fileno()).st_size
    return StoredFile(content, size, f"{stored.sha256}-csv", f"run-{run.pk}-predictions.csv", f"{CSV}; charset=utf-8")
