"""Draws bars that are divided into parts, each as wide as all: how the rows of each name lie in training and test."""

from collections.abc import Mapping, Sequence

from bert_training.charts.bars import BAR_ROW, NAME_CHARACTERS, NAME_WIDTH
from bert_training.charts.shapes import TEXT, Bar, Chart, Table, Words, shorten
from bert_training.services.proving.figure_words import count_text, share_text

STACK_WIDTH = 340
LEGEND_ROW = 26
LEGEND_STEP = 140
SQUARE = 12

Parts = Sequence[int]


def draw_stacks(
    name: str, title: str, legend: Sequence[str], stacks: Mapping[str, Parts], *, head: str, shown: int
) -> Chart:
    """Draw one bar for each of the first names; legend: what the parts are, at most six. head: what the names are."""
    drawn = list(stacks.items())[:shown]
    table = Table([head, *legend], [[label, *map(count_text, parts)] for label, parts in stacks.items()])
    height = LEGEND_ROW + len(drawn) * BAR_ROW + TEXT // 2
    chart = Chart(name, title, " / ".join(legend), height=height, table=table)
    for place, words in enumerate(legend):
        x = NAME_WIDTH + place * LEGEND_STEP
        chart.bars.append(Bar(x, 4, SQUARE, SQUARE, words, series=place + 1))
        chart.words.append(Words(x + SQUARE + 6, 4 + TEXT - 1, words))
    for row, (label, parts) in enumerate(drawn):
        _add_stack(chart, LEGEND_ROW + row * BAR_ROW, label, parts, legend)
    return chart


def _add_stack(chart: Chart, y: int, label: str, parts: Parts, legend: Sequence[str]) -> None:
    total = sum(parts)
    chart.words.append(Words(NAME_WIDTH - 8, y + 17, shorten(label, NAME_CHARACTERS), "end"))
    chart.words.append(Words(NAME_WIDTH + STACK_WIDTH + 6, y + 17, count_text(total), is_muted=True))
    before = 0
    for place, (count, words) in enumerate(zip(parts, legend, strict=True)):
        left, right = (STACK_WIDTH * rows // (total or 1) for rows in (before, before + count))
        before += count
        if count:
            says = f"{label}, {words}: {count_text(count)} ({share_text(count / total)})"
            gap = 1 if left else 0
            chart.bars.append(
                Bar(NAME_WIDTH + left + gap, y + 5, max(1, right - left - gap), BAR_ROW - 8, says, series=place + 1)
            )
