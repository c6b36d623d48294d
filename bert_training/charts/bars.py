"""Draws bars: counts of names, histograms of lengths, and a small histogram for each of many names."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.utils.translation import gettext as _

from bert_training.charts.shapes import TEXT, WIDTH, Bar, Chart, Line, Table, Words, shorten
from bert_training.services.proving.figure_words import count_text, share_text

BAR_ROW = 24
NAME_WIDTH = 220
LONGEST_BAR = 300
NAME_CHARACTERS = 26

PLOT_HEIGHT = 200
LEFT, TOP, BOTTOM = 56, 12, 28

PANELS_ACROSS = 4
PANEL_WIDTH = WIDTH // PANELS_ACROSS
PANEL_HEIGHT = 92
PANEL_NAME_CHARACTERS = 20

Counts = Sequence[int]


@dataclass(frozen=True)
class Histogram:
    """Counts of lengths: a bar holds edges[i] <= length < edges[i+1].  limit: what is longer is marked."""

    edges: Counts
    counts: Counts
    unit: str
    limit: int | None = None

    def bars(self) -> Iterator[tuple[int, str, bool]]:
        """Yield for each bar its count, what it says, and whether it is above the limit."""
        total = sum(self.counts) or 1
        for (low, high), count in zip(pairwise(self.edges), self.counts, strict=True):
            says = f"{_between(low, high)} {self.unit}: {count_text(count)} ({share_text(count / total)})"
            yield count, says, self.limit is not None and low > self.limit

    def table(self) -> Table:
        """Return the counts as texts."""
        total = sum(self.counts) or 1
        rows = [
            [_between(low, high), count_text(count), share_text(count / total)]
            for (low, high), count in zip(pairwise(self.edges), self.counts, strict=True)
        ]
        return Table([self.unit, _("Count"), _("Share")], rows)


def most_frequent_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Order names by their counts, equal ones by name: a JSON column of PostgreSQL forgets the order of its keys."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def draw_bars(name: str, title: str, counts: Mapping[str, int], *, shown: int) -> Chart:
    """Draw one bar a name, the largest first; those beyond `shown` in words: their bar would dwarf the others."""
    ordered = most_frequent_first(counts)
    total, most = sum(counts.values()) or 1, max(counts.values(), default=0) or 1
    rows = [(label, count, LONGEST_BAR * count // most) for label, count in ordered[:shown]]
    if ordered[shown:]:
        others = _("%(count)s others") % {"count": count_text(len(ordered) - shown)}
        rows.append((others, sum(count for _name, count in ordered[shown:]), 0))
    says = [f"{label}: {count_text(count)} ({share_text(count / total)})" for label, count, _width in rows]
    table = Table(
        [_("Name"), _("Count"), _("Share")],
        [[label, count_text(count), share_text(count / total)] for label, count in ordered],
    )
    chart = Chart(name, title, "; ".join(says), height=len(rows) * BAR_ROW + TEXT // 2, table=table)
    for place, (label, count, width) in enumerate(rows):
        y, text = place * BAR_ROW, f"{count_text(count)} · {share_text(count / total)}"
        chart.bars.append(Bar(NAME_WIDTH, y + 5, width, BAR_ROW - 8, says[place]))
        chart.words.append(Words(NAME_WIDTH - 8, y + 17, shorten(label, NAME_CHARACTERS), "end"))
        chart.words.append(Words(NAME_WIDTH + width + 6, y + 17, text, is_muted=True))
    return chart


def draw_histogram(name: str, title: str, histogram: Histogram) -> Chart:
    """Draw upright bars over the edges of their lengths, with three lines to read the counts by."""
    bars = list(histogram.bars())
    most = max((count for count, *_rest in bars), default=0) or 1
    description = "; ".join(says for count, says, _marked in bars if count)
    chart = Chart(name, title, description, height=TOP + PLOT_HEIGHT + BOTTOM, table=histogram.table())
    for value in sorted({0, most // 2, most}):
        y = TOP + PLOT_HEIGHT - PLOT_HEIGHT * value // most
        chart.lines.append(Line(LEFT, y, WIDTH - LEFT))
        chart.words.append(Words(LEFT - 6, y + 4, count_text(value), "end", is_muted=True))
    slot = (WIDTH - LEFT) / max(1, len(bars))
    for place, (count, says, is_marked) in enumerate(bars):
        height = PLOT_HEIGHT * count // most
        x = LEFT + round(place * slot)
        chart.bars.append(Bar(x + 1, TOP + PLOT_HEIGHT - height, round(slot) - 2, height, says, is_marked))
        chart.words.append(Words(x, chart.height - TEXT, str(histogram.edges[place]), "middle", is_muted=True))
    return chart


def draw_panels(name: str, title: str, panels: Mapping[str, Histogram]) -> Chart:
    """Draw a small histogram for each name, all over the same edges, each as high as its own most frequent length."""
    rows = -(-len(panels) // PANELS_ACROSS)
    chart = Chart(name, title, ", ".join(panels), height=rows * PANEL_HEIGHT, table=_panel_table(panels))
    for place, (label, histogram) in enumerate(panels.items()):
        row, column = divmod(place, PANELS_ACROSS)
        x, y = column * PANEL_WIDTH, row * PANEL_HEIGHT
        chart.words.append(Words(x, y + TEXT, shorten(label, PANEL_NAME_CHARACTERS)))
        chart.lines.append(Line(x, y + PANEL_HEIGHT - 10, PANEL_WIDTH - 14))
        chart.bars.extend(_panel_bars(histogram, label, x, y))
    return chart


def _panel_table(panels: Mapping[str, Histogram]) -> Table | None:
    if not panels:
        return None
    first = next(iter(panels.values()))
    rows = [
        [_between(low, high), *(count_text(panel.counts[place]) for panel in panels.values())]
        for place, (low, high) in enumerate(pairwise(first.edges))
    ]
    return Table([first.unit, *panels], rows)


def _between(low: int, high: int) -> str:
    return count_text(low) if high - low == 1 else f"{count_text(low)}-{count_text(high - 1)}"


def _panel_bars(histogram: Histogram, label: str, x: int, y: int) -> Iterator[Bar]:
    plot = PANEL_HEIGHT - TEXT - 16
    most = max(histogram.counts, default=0) or 1
    slot = (PANEL_WIDTH - 14) / max(1, len(histogram.counts))
    for place, (count, says, is_marked) in enumerate(histogram.bars()):
        height = plot * count // most
        left = x + round(place * slot)
        yield Bar(left, y + PANEL_HEIGHT - 10 - height, max(1, round(slot) - 1), height, f"{label}, {says}", is_marked)
