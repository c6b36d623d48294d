"""Sharing: with which teams a dataset or a run is shared, and the teams to share with."""

from django.contrib.auth.models import User
from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from bert_training import access
from bert_training.api.authentication import calling_person
from bert_training.api.bodies import Shares
from bert_training.api.errors import InvalidRequest
from bert_training.api.frame import ApiView
from bert_training.api.parsing import read_body
from bert_training.api.serializers.sharing import SharesSerializer, TeamSerializer
from bert_training.contract.enums import ShareLevel, TokenScope
from bert_training.models import Dataset, Run, Team
from bert_training.services.sharing import share_with


class SharesOfDataset(ApiView):
    """GET and PUT datasets/{id}/shares."""

    scopes = {"PUT": TokenScope.MANAGE}

    @extend_schema(responses=SharesSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Show with which teams a dataset is shared."""
        return _answer(request, access.visible_dataset(request.user, pk))

    @extend_schema(request=Shares, responses=SharesSerializer)
    def put(self, request: Request, pk: int) -> Response:
        """Share a dataset, and with it its texts, with exactly these teams: `view`, `use` (train on it), `manage`."""
        return _share(request, access.changeable_dataset(request.user, pk))


class SharesOfRun(ApiView):
    """GET and PUT runs/{id}/shares."""

    scopes = {"PUT": TokenScope.MANAGE}

    @extend_schema(responses=SharesSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Show with which teams a run is shared; of a repeat, those of the run that it repeats."""
        return _answer(request, access.visible_run(request.user, pk))

    @extend_schema(request=Shares, responses=SharesSerializer)
    def put(self, request: Request, pk: int) -> Response:
        """Share a run with exactly these teams: `view`, `use` (reproduce it, go on from it), `manage`.

        Its texts stay with those who may see its dataset; others see row numbers, labels and probabilities.
        """
        return _share(request, access.changeable_run(request.user, pk))


class Teams(ApiView, ListAPIView[Team]):
    """GET teams."""

    serializer_class = TeamSerializer
    search_fields = ["name"]
    ordering_fields = ["id", "name"]

    def get_queryset(self) -> QuerySet[Team]:
        """Return the caller's teams, all to staff."""
        members = User.objects.filter(is_active=True).only("username").order_by("username")
        teams = access.teams_visible_to(self.request.user)
        return teams.prefetch_related(Prefetch("members", queryset=members)).order_by("name")


def _answer(request: Request, row: Dataset | Run) -> Response:
    return Response(SharesSerializer({"shares": access.shares_visible_to(request.user, row)}).data)


def _share(request: Request, row: Dataset | Run) -> Response:
    share_with(row, _levels_by_team(read_body(request, Shares)), actor=calling_person(request))
    return _answer(request, row)


def _levels_by_team(body: Shares) -> dict[int, ShareLevel]:
    levels: dict[int, ShareLevel] = {}
    for place, share in enumerate(body.shares):
        if share.team in levels:
            raise InvalidRequest(_("This team is named twice."), path=f"shares.{place}.team")
        levels[share.team] = share.level
    return levels
