"""How two runs compare: what the API shows of a reproduction."""

from typing import Any

from rest_framework import serializers

from bert_training.contract.enums import Cause, Verdict
from bert_training.models import Run
from bert_training.services.reproducing.reproduction import Comparison
from bert_training.services.reproducing.reproduction_words import (
    cause_label,
    change_sentence,
    sentences_of,
    verdict_label,
)


class DifferenceSerializer(serializers.Serializer[Any]):
    """One thing in which two runs differ."""

    cause = serializers.ChoiceField(choices=[cause.value for cause in Cause])
    name = serializers.CharField(allow_blank=True, help_text="Of the hyperparameter or package, else empty.")
    label = serializers.CharField()  # type: ignore[assignment]  # the API's name, here a field like others
    first = serializers.CharField(allow_blank=True, help_text="Of a package: empty where it is not installed.")
    second = serializers.CharField(allow_blank=True)


class AgreementSerializer(serializers.Serializer[Any]):
    """The answers for the test rows that both networks answered, and the second's lead on the deciding figure."""

    rows = serializers.IntegerField()
    first_rows = serializers.IntegerField()
    second_rows = serializers.IntegerField()
    equal = serializers.IntegerField()
    metric = serializers.CharField()
    difference = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True, help_text="Of the paired 95 % interval.")
    high = serializers.FloatField(allow_null=True)


class RowChangeSerializer(serializers.Serializer[Any]):
    """Where two tables differ; never what stands there."""

    row = serializers.IntegerField(allow_null=True)
    column = serializers.CharField(allow_blank=True)
    kind = serializers.CharField(help_text="changed; added or missing in the second")
    text = serializers.CharField()


class TableChangesSerializer(serializers.Serializer[Any]):
    """All changes are counted, the first are named."""

    count = serializers.IntegerField()
    changes = RowChangeSerializer(many=True)


class ReproductionSerializer(serializers.Serializer[Any]):
    """A verdict on two runs, with what may explain it: the likeliest cause first.

    against: null where the first run is gone.  fingerprints, digests: of weights and predictions, first and second.
    """

    run = serializers.IntegerField()
    against = serializers.IntegerField(allow_null=True)
    verdict = serializers.ChoiceField(choices=[verdict.value for verdict in Verdict])
    verdict_label = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)
    sentences = serializers.ListField(child=serializers.CharField())
    causes = DifferenceSerializer(many=True)
    unknown = serializers.ListField(child=serializers.CharField(), help_text="Causes that one run does not state.")
    fingerprints = serializers.ListField(child=serializers.CharField(allow_blank=True))
    digests = serializers.ListField(child=serializers.CharField(allow_blank=True))
    agreement = AgreementSerializer(allow_null=True)
    rows = TableChangesSerializer(allow_null=True)


def shown_comparison(comparison: Comparison, *, first: Run | None, second: Run) -> dict[str, Any]:
    """Collect what ReproductionSerializer names."""
    rows = comparison.rows
    return {
        "run": second.pk,
        "against": first.pk if first else None,
        "verdict": comparison.verdict.value,
        "verdict_label": verdict_label(comparison.verdict),
        "reason": comparison.reason,
        "sentences": sentences_of(comparison, second),
        "causes": [
            {
                "cause": each.cause.value,
                "name": each.name,
                "label": cause_label(each),
                "first": each.first,
                "second": each.second,
            }
            for each in comparison.differences
        ],
        "unknown": comparison.unknown,
        "fingerprints": comparison.fingerprints,
        "digests": comparison.digests,
        "agreement": comparison.agreement,
        "rows": rows and {**rows, "changes": [{**each, "text": change_sentence(each)} for each in rows["changes"]]},
    }
