"""The figures of text classification, in the order in which they are shown."""

from bert_training.contract.wording import gettext_noop
from bert_training.tasks.spec import Metric

METRICS = (
    Metric("f1_macro", gettext_noop("F1 (macro)"), "quality"),
    Metric("accuracy", gettext_noop("Accuracy"), "quality"),
    Metric("f1_micro", gettext_noop("F1 (micro)"), "quality"),
    Metric("f1_weighted", gettext_noop("F1 (weighted)"), "quality"),
    Metric("precision_macro", gettext_noop("Precision (macro)"), "quality"),
    Metric("recall_macro", gettext_noop("Recall (macro)"), "quality"),
    Metric("auc_roc", gettext_noop("AUC-ROC"), "quality"),
    Metric("loss", gettext_noop("Loss"), "loss", higher_is_better=False),
)
