"""Repeats of a run: ask for them, see what came of them, cancel all."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from bert_training import access
from bert_training.api.bodies import NewRepeats
from bert_training.api.frame import ApiView
from bert_training.api.idempotency import create_once
from bert_training.api.parsing import read_body
from bert_training.api.serializers.repeats import RepeatsSerializer
from bert_training.api.views.runs import IDEMPOTENCY_KEY
from bert_training.contract.enums import RepeatKind, TokenScope
from bert_training.models import Run
from bert_training.services.repeating import repeats
from bert_training.services.repeating.repeat_summary import repeats_of


def answer_repeats(run: Run, *, status: int = 200) -> Response:
    """Answer with the repeats of a run as they are now."""
    kinds = [summary for summary in repeats_of(run) if summary.repeats]
    return Response(RepeatsSerializer({"run": run.pk, "repeats": kinds}).data, status=status)


class RunRepeats(ApiView):
    """GET and POST runs/{id}/repeats."""

    scopes = {"POST": TokenScope.RUN}

    @extend_schema(responses=RepeatsSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Show the repeats of a run with mean and spread of each figure."""
        return answer_repeats(access.visible_run(request.user, pk))

    @extend_schema(
        request=NewRepeats,
        responses={
            201: OpenApiResponse(RepeatsSerializer, description="Repeats were added and are in the queue."),
            200: OpenApiResponse(RepeatsSerializer, description="All of them were there before."),
        },
        parameters=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request, pk: int) -> Response:
        """Repeat a completed run: `fold` (3 to 10 parts in turn) or `seed` (2 to 10 other seeds).

        Asking again for what is there adds nothing.
        """
        run = access.repeatable_run(request.user, pk)
        body = read_body(request, NewRepeats)
        added: list[Run] = []

        def prepare() -> repeats.PreparedRepeats:
            return repeats.prepare_repeats(run, kind=RepeatKind(body.kind), count=body.count)

        def store(prepared: repeats.PreparedRepeats) -> Run:
            added.extend(repeats.store_repeats(prepared))
            return run

        create_once(request, prepare, store)
        return answer_repeats(run, status=201 if added else 200)


class CancelRepeats(ApiView):
    """POST runs/{id}/repeats/cancel."""

    scopes = {"POST": TokenScope.RUN}

    @extend_schema(request=None, responses={202: RepeatsSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """Cancel every repeat that has not ended."""
        run = access.changeable_run(request.user, pk)
        repeats.cancel_repeats(run)
        return answer_repeats(run, status=202)
