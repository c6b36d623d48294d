"""Draws a matrix of what was given (rows) and answered (columns) as shaded fields."""

from collections.abc import Sequence
from dataclasses import dataclass

from bert_training.charts.shapes import TEXT, WIDTH, Chart, Table, Tile, Words, shorten

NAME_WIDTH = 190
NAME_CHARACTERS = 22
HEIGHT = 30
GAP = 2


@dataclass(frozen=True)
class Field:
    """text: what stands in it.  share: 0..1, how dark.  title: what it says when it is pointed at."""

    text: str
    share: float
    title: str
    is_right: bool


def draw_matrix(
    name: str, title: str, rows: Sequence[tuple[str, Sequence[Field]]], heads: Sequence[str], *, table: Table
) -> Chart:
    """Draw the fields; columns carry the numbers of the rows, as words above each other have no room. Never empty."""
    note = ", ".join(f"{place} = {head}" for place, head in enumerate(heads, start=1))
    chart = Chart(name, title, note, height=TEXT + 8 + len(rows) * HEIGHT, table=table)
    width = (WIDTH - NAME_WIDTH) // len(heads)
    for place in range(len(heads)):
        middle = NAME_WIDTH + place * width + width // 2
        chart.words.append(Words(middle, TEXT, str(place + 1), "middle", is_muted=True))
    for number, (label, fields) in enumerate(rows):
        y = TEXT + 8 + number * HEIGHT
        named = f"{number + 1} {shorten(label, NAME_CHARACTERS)}"
        chart.words.append(Words(NAME_WIDTH - 8, y + 19, named, "end"))
        for place, field in enumerate(fields):
            x = NAME_WIDTH + place * width
            chart.tiles.append(Tile(x, y, width - GAP, HEIGHT - GAP, field.share, field.title, not field.is_right))
            chart.words.append(Words(x + width // 2, y + 19, field.text, "middle"))
    return chart
