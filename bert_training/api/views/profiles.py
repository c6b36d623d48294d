"""The profile of a dataset."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from bert_training import access
from bert_training.api.frame import ApiView
from bert_training.api.serializers.profiles import ProfileSerializer, earlier_of
from bert_training.models import Dataset, DatasetProfile


class ShowProfile(ApiView):
    """GET datasets/{id}/profile."""

    @extend_schema(responses=ProfileSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Show what is in a dataset: classes, lengths, repeated texts, personal data, a quality score.

        It is made in the background once the dataset is ready; before that there is none (404).
        """
        dataset = access.visible_dataset(request.user, pk)
        profile = DatasetProfile.objects.defer("clusters").select_related("dataset").filter(dataset=dataset).first()
        if profile is None:
            raise NotFound(_("This dataset has no profile yet."))
        earlier = earlier_of(profile)
        seen = access.seen_among(request.user, Dataset, {earlier}) if earlier else frozenset()
        return Response(ProfileSerializer(profile, context={"seen": seen}).data)
