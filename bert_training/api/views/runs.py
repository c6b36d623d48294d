"""Runs: create, list, show, rename, delete, cancel, finish, reproduce."""

from collections.abc import Sequence
from typing import Any

import django_filters
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from bert_training import access
from bert_training.api.authentication import calling_person
from bert_training.api.bodies import NewRun, Reproduction, RunChange
from bert_training.api.frame import ApiView
from bert_training.api.idempotency import create_once
from bert_training.api.origins import OriginsOfPage
from bert_training.api.parsing import read_body
from bert_training.api.permissions import IsTrainer
from bert_training.api.serializers.access import context_of_one
from bert_training.api.serializers.runs import (
    RUN_DEFERRED,
    RUN_PREFETCHED,
    RUN_RELATED,
    RunDetailSerializer,
    RunSerializer,
)
from bert_training.contract.enums import TokenScope
from bert_training.models import Run
from bert_training.services import runs
from bert_training.services.proving.verdicts import Verdict
from bert_training.services.run_marks import tag_name, update_run

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="The same key answers with the same run for 24 hours."
)
CREATED = {
    201: OpenApiResponse(RunDetailSerializer, description="Created and in the queue."),
    200: OpenApiResponse(RunDetailSerializer, description="The run that this Idempotency-Key created before."),
}


class RunFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """?status=, ?task=, ?dataset= (id), ?base_model=, ?owner= (user name), ?repeat_of= (id; else no repeats),

    ?tag=, ?verdict=, ?archived= (else both), ?created_after= and ?created_before= (times)
    """

    owner = django_filters.CharFilter(field_name="owner__username")
    dataset = django_filters.NumberFilter(field_name="dataset_id", decimal_places=0, max_digits=18)
    repeat_of = django_filters.NumberFilter(field_name="repeat_of_id", decimal_places=0, max_digits=18)
    tag = django_filters.CharFilter(method="keep_tagged")
    verdict = django_filters.ChoiceFilter(choices=[(verdict.value, verdict.value) for verdict in Verdict])
    archived = django_filters.BooleanFilter(field_name="archived_at", lookup_expr="isnull", exclude=True)
    created_after = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Run
        fields = ("status", "task", "dataset", "base_model", "owner", "repeat_of", "tag", "verdict", "archived")

    def keep_tagged(self, rows: QuerySet[Run], _name: str, value: str) -> QuerySet[Run]:
        """Keep the runs that have a tag, however it is written."""
        return rows.filter(tags__name=tag_name(value))


def shown_runs(runs_: QuerySet[Run]) -> QuerySet[Run]:
    """Load what RunSerializer shows, in a number of queries that does not grow with the rows."""
    return runs_.select_related(*RUN_RELATED).defer(*RUN_DEFERRED).prefetch_related(*RUN_PREFETCHED)


def answer_run(pk: int, person: User, *, status: int = 200) -> Response:
    """Answer with a run that this person may see, as it is stored now."""
    run = shown_runs(Run.objects.all()).get(pk=pk)
    return Response(RunDetailSerializer(run, context=context_of_one(person, run)).data, status=status)


