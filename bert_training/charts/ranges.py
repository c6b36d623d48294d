"""Draws figures with their intervals, one below the other: a dot where the value is, a bar over the interval."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from bert_training.charts.shapes import TEXT, WIDTH, Bar, Chart, Dot, Line, Table, Words, shorten
from bert_training.services.proving.figure_words import UNKNOWN, share_text

ROW = 34
BAR = 10
LEFT, RIGHT = 220, 40
NAME_CHARACTERS = 26
TICKS = 5


@dataclass(frozen=True)
class Range:
    """A named share with its interval, where there is one."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    is_marked: bool = False

    @property
    def interval(self) -> str:
        """Write the interval; a dash where there is none."""
        if self.low is None or self.high is None:
            return UNKNOWN
        return _("%(low)s to %(high)s") % {"low": share_text(self.low), "high": share_text(self.high)}

    @property
    def says(self) -> str:
        """Say value and interval."""
        return f"{self.label}: {share_text(self.value)} ({self.interval})"


def draw_ranges(name: str, title: str, ranges: Sequence[Range]) -> Chart:
    """Draw shares over an axis from 0 to 1."""
    table = Table(
        [_("Name"), _("Value"), _("Interval of 95 %")],
        [[each.label, share_text(each.value), each.interval] for each in ranges],
    )
    below = len(ranges) * ROW
    chart = Chart(name, title, "; ".join(each.says for each in ranges), height=below + 2 * TEXT, table=table)
    for tick in range(TICKS):
        share = tick / (TICKS - 1)
        chart.words.append(Words(_across(share), below + TEXT + 4, share_text(share), "middle", is_muted=True))
    for place, each in enumerate(ranges):
        middle = place * ROW + ROW // 2
        chart.lines.append(Line(LEFT, middle, WIDTH - LEFT - RIGHT))
        chart.words.append(Words(LEFT - 12, middle + 4, shorten(each.label, NAME_CHARACTERS), "end"))
        if each.low is not None and each.high is not None:
            width = max(1, _across(each.high) - _across(each.low))
            chart.bars.append(Bar(_across(each.low), middle - BAR // 2, width, BAR, each.says, each.is_marked))
        chart.dots.append(Dot(_across(each.value), middle, each.says, series=3, radius=6))
    return chart


def _across(share: float) -> int:
    return LEFT + round(share * (WIDTH - LEFT - RIGHT))
