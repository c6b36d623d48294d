"""Draws figures below each other, each as a bar with its interval as a whisker: which is better, and how surely."""

from collections.abc import Sequence
from dataclasses import dataclass

from bert_training.charts.curves import Axis
from bert_training.charts.shapes import COMPACT, TEXT, Band, Chart, Dot, Line, Stroke, Table, Words, shorten

LEFT, RIGHT = 4, 8
ROW, BAR = 52, 16
WHISKER = 5  # half the height of its ends
NAME_CHARACTERS = 24


@dataclass(frozen=True)
class Estimate:
    """A figure. text: as it is read.  low, high: None without an interval.  series: its colour."""

    label: str
    value: float
    text: str
    low: float | None = None
    high: float | None = None
    series: int = 1


def draw_estimates(
    name: str, title: str, estimates: Sequence[Estimate], *, axis: Axis, table: Table | None = None
) -> Chart:
    """Draw them in their order; narrow enough for a telephone."""
    says = "; ".join(f"{each.label}: {each.text}" for each in estimates)
    chart = Chart(name, title, says, height=len(estimates) * ROW + 2 * TEXT, width=COMPACT, table=table)
    for place, each in enumerate(estimates):
        _add_row(chart, each, place * ROW, axis)
    bottom = len(estimates) * ROW
    chart.lines.append(Line(LEFT, bottom, COMPACT - LEFT - RIGHT))
    for place, tick in enumerate(axis.ticks()):
        x = round(_x(tick, axis))
        chart.words.append(Words(x, bottom + TEXT + 4, axis.text(tick), axis.anchor(place), is_muted=True))
    return chart


def _add_row(chart: Chart, each: Estimate, top: int, axis: Axis) -> None:
    chart.words.append(Words(LEFT, top + TEXT, shorten(each.label, NAME_CHARACTERS)))
    chart.words.append(Words(COMPACT - RIGHT, top + TEXT, each.text, "end"))
    upper, lower, middle = top + 20, top + 20 + BAR, top + 20 + BAR // 2
    start, end = _x(max(0.0, axis.low), axis), _x(each.value, axis)
    chart.bands.append(Band(f"{start:g},{upper} {end:g},{upper} {end:g},{lower} {start:g},{lower}", each.series))
    if each.low is not None and each.high is not None:
        low, high = _x(each.low, axis), _x(each.high, axis)
        ends = f"{low:g},{middle - WHISKER} {low:g},{middle + WHISKER} {low:g},{middle} {high:g},{middle} "
        ends += f"{high:g},{middle - WHISKER} {high:g},{middle + WHISKER}"
        chart.strokes.append(Stroke(ends, each.series))
    chart.dots.append(Dot(round(end), middle, f"{each.label}: {each.text}", each.series))


def _x(value: float, axis: Axis) -> float:
    return round(LEFT + min(1.0, max(0.0, axis.place(value))) * (COMPACT - LEFT - RIGHT), 1)
