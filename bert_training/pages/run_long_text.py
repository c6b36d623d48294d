"""What each way of reading long texts loses, in words: the comparison that a worker made on the test rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import sqrt
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bert_training.models import Run
from bert_training.services.proving.figure_words import count_text, points_text, share_text
from bert_training.tasks import TASKS
from bert_training.tasks.hyperparameters.settings import Hyperparameters
from bert_training.tasks.spec import TaskSpec

FEW_ROWS = 30


@dataclass(frozen=True)
class ShownWay:
    """One way of reading. difference: in points to the way that was trained with, on the long texts."""

    label: str
    unseen: str
    on_long: str
    difference: str
    on_all: str
    is_trained: bool


@dataclass(frozen=True)
class ShownLongText:
    """The comparison of a run. warning: "" where there are rows enough."""

    metric: str
    sentences: list[str]
    ways: list[ShownWay]
    warning: str
    advice: str


def long_text_of(run: Run) -> ShownLongText | None:
    """Return the comparison in words; None where none was made."""
    found, spec = (run.result or {}).get("long_text"), TASKS.get(run.task)
    if not found or spec is None:
        return None
    few = found["compared_rows"] < FEW_ROWS
    return ShownLongText(
        metric=_metric_label(spec, found["metric"]),
        sentences=_sentences(found, spec),
        ways=[_shown_way(way, found, spec) for way in found["ways"]],
        warning=_("Few examples: with so few long texts the differences may be chance.") if few else "",
        advice="" if few else _advice(found, spec),
    )


def _sentences(found: Mapping[str, Any], spec: TaskSpec) -> list[str]:
    words = ngettext(
        "%(long)s of %(all)s test row is longer than %(max_length)s tokens.",
        "%(long)s of %(all)s test rows are longer than %(max_length)s tokens.",
        found["test_rows"],
    )
    counts = {name: count_text(found[f"{name}_rows"]) for name in ("test", "long", "compared")}
    rows = words % {"long": counts["long"], "all": counts["test"], "max_length": count_text(found["max_length"])}
    trained = _(
        "Trained with: %(way)s. The same network read them in the other ways; trained with one of these, it may do "
        "better."
    )
    sentences = [rows, trained % {"way": way_label(spec, found["truncation_side"])}]
    if found["compared_rows"] < found["long_rows"]:
        sample = _(
            "%(rows)s of them, drawn by chance, were read in each way; so the others have no figure of all rows."
        )
        sentences.insert(1, sample % {"rows": counts["compared"]})
    return sentences


def _shown_way(way: Mapping[str, Any], found: Mapping[str, Any], spec: TaskSpec) -> ShownWay:
    is_trained = way["way"] == found["truncation_side"]
    return ShownWay(
        label=way_label(spec, way["way"]),
        unseen=share_text(way["unseen_share"]),
        on_long=share_text(way["on_long"]),
        difference="" if is_trained else points_text(_gain(way, found)),
        on_all=share_text(way["on_all"]),
        is_trained=is_trained,
    )


def _advice(found: Mapping[str, Any], spec: TaskSpec) -> str:
    """Advise a way that is better beyond chance, about two standard errors of a share, or to keep the chosen one."""
    gains = {way["way"]: _gain(way, found) or 0.0 for way in found["ways"]}
    best = max(gains, key=lambda way: gains[way])
    margin = 1 / sqrt(found["compared_rows"])
    if gains[best] > margin:
        words = _("Advice: “%(way)s” scores %(points)s points more on long texts. Train once with it and compare.")
        points = number_format(round(100 * gains[best], 1), decimal_pos=1)
        return words % {"way": way_label(spec, best), "points": points}
    words = _(
        "Advice: keep it. No other way is clearly better; with %(rows)s long texts, less than %(points)s points may "
        "be chance."
    )
    return words % {"rows": count_text(found["compared_rows"]), "points": count_text(round(100 * margin))}


def _gain(way: Mapping[str, Any], found: Mapping[str, Any]) -> float | None:
    """Return by how much a way reads long texts better than the one that was trained with."""
    trained = next((other["on_long"] for other in found["ways"] if other["way"] == found["truncation_side"]), None)
    return None if trained is None or way["on_long"] is None else way["on_long"] - trained


def _metric_label(spec: TaskSpec, name: str) -> str:
    return next((_(metric.label) for metric in spec.metrics if metric.name == name), name)


def way_label(spec: TaskSpec, way: str) -> str:
    """Return the form's words for a way; a newer worker may know ways that have none."""
    choices = _ways_of(spec.hyperparameters)
    return _(choices[way]) if way in choices else way


@cache
def _ways_of(hyperparameters: type[Hyperparameters]) -> dict[str, str]:
    """Return the words of each way. A schema takes 2 ms, and a page asks six times."""
    words: dict[str, str] = hyperparameters.model_json_schema()["properties"]["truncation_side"]["choices"]
    return words
