"""What came of a run, in words: figures and classes."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bert_training.models import Run
from bert_training.pages.words import Fact, figure_text
from bert_training.services.proving.figure_words import share_text
from bert_training.tasks import TASKS
from bert_training.tasks.spec import FINAL


@dataclass(frozen=True)
class ShownClass:
    """The test figures of one label; None where the test rows have no example of it."""

    name: str
    f1: float | None
    precision: float | None
    recall: float | None
    support: int

    @property
    def bar(self) -> str:
        """The F1 as HTML attributes want numbers."""
        return f"{self.f1 or 0:.4f}"

    @property
    def f1_text(self) -> str:
        """The F1 as a percentage."""
        return share_text(self.f1)

    @property
    def precision_text(self) -> str:
        """The precision as a percentage."""
        return share_text(self.precision)

    @property
    def recall_text(self) -> str:
        """The recall as a percentage."""
        return share_text(self.recall)


def result_of(run: Run) -> dict[str, Any] | None:
    """Return the test figures, the deciding one first, and the classes, the weakest first; None before the end."""
    spec = TASKS.get(run.task)
    if not run.result or spec is None:
        return None
    metrics = run.result.get("metrics", {})
    deciding = spec.deciding_metric(run.hyperparameters)
    figures = [
        Fact(_(metric.label), figure_text(metric, metrics[metric.name]), is_first=metric == deciding)
        for metric in spec.metrics
        if metric.name in metrics and metric.chart != FINAL
    ]
    classes = [ShownClass(**entry) for entry in run.result.get("classes", [])]
    return {
        "figures": sorted(figures, key=lambda figure: not figure.is_first),
        "classes": sorted(classes, key=lambda entry: (entry.support == 0, entry.f1 or 0.0, entry.name)),
        "test_sentence": _("rows that the model had never seen"),
        "sentence": _weakest_sentence(classes),
    }


def _weakest_sentence(classes: list[ShownClass]) -> str:
    """Name the label on which the model is weakest, in natural frequencies."""
    tested = [entry for entry in classes if entry.support and entry.recall is not None]
    if len(tested) < 2:
        return ""
    weakest = min(tested, key=lambda entry: (entry.f1 or 0.0, entry.name))
    found = round(weakest.support * (weakest.recall or 0.0))
    words = ngettext(
        "Weakest on “%(label)s”: of %(support)s example it found %(found)s.",
        "Weakest on “%(label)s”: of %(support)s examples it found %(found)s.",
        weakest.support,
    )
    return words % {"label": weakest.name, "support": weakest.support, "found": found}
