"""What came of a run and what it was made of, in words: figures, classes, settings, proofs."""

from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bert_training.models import Run
from bert_training.pages.words import Fact, figure_text, share_text
from bert_training.run_form import shown_number
from bert_training.tasks import TASKS


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
    figures = [
        Fact(_(metric.label), figure_text(metric, metrics[metric.name]), is_first=metric.name == spec.best_metric)
        for metric in spec.metrics
        if metric.name in metrics
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


def settings_of(run: Run) -> list[Fact]:
    """Return each hyperparameter with its label and unit, in the order of the form."""
    spec = TASKS.get(run.task)
    declared = spec.hyperparameters.model_json_schema()["properties"] if spec else {}
    return [_setting(name, value, declared.get(name, {})) for name, value in _in_order(run.hyperparameters, declared)]


def _in_order(values: dict[str, Any], declared: dict[str, Any]) -> list[tuple[str, Any]]:
    places = {name: place for place, name in enumerate(declared)}
    return sorted(values.items(), key=lambda item: places.get(item[0], len(places)))


def _setting(name: str, value: Any, schema: dict[str, Any]) -> Fact:
    has_unit = schema.get("unit") and value is not None and value != 1  # units are plural; "1" speaks for itself
    unit = _(schema["unit"]) if has_unit else ""
    words = schema.get("choices", {})
    if value is None:
        text = _(schema["empty"]) if "empty" in schema else ""
    else:
        text = _(words[value]) if isinstance(value, str) and value in words else _value_text(value)
    return Fact(_(schema["title"]) if "title" in schema else name, text, unit=unit)


def _value_text(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, float):
        return shown_number(value)
    return str(number_format(value)) if isinstance(value, int) else str(value)


def provenance_of(run: Run) -> list[Fact]:
    """Return what somebody needs who wants to repeat or to check the run."""
    told = run.reproducibility
    revision = told.get("base_model_revision") or run.base_model_revision
    return [
        Fact(_("SHA-256 of the spreadsheet"), run.dataset.sha256, is_digest=True),
        Fact(_("Digest of the split"), run.split_digest, is_digest=True),
        Fact(_("Fingerprint of the model"), run.model_fingerprint, is_digest=True),
        Fact(_("Base model"), run.base_model),
        Fact(_("Revision of the base model"), revision, is_digest=True),
        Fact(_("Seed"), str(run.hyperparameters.get("seed", ""))),
        Fact(_("Version of the program"), told.get("code_commit", ""), is_digest=True),
        Fact(_("Fingerprint of the environment"), told.get("environment_fingerprint", ""), is_digest=True),
        Fact(_("Device"), told.get("device", "")),
    ]
