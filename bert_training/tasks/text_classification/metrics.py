"""The figures of text classification, in the order in which they are shown."""

from bert_training.contract.wording import gettext_noop
from bert_training.tasks.spec import FINAL, Metric

METRICS = (
    Metric("f1_macro", gettext_noop("F1 (macro)"), "quality"),
    Metric("accuracy", gettext_noop("Accuracy"), "quality"),
    Metric("f1_micro", gettext_noop("F1 (micro)"), "quality"),
    Metric("f1_weighted", gettext_noop("F1 (weighted)"), "quality"),
    Metric("precision_macro", gettext_noop("Precision (macro)"), "quality"),
    Metric("recall_macro", gettext_noop("Recall (macro)"), "quality"),
    Metric("auc_roc", gettext_noop("AUC-ROC"), "quality"),
    Metric("precision_weighted", gettext_noop("Precision (weighted)"), FINAL),
    Metric("recall_weighted", gettext_noop("Recall (weighted)"), FINAL),
    Metric("precision_micro", gettext_noop("Precision (micro)"), FINAL),
    Metric("recall_micro", gettext_noop("Recall (micro)"), FINAL),
    Metric("auc_pr", gettext_noop("AUC-PR (average precision)"), FINAL),
    Metric("mcc", gettext_noop("Matthews correlation (MCC)"), FINAL),
    Metric("kappa", gettext_noop("Cohen's kappa"), FINAL),
    Metric("top_3", gettext_noop("Right class among the 3 most probable"), FINAL),
    Metric("top_5", gettext_noop("Right class among the 5 most probable"), FINAL),
    Metric("log_loss", gettext_noop("Log-loss"), FINAL, higher_is_better=False),
    Metric("loss", gettext_noop("Loss"), "loss", higher_is_better=False),
)
