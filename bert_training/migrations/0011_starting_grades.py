"""Fills the scales of grades; staff change them in the admin.

The two sources grade the same figures differently, and each scale goes to the figures that its source computed.
S1.26 judges accuracy, and precision, recall and F1 weighted by rows; micro averages are the accuracy where a text has
one label, and so have its scale. S2.17 calls an F1 of 0.8 excellent; that fits the figures in which a rare class or an
entity counts as much as a frequent one: the best published entity F1 on LeNER-Br, .8926, would only be good by S1.26.
Steps that the sources leave out go on downward by .10, the step of S1.26.
"""

from django.db import migrations

ACCURACY = {"excellent": 0.90, "good": 0.80, "fair": 0.70}  # S1.26
WEIGHTED = {"excellent": 0.95, "good": 0.85, "fair": 0.75}  # S1.26
EQUAL = {"excellent": 0.80, "good": 0.70, "fair": 0.60}  # S2.17

SCALES = {
    "accuracy": ACCURACY,
    "f1_micro": ACCURACY,
    "precision_micro": ACCURACY,
    "recall_micro": ACCURACY,
    "f1_weighted": WEIGHTED,
    "precision_weighted": WEIGHTED,
    "recall_weighted": WEIGHTED,
    "f1_macro": EQUAL,
    "precision_macro": EQUAL,
    "recall_macro": EQUAL,
    "f1": EQUAL,
    "precision": EQUAL,
    "recall": EQUAL,
}


def add_scales(apps, schema_editor):
    """Add what is not there."""
    scales = apps.get_model("bert_training", "GradeScale").objects
    for metric, steps in SCALES.items():
        scales.get_or_create(metric=metric, defaults=steps)


class Migration(migrations.Migration):
    dependencies = [("bert_training", "0010_proofs_and_repeats")]
    operations = [migrations.RunPython(add_scales, migrations.RunPython.noop)]
