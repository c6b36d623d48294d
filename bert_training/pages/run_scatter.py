"""A figure of many runs over one of their settings: a scatter, with its table behind it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import log10
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bert_training import access
from bert_training.charts.curves import Mark, axis_around, draw_dots
from bert_training.charts.saving import ChartForm, send_chart
from bert_training.charts.shapes import PLAIN_COLOURS, Chart, Table
from bert_training.contract.enums import JobStatus, Role
from bert_training.models import Run
from bert_training.models.choices import Label, task_choices
from bert_training.pages.filters import ListFilters, with_all
from bert_training.pages.requests import needs, page, person
from bert_training.pages.words import figure_text
from bert_training.services.proving.figure_words import count_text
from bert_training.services.setting_words import shown_number
from bert_training.tasks import TASKS
from bert_training.tasks.hyperparameters.groups import names_in_order
from bert_training.tasks.spec import Metric, TaskSpec

MOST_POINTS = 1_000
USUAL_SETTING = "learning_rate"
WIDE = 20  # times as large at one end as at the other: then each factor of ten takes as much room as the next
MOST_DATASETS = 50  # to choose from
NUMBERS = frozenset({"integer", "number"})


@dataclass(frozen=True)
class Point:
    """A run. tested: names its test rows."""

    pk: int
    name: str
    dataset: int
    dataset_name: str
    tested: tuple[str, str]
    x: float
    y: float


class ScatterChoices(ListFilters[Run]):
    """What is drawn over what, of which runs."""

    task = forms.ChoiceField(label=gettext_lazy("Task"), choices=task_choices)
    x = forms.ChoiceField(label=gettext_lazy("Setting"))
    metric = forms.ChoiceField(label=gettext_lazy("Figure"))
    dataset = forms.ChoiceField(label=gettext_lazy("Data"))

    def __init__(self, data: Any, user: User) -> None:
        asked = data.copy()
        if asked.get("task") not in TASKS:
            asked["task"] = next(iter(TASKS))
        self.spec = TASKS[asked["task"]]
        settings, metrics = _settings(self.spec), {each.name: _(each.label) for each in self.spec.metrics}
        for name, known, usual in (("x", settings, USUAL_SETTING), ("metric", metrics, self.spec.best_metric)):
            if asked.get(name) not in known:
                asked[name] = usual
        super().__init__(asked)
        self.setting_label = settings[asked["x"]]
        self._offer("x", list(settings.items()))
        self._offer("metric", list(metrics.items()))
        self._offer("dataset", with_all(_datasets(user, self.spec)))

    @property
    def figure(self) -> Metric:
        """Return the figure that is drawn."""
        return next(each for each in self.spec.metrics if each.name == self.chosen()["metric"])

    def _offer(self, name: str, choices: Sequence[tuple[str, Label]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices


@page
@needs(Role.READ)
def show_scatter(request: HttpRequest) -> HttpResponse:
    """Show a figure over a setting for the runs that somebody may see."""
    choices = ScatterChoices(request.GET, person(request))
    points = _points(person(request), choices)
    context = {
        "filters": choices,
        "is_filtered": bool(request.GET),
        "chart": _chart(points, choices),
        "legend": [(place, name, count) for place, _dataset, name, count in _legend(points)],
        "sentences": _sentences(points),
        "query": request.GET.urlencode(),
    }
    return render(request, "runs/scatter.html", context)


@page
@needs(Role.READ)
def download_scatter(request: HttpRequest, name: str, form: ChartForm) -> HttpResponse:
    """Save the picture, or the figures behind it."""
    choices = ScatterChoices(request.GET, person(request))
    chart = _chart(_points(person(request), choices), choices)
    if chart is None or chart.name != name:
        messages.info(request, _("There is nothing to save."))
        return redirect("pages:runs-scatter")
    return send_chart(request, chart, form, of=_("Runs"))


def _settings(spec: TaskSpec) -> dict[str, str]:
    """Return the settings that are numbers, with their labels, in the order of the form."""
    declared: dict[str, Any] = spec.hyperparameters.model_json_schema()["properties"]
    return {
        name: _(declared[name]["title"])
        for name in names_in_order(spec.hyperparameters)
        if "title" in declared[name] and NUMBERS & _types(declared[name])
    }


def _types(schema: dict[str, Any]) -> set[str]:
    return {each.get("type", "") for each in (schema, *schema.get("anyOf", []))}


def _runs(user: User, spec: TaskSpec) -> QuerySet[Run]:
    done = access.runs_listed_for(user).filter(task=spec.name, status=JobStatus.COMPLETED, result__isnull=False)
    return done.exclude(simulate=True).order_by("-pk")


def _datasets(user: User, spec: TaskSpec) -> list[tuple[str, Label]]:
    """Return the data of the newest runs to choose from."""
    found = dict(_runs(user, spec).values_list("dataset", "dataset__name")[:MOST_POINTS])
    return [(str(pk), name) for pk, name in list(found.items())[:MOST_DATASETS]]


def _points(user: User, choices: ScatterChoices) -> list[Point]:
    """Return the newest runs that have both numbers."""
    chosen, runs = choices.chosen(), _runs(user, choices.spec)
    if "dataset" in chosen:
        runs = runs.filter(dataset=chosen["dataset"])
    x, y = f"hyperparameters__{chosen['x']}", f"result__metrics__{chosen['metric']}"
    rows = runs.values_list("pk", "name", "dataset", "dataset__name", "dataset__table_sha256", "split_digest", x, y)
    return [
        Point(pk, name, dataset, dataset_name, (table, split), float(one), float(other))
        for pk, name, dataset, dataset_name, table, split, one, other in rows[:MOST_POINTS]
        if isinstance(one, int | float) and isinstance(other, int | float)
    ]


def _chart(points: Sequence[Point], choices: ScatterChoices) -> Chart | None:
    if not points:
        return None
    metric, label = choices.figure, choices.setting_label
    series = {dataset: place for place, dataset, _name, _count in _legend(points)}
    is_wide = min(point.x for point in points) > 0 and max(p.x for p in points) / min(p.x for p in points) >= WIDE
    scale: Callable[[float], float] = log10 if is_wide else float
    marks = [
        Mark(scale(each.x), each.y, _title(each, label, metric), series.get(each.dataset, len(PLAIN_COLOURS)))
        for each in points
    ]
    across = axis_around(label, [mark.x for mark in marks], partial(_setting_text, is_wide=is_wide))
    up = axis_around(_(metric.label), [mark.y for mark in marks], partial(figure_text, metric))
    best_first = sorted(points, key=lambda each: -each.y if metric.higher_is_better else each.y)
    rows = [
        [f"{each.pk} {each.name}", each.dataset_name, shown_number(each.x), figure_text(metric, each.y)]
        for each in best_first
    ]
    table = Table([_("Run"), _("Data"), label, _(metric.label)], rows)
    title = _("%(figure)s over %(setting)s") % {"figure": _(metric.label), "setting": label}
    return draw_dots("scatter", title, marks, across=across, up=up, table=table)


def _title(point: Point, label: str, metric: Metric) -> str:
    return f"{point.name} ({point.dataset_name}): {label} {shown_number(point.x)}, {figure_text(metric, point.y)}"


def _setting_text(value: float, *, is_wide: bool) -> str:
    """Write a number of the setting's axis with two digits that count."""
    return shown_number(float(f"{10**value if is_wide else value:.2g}"))


def _legend(points: Sequence[Point]) -> list[tuple[int, int, str, int]]:
    """Return colour, dataset, name and number of runs of those with most; others share the last colour."""
    counts = Counter((point.dataset, point.dataset_name) for point in points).most_common(len(PLAIN_COLOURS) - 1)
    return [(place, dataset, name, count) for place, ((dataset, name), count) in enumerate(counts, start=1)]


def _sentences(points: Sequence[Point]) -> list[str]:
    """Say what must be known before the highest dot is taken for the best setting."""
    if not points:
        return []
    tested = len({point.tested for point in points})
    if tested > 1:
        words = _(
            "These runs were tested on %(count)s different sets of rows: compare heights only within one of them."
        )
        return [words % {"count": count_text(tested)}]
    if len(points) > 1:
        words = _("All %(count)s runs were tested on the same rows: the best of them looks better than it is.")
        return [words % {"count": count_text(len(points))}]
    return []
