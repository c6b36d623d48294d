"""What several runs reached on the same test rows, in words: figures, classes and rows, each set against the first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from bert_training.data.proof.shape import Figure
from bert_training.models import Run
from bert_training.pages.words import COEFFICIENTS, figure_text
from bert_training.services.csv_form import Value
from bert_training.services.proving.figure_words import (
    MINUS,
    UNKNOWN,
    count_text,
    interval_text,
    points_text,
    share_text,
)
from bert_training.tasks import TASKS
from bert_training.tasks.spec import Metric

Pairs = Sequence[Any]  # of data.proof.paired.Paired, which pages read and never make
RIGHT, WRONG = True, False


@dataclass(frozen=True)
class Difference:
    """A figure of one run, and by how much it differs from that of the first, shares in points.

    tone: "better" or "worse" where the whole interval says so, else "".  note: the same in a word.
    """

    text: str
    points: str = ""
    interval: str = ""
    tone: str = ""
    note: str = ""


@dataclass(frozen=True)
class ComparedRow:
    """A figure or class, as each run reached it. note: what limits it."""

    label: str
    cells: list[Difference]
    note: str = ""
    is_first: bool = False


@dataclass(frozen=True)
class ComparedRows:
    """How many rows a run and the first answered right. queries: of the lists that show them; "" of none."""

    run: Run
    both: str
    first_alone: str
    own_alone: str
    neither: str
    first_query: str
    own_query: str


def compared_figures(runs: Sequence[Run], pairs: Pairs) -> list[ComparedRow]:
    """Return the figures that the task declares and that are drawn again, the deciding one first."""
    first = pairs[0]
    metrics = [each for each in TASKS[runs[0].task].metrics if each.name in first.differences]
    return [
        ComparedRow(
            _(metric.label),
            [
                _cell(metric, each.figures.get(metric.name), each.differences[metric.name], each is first)
                for each in pairs
            ],
            is_first=metric.name == first.metric,
        )
        for metric in sorted(metrics, key=lambda metric: metric.name != first.metric)
    ]


def compared_classes(pairs: Pairs) -> list[ComparedRow]:
    """Return the F1 of each class, the one with the widest gap first."""
    rows = zip(*(each.classes for each in pairs), strict=True)
    ordered = sorted(rows, key=lambda row: (-_widest(row), row[0].name))
    return [
        ComparedRow(
            row[0].name,
            [_class_cell(each, is_own=place == 0) for place, each in enumerate(row)],
            note=_("few examples") if row[0].is_few and row[0].support else "",
        )
        for row in ordered
    ]


def compared_rows(runs: Sequence[Run], pairs: Pairs) -> list[ComparedRows]:
    """Return for each run but the first how many rows only one of the two answered right."""
    first = runs[0]
    return [
        ComparedRows(
            run=run,
            both=count_text(each.rows[RIGHT, RIGHT]),
            first_alone=count_text(each.rows[RIGHT, WRONG]),
            own_alone=count_text(each.rows[WRONG, RIGHT]),
            neither=count_text(each.rows[WRONG, WRONG]),
            first_query=f"show=wrong&against={first.pk}&other=right" if each.rows[RIGHT, WRONG] else "",
            own_query=f"show=right&against={first.pk}&other=wrong" if each.rows[WRONG, RIGHT] else "",
        )
        for run, each in zip(runs[1:], pairs[1:], strict=True)
    ]


def comparison_lines(runs: Sequence[Run], pairs: Pairs) -> list[list[Value]]:
    """Return the same as lines of a file: numbers, differences as shares of 1."""
    words = _("difference to the first"), _("lower end of its interval"), _("upper end of its interval")
    heads = [head for run in runs for head in (run.name, *(f"{run.name}: {word}" for word in words))]
    figures = [
        [name, *(part for each in pairs for part in (each.figures.get(name), *each.differences[name].values()))]
        for name in pairs[0].differences
    ]
    classes = [
        [row[0].name, *(part for each in row for part in (each.f1, *each.difference.values()))]
        for row in zip(*(each.classes for each in pairs), strict=True)
    ]
    return [[_("Figure or class (F1)"), *heads], *figures, *classes]


def _widest(row: Sequence[Any]) -> float:
    return max(abs(float(each.difference["value"] or 0.0)) for each in row)


def _cell(metric: Metric, value: float | None, difference: Figure, is_own: bool) -> Difference:
    write = _coefficient_text if metric.name in COEFFICIENTS else points_text
    return _with_tone(figure_text(metric, value), None if is_own else difference, write)


def _class_cell(found: Any, *, is_own: bool) -> Difference:
    if found.f1 is None:
        return Difference(_("no examples") if is_own else UNKNOWN)
    return _with_tone(share_text(found.f1), None if is_own else found.difference, points_text)


def _coefficient_text(value: float | None) -> str:
    """Write a difference of coefficients, which are no shares, with its sign."""
    if value is None:
        return UNKNOWN
    sign = "+" if value > 0 else MINUS if value < 0 else ""
    return f"{sign}{number_format(round(abs(value), 4), decimal_pos=4)}"


def _with_tone(text: str, difference: Figure | None, write: Callable[[float | None], str]) -> Difference:
    if difference is None or difference["low"] is None or difference["high"] is None:
        return Difference(text)
    tone = "better" if difference["low"] > 0 else "worse" if difference["high"] < 0 else ""
    notes = {"better": _("better"), "worse": _("worse"), "": _("no difference shown")}
    interval = interval_text(difference, write)
    return Difference(text, write(difference["value"]), interval, tone, notes[tone])
