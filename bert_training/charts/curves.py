"""Draws what depends on a number: curves with their intervals and dots, over two axes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil, floor, log10

from bert_training.charts.shapes import TEXT, WIDTH, Band, Chart, Dot, Line, Stroke, Table, Words
from bert_training.services.proving.figure_words import share_text

PLOT_HEIGHT = 240
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 28, 44
TICKS = 5
ROUND = (1, 2, 2.5, 5, 10)  # what steps between marks are, times a power of ten
NEAR = 1e-9  # of a step: a value so near a mark lies on it
LEGEND_ROW = 18
MOST_DOTS = 64  # above it a curve alone: the dots would hide it
# Beyond these the difference of two numbers is infinite, or the step between two marks is 0.
FURTHEST, FINEST = 1e300, 1e-300


@dataclass(frozen=True)
class Axis:
    """From where to where, what it shows, and how a number on it is written. tick_count: so many, both ends too."""

    label: str
    low: float = 0.0
    high: float = 1.0
    text: Callable[[float], str] = share_text
    tick_count: int = TICKS

    def place(self, value: float) -> float:
        """Return where a number stands between the ends, 0..1."""
        low, high = bounded(self.low), bounded(self.high)
        return (bounded(value) - low) / ((high - low) or 1.0)

    def ticks(self) -> list[float]:
        """Return the numbers that are written beside it."""
        steps, low, high = self.tick_count - 1, bounded(self.low), bounded(self.high)
        return [low + (high - low) * tick / steps for tick in range(self.tick_count)]

    def anchor(self, tick: int) -> str:
        """Return where a number below it is held, so that the first and the last are not cut off."""
        return "start" if tick == 0 else "end" if tick == self.tick_count - 1 else "middle"


def bounded(value: float) -> float:
    """Return a number that can be drawn: a figure that a worker told may be as large as numbers go."""
    return max(-FURTHEST, min(FURTHEST, value))


def axis_around(label: str, values: Sequence[float], text: Callable[[float], str]) -> Axis:
    """Return an axis that holds all values and has round numbers at its ends and between them."""
    low, high = bounded(min(values)), bounded(max(values))
    least = max(((high - low) or abs(high) or 1.0) / (TICKS - 1), FINEST)
    power = 10.0 ** floor(log10(least))
    step = next(power * factor for factor in ROUND if power * factor >= least * (1 - NEAR))
    first, last = floor(low / step + NEAR), ceil(high / step - NEAR)
    last = max(last, first + 1)
    return Axis(label, first * step, last * step, text, last - first + 1)


@dataclass(frozen=True)
class Curve:
    """A named line through (x, y). interval: (low, high) at each point.  is_reference: dashed, such as "all right".

    titles: what each point says when it is pointed at; without them points are not marked.
    """

    label: str
    points: Sequence[tuple[float, float]]
    series: int = 1
    interval: Sequence[tuple[float, float]] = field(default_factory=list)
    titles: Sequence[str] = field(default_factory=list)
    is_reference: bool = False


@dataclass(frozen=True)
class Mark:
    """A named point of a scatter."""

    x: float
    y: float
    title: str
    series: int = 1


def draw_curves(
    name: str,
    title: str,
    curves: Sequence[Curve],
    *,
    across: Axis,
    up: Axis,
    table: Table | None = None,
    width: int = WIDTH,
) -> Chart:
    """Draw curves over the same axes, with a legend below when there are several.

    width: COMPACT for a picture that is to be read on a telephone.
    """
    rows = len(curves) if len(curves) > 1 else 0
    chart = _frame(name, title, across, up, legend=rows, width=width, table=table)
    for curve in curves:
        places = [_place(x, y, across, up, width) for x, y in curve.points]
        if curve.interval:
            xs = [x for x, _y in curve.points]
            lower = [_place(x, low, across, up, width) for x, (low, _high) in zip(xs, curve.interval, strict=True)]
            upper = [_place(x, high, across, up, width) for x, (_low, high) in zip(xs, curve.interval, strict=True)]
            chart.bands.append(Band(_path([*lower, *reversed(upper)]), curve.series))
        chart.strokes.append(Stroke(_path(places), curve.series, curve.is_reference))
        if len(places) <= MOST_DOTS:
            titled = zip(places, curve.titles, strict=False)
            chart.dots.extend(Dot(round(x), round(y), said, curve.series) for (x, y), said in titled)
    if len(curves) > 1:
        _add_legend(chart, curves)
    return chart


def draw_dots(
    name: str, title: str, marks: Iterable[Mark], *, across: Axis, up: Axis, table: Table | None = None
) -> Chart:
    """Draw a scatter."""
    chart = _frame(name, title, across, up, legend=0, width=WIDTH, table=table)
    for mark in marks:
        x, y = _place(mark.x, mark.y, across, up, WIDTH)
        chart.dots.append(Dot(round(x), round(y), mark.title, mark.series))
    return chart


def _frame(name: str, title: str, across: Axis, up: Axis, *, legend: int, width: int, table: Table | None) -> Chart:
    description, height = f"{up.label} / {across.label}", TOP + PLOT_HEIGHT + BOTTOM + legend * LEGEND_ROW
    chart = Chart(name, title, description, height=height, width=width, table=table)
    for value in up.ticks():
        y = round(_place(across.low, value, across, up, width)[1])
        chart.lines.append(Line(LEFT, y, width - LEFT - RIGHT))
        chart.words.append(Words(LEFT - 6, y + 4, up.text(value), "end", is_muted=True))
    for place, value in enumerate(across.ticks()):
        x = round(_place(value, up.low, across, up, width)[0])
        chart.words.append(Words(x, TOP + PLOT_HEIGHT + 16, across.text(value), across.anchor(place), is_muted=True))
    chart.words.append(Words(4, TEXT, up.label))
    middle = LEFT + (width - LEFT - RIGHT) // 2
    chart.words.append(Words(middle, TOP + PLOT_HEIGHT + 34, across.label, "middle"))
    return chart


def _add_legend(chart: Chart, curves: Sequence[Curve]) -> None:
    top = TOP + PLOT_HEIGHT + BOTTOM
    for row, curve in enumerate(curves):
        y = top + row * LEGEND_ROW
        chart.strokes.append(Stroke(f"{LEFT},{y + 4} {LEFT + 24},{y + 4}", curve.series, curve.is_reference))
        chart.words.append(Words(LEFT + 32, y + TEXT - 4, curve.label))


def _place(x: float, y: float, across: Axis, up: Axis, width: int) -> tuple[float, float]:
    left = LEFT + across.place(x) * (width - LEFT - RIGHT)
    return round(left, 1), round(TOP + (1 - up.place(y)) * PLOT_HEIGHT, 1)


def _path(places: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in places)