class Runs(OriginsOfPage, ApiView, ListAPIView[Run]):
    """GET and POST runs."""

    scopes = {"POST": TokenScope.RUN}
    serializer_class = RunSerializer
    filterset_class = RunFilter
    search_fields = ["name", "base_model", "dataset__name", "notes"]
    ordering_fields = [
        "id",
        "name",
        "status",
        "created_at",
        "started_at",
        "finished_at",
        "duration_seconds",
        "headline_rank",
    ]

    def get_permissions(self) -> Sequence[Any]:
        """Ask whether somebody may train before what they sent is read."""
        return [IsTrainer()] if self.request.method == "POST" else super().get_permissions()

    def get_queryset(self) -> QuerySet[Run]:
        """Return what the caller may see; repeats only to who asks for those of one run."""
        asked = self.request.query_params.get("repeat_of")
        found = access.runs_visible_to if asked else access.runs_listed_for
        return shown_runs(found(self.request.user)).order_by("-id")

    @extend_schema(request=NewRun, responses=CREATED, parameters=[IDEMPOTENCY_KEY], filters=False)
    def post(self, request: Request) -> Response:
        """Create a run and put it into the queue."""
        body, person = read_body(request, NewRun), calling_person(request)
        if body.priority is not None and not access.may_operate(person):
            raise PermissionDenied(_("Only operators may set a priority."))
        if body.simulate and not access.may_administer(person):
            raise PermissionDenied(_("Only those who administer the portal may ask for a simulation."))
        dataset = access.usable_dataset(person, body.dataset)
        wanted = runs.RunRequest(
            owner=person,
            dataset=dataset,
            base_model=body.base_model,
            hyperparameters=body.hyperparameters,
            preset=body.preset,
            name=body.name,
            priority=body.priority or 0,
            simulate=body.simulate,
            initial_run=access.usable_run(person, body.initial_run) if body.initial_run else None,
        )
        run, is_new = create_once(request, lambda: runs.prepare_run(wanted), runs.store_run)
        return answer_run(run.pk, person, status=201 if is_new else 200)


class RunDetail(ApiView):
    """GET, PATCH and DELETE runs/{id}."""

    scopes = {"PATCH": TokenScope.MANAGE, "DELETE": TokenScope.MANAGE}

    @extend_schema(responses=RunDetailSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Show a run."""
        return answer_run(access.visible_run(request.user, pk).pk, calling_person(request))

    @extend_schema(request=RunChange, responses=RunDetailSerializer)
    def patch(self, request: Request, pk: int) -> Response:
        """Rename a run, tag it, write notes, put it into the archive (409 `in_use` before it has ended) or back."""
        run = access.changeable_run(request.user, pk)
        wanted = read_body(request, RunChange)
        update_run(run, name=wanted.name, tags=wanted.tags, notes=wanted.notes, is_archived=wanted.archived)
        return answer_run(pk, calling_person(request))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Delete a run with its log and figures; 409 `in_use` until it has ended."""
        runs.delete_run(access.changeable_run(request.user, pk), by=calling_person(request))
        return Response(status=204)


class CancelRun(ApiView):
    """POST runs/{id}/cancel."""

    scopes = {"POST": TokenScope.RUN}

    @extend_schema(request=None, responses={202: RunDetailSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """Cancel: at once in the queue, otherwise the worker is asked to stop; 409 `already_finished`."""
        runs.cancel_run(access.changeable_run(request.user, pk))
        return answer_run(pk, calling_person(request), status=202)


class FinishRun(ApiView):
    """POST runs/{id}/finish."""

    scopes = {"POST": TokenScope.RUN}

    @extend_schema(request=None, responses={202: RunDetailSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """Stop training now, evaluate and keep the best so far; 409 `already_finished`."""
        runs.finish_run(access.changeable_run(request.user, pk))
        return answer_run(pk, calling_person(request), status=202)


class ReproduceRun(ApiView):
    """POST runs/{id}/reproduce."""

    scopes = {"POST": TokenScope.RUN}

    @extend_schema(request=Reproduction, responses=CREATED, parameters=[IDEMPOTENCY_KEY])
    def post(self, request: Request, pk: int) -> Response:
        """Create a run with the same data, split, seed, hyperparameters, base model and revision."""
        body, person = read_body(request, Reproduction, may_be_empty=True), calling_person(request)
        run = (access.usable_run if body.dataset else access.reproducible_run)(person, pk)
        dataset = access.usable_dataset(person, body.dataset) if body.dataset else None

        def prepare() -> runs.PreparedRun:
            return runs.prepare_reproduction(run, owner=person, name=body.name, dataset=dataset)

        copy, is_new = create_once(request, prepare, runs.store_run)
        return answer_run(copy.pk, person, status=201 if is_new else 200)
