"""The figures of token classification, in the order in which they are shown."""

from bert_training.contract.wording import gettext_noop
from bert_training.tasks.spec import FINAL, Metric

METRICS = (
    Metric("f1", gettext_noop("F1 of entities"), "quality"),
    Metric("precision", gettext_noop("Precision of entities"), "quality"),
    Metric("recall", gettext_noop("Recall of entities"), "quality"),
    Metric("accuracy", gettext_noop("Accuracy of words"), "quality"),
    Metric("f1_macro", gettext_noop("F1 of entities (macro)"), FINAL),
    Metric("precision_macro", gettext_noop("Precision of entities (macro)"), FINAL),
    Metric("recall_macro", gettext_noop("Recall of entities (macro)"), FINAL),
    Metric("loss", gettext_noop("Loss"), "loss", higher_is_better=False),
)
