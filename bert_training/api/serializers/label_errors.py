"""What the API shows of doubted labels: never the text of a row."""

from typing import Any

from rest_framework import serializers

from bert_training.contract.enums import PredictionSource, Split


class LabelErrorSerializer(serializers.Serializer[Any]):
    """A row whose label is doubted. row: as in the manifest of the run; 10,000,017 is row 17 of the validation file.

    given, suggested: names of labels; of entities the type in doubt, empty for none. doubt: 0 to 1.
    source: `linear`, or `network` where the run was cross-validated.
    """

    row = serializers.IntegerField()
    split = serializers.ChoiceField(choices=[split.value for split in Split])
    given = serializers.CharField(allow_blank=True)
    suggested = serializers.CharField(allow_blank=True)
    doubt = serializers.FloatField()
    source = serializers.ChoiceField(  # type: ignore[assignment]  # a field of the answer
        choices=[PredictionSource.LINEAR.value, PredictionSource.NETWORK.value]
    )


class LabelErrorPageSerializer(serializers.Serializer[Any]):
    """A page of doubted labels."""

    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = LabelErrorSerializer(many=True)
