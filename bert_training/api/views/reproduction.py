"""GET runs/{id}/reproduction: whether a run gave the result of another one again, and what may explain it."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from bert_training import access
from bert_training.api.authentication import calling_person
from bert_training.api.frame import ApiView
from bert_training.api.parsing import read_count
from bert_training.api.serializers.reproduction import ReproductionSerializer, shown_comparison
from bert_training.models import Run
from bert_training.services.reproducing.reproduction import compare_for, first_gone

AGAINST = OpenApiParameter("against", int, description="Another run; without it the one that this run reproduces.")


class ShowReproduction(ApiView):
    """GET runs/{id}/reproduction."""

    @extend_schema(responses=ReproductionSerializer, parameters=[AGAINST])
    def get(self, request: Request, pk: int) -> Response:
        """Compare a run with the one that it reproduces, or with another run that the caller may see.

        `identical`: same weights and same predictions, bit by bit. `equivalent`: on the test rows that both answered
        the paired 95 % interval of the difference on the deciding figure contains 0. `different`: it does not.
        """
        run = access.visible_run(request.user, pk)
        asked = read_count(request, "against", 0)
        first = access.visible_run(request.user, asked) if asked else self._reproduced(request, run)
        comparison = compare_for(calling_person(request), first, run) if first else first_gone()
        return Response(ReproductionSerializer(shown_comparison(comparison, first=first, second=run)).data)

    def _reproduced(self, request: Request, run: Run) -> Run | None:
        if run.reproduced_from_id is None:
            raise NotFound(_("This run reproduces no other; name one with ?against=."))
        visible = access.runs_visible_to(request.user).select_related("dataset", "job")
        return visible.filter(pk=run.reproduced_from_id).first()
