"""The worker's calls about its job: claim, manifest, progress, complete."""

import io

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from bert_training import access
from bert_training.api.downloads import AnyAccept, StoredFile, send_file
from bert_training.api.frame import WorkerView
from bert_training.api.parsing import read_body
from bert_training.api.schema import RANGE_ERRORS, WORKER_ERRORS
from bert_training.contract.messages import (
    ClaimedJob,
    ClaimRequest,
    CompleteAnswer,
    CompleteRequest,
    ProgressAnswer,
    ProgressRequest,
)
from bert_training.services import claims, jobs
from bert_training.services.divisions import manifest_for_worker
from bert_training.services.worker_hours import retry_after


class ClaimJob(WorkerView):
    """POST jobs/claim."""

    @extend_schema(
        request=ClaimRequest,
        responses={
            200: ClaimedJob,
            204: OpenApiResponse(description="No work; Retry-After says when to ask again."),
        },
    )
    def post(self, request: Request) -> Response:
        """Return the job that the worker holds, or the next one of the queue."""
        claimed = claims.claim_job(self.worker, read_body(request, ClaimRequest))
        if claimed is None:
            return Response(status=204, headers={"Retry-After": str(retry_after(self.worker))})
        return Response(claimed.model_dump(mode="json"))


class JobManifest(WorkerView):
    """GET jobs/{id}/manifest."""

    own_errors = WORKER_ERRORS | RANGE_ERRORS
    content_negotiation_class = AnyAccept

    @extend_schema(
        responses={
            **{(status, "text/plain"): OpenApiTypes.STR for status in (200, 206)},
            304: OpenApiResponse(description="The caller has it."),
        }
    )
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """Return which row is for what, lines of row, tab and split; ETag and SHA-256 are the run's split_digest."""
        run = access.run_for_worker(self.worker, pk)
        content = manifest_for_worker(run)
        stored = StoredFile(io.BytesIO(content), len(content), run.split_digest, f"{pk}.tsv", "text/plain")
        return send_file(request._request, stored)


class JobProgress(WorkerView):
    """POST jobs/{id}/progress."""

    @extend_schema(request=ProgressRequest, responses=ProgressAnswer)
    def post(self, request: Request, pk: int) -> Response:
        """Say where the attempt is; renews the lease."""
        answer = jobs.report_progress(self.worker, pk, read_body(request, ProgressRequest))
        return Response(answer.model_dump(mode="json"))


class CompleteJob(WorkerView):
    """POST jobs/{id}/complete."""

    @extend_schema(request=CompleteRequest, responses=CompleteAnswer)
    def post(self, request: Request, pk: int) -> Response:
        """End the attempt; the same body again is answered the same."""
        answer = jobs.complete_job(self.worker, pk, read_body(request, CompleteRequest))
        return Response(answer.model_dump(mode="json"))
