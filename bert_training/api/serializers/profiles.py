"""The profile of a dataset: what data.profiling.profile found, the quality score, lengths in tokens."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bert_training.api.serializers.access import seen_origin
from bert_training.api.serializers.fields import UtcField
from bert_training.contract.enums import ProfileStatus
from bert_training.models import DatasetProfile, TokenLengths
from bert_training.services.profile_words import shown_quality

Counts = serializers.DictField  # name -> count


class ClassesSerializer(serializers.Serializer[Any]):
    """How the examples are spread; `effective` classes of one size would be as diverse."""

    counts = Counts(child=serializers.IntegerField())
    number = serializers.IntegerField()
    largest = serializers.IntegerField()
    smallest = serializers.IntegerField()
    effective = serializers.FloatField()


class CopiesSerializer(serializers.Serializer[Any]):
    """Groups of texts that are the same, the rows in them, and those rows beyond the first of each group."""

    groups = serializers.IntegerField()
    rows = serializers.IntegerField()
    repeated = serializers.IntegerField()


class RowGroupSerializer(serializers.Serializer[Any]):
    """A group of rows that are nearly the same: its size and its first rows."""

    rows = serializers.ListField(child=serializers.IntegerField())
    size = serializers.IntegerField()


class NearCopiesSerializer(CopiesSerializer):
    """Texts that are the same or nearly so."""

    largest = RowGroupSerializer(many=True)


class ContradictionSerializer(serializers.Serializer[Any]):
    """Rows with the same text, and the classes that they are given."""

    rows = serializers.ListField(child=serializers.IntegerField())
    names = serializers.ListField(child=serializers.CharField())


class ContradictionsSerializer(serializers.Serializer[Any]):
    """Texts that occur with several answers."""

    texts = serializers.IntegerField()
    rows = serializers.IntegerField()
    examples = ContradictionSerializer(many=True)


class PersonalDataSerializer(serializers.Serializer[Any]):
    """One kind of personal data: how often, in how many rows, the first of them."""

    found = serializers.IntegerField()
    rows = serializers.IntegerField()
    first_rows = serializers.ListField(child=serializers.IntegerField())


class FindingsSerializer(serializers.Serializer[Any]):
    """What was found. Row numbers from 10,000,000 on are rows of the validation file, from 20,000,000 on of the test
    file."""

    rows = serializers.IntegerField()
    classes = ClassesSerializer()
    tags = Counts(child=serializers.IntegerField(), required=False)
    lengths = serializers.DictField()
    exact = CopiesSerializer()
    contradictions = ContradictionsSerializer()
    near = NearCopiesSerializer(allow_null=True)
    personal = serializers.DictField(child=PersonalDataSerializer())
    group = serializers.DictField(child=serializers.IntegerField(), required=False)
    continues = serializers.DictField(child=serializers.IntegerField(), required=False)


class QualityPartSerializer(serializers.Serializer[Any]):
    """One part of the score; null points: not known yet, and counted neither for nor against."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the part's name in words, here a field like others
    weight = serializers.IntegerField()
    points = serializers.FloatField(allow_null=True)
    reason = serializers.CharField()


class QualitySerializer(serializers.Serializer[Any]):
    """The quality score, 0 to 100, and why."""

    score = serializers.IntegerField()
    parts = QualityPartSerializer(many=True)


class CountedLengthsSerializer(serializers.Serializer[Any]):
    """Lengths in the tokens of a base model: a bar holds edges[i] <= length < edges[i+1]."""

    base_model = serializers.CharField()
    counted_at = UtcField()
    max_length = serializers.IntegerField(source="content.max_length")
    edges = serializers.ListField(child=serializers.IntegerField(), source="content.edges")
    counts = serializers.ListField(child=serializers.IntegerField(), source="content.counts")
    classes = serializers.DictField(
        child=serializers.ListField(child=serializers.IntegerField()), source="content.classes"
    )


def earlier_of(profile: DatasetProfile) -> int | None:
    """Return the number of the dataset that this one continues."""
    number: int | None = (profile.content or {}).get("continues", {}).get("dataset")
    return number


class ProfileSerializer(serializers.Serializer[DatasetProfile]):
    """The profile of a dataset; findings and quality are null until it is ready. Needs `seen`, as `context_of` has."""

    status = serializers.ChoiceField(choices=[status.value for status in ProfileStatus])
    finished_at = UtcField(allow_null=True)
    findings = serializers.SerializerMethodField()
    quality = serializers.SerializerMethodField()
    token_lengths = serializers.SerializerMethodField()

    @extend_schema_field(FindingsSerializer(allow_null=True))
    def get_findings(self, profile: DatasetProfile) -> dict[str, Any] | None:
        """Return what was found; of an earlier dataset that this one continues only what the caller may see."""
        if not profile.content:
            return None
        shown = dict(profile.content)
        if seen_origin(self.context, earlier_of(profile)) is None:
            shown.pop("continues", None)
        return dict(FindingsSerializer(shown).data)

    @extend_schema_field(QualitySerializer(allow_null=True))
    def get_quality(self, profile: DatasetProfile) -> dict[str, Any] | None:
        """Return the score in the caller's language."""
        if not profile.content:
            return None
        return dict(QualitySerializer(shown_quality(profile.dataset, profile.content, self._lengths(profile))).data)

    @extend_schema_field(CountedLengthsSerializer(many=True))
    def get_token_lengths(self, profile: DatasetProfile) -> Any:
        """Return what workers have counted, the newest first."""
        return CountedLengthsSerializer(self._lengths(profile), many=True).data

    def _lengths(self, profile: DatasetProfile) -> list[TokenLengths]:
        return list(TokenLengths.objects.filter(dataset=profile.dataset_id).order_by("-counted_at"))
