"""What a picture is made of, for templates/charts/chart.svg, which only prints.

The same picture is shown in the page and saved as a file: it carries plain colours, which the page's style overrides.
All lengths are in units of the picture, whose width is WIDTH unless it says otherwise. A series is a number from 1 to
8: its colour in the page is --color-series-N.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

WIDTH = 640
COMPACT = 340  # width of a picture that is to be read on a telephone as well
TEXT = 12  # height of a line of text
TILE_OPACITY = 0.55  # of the darkest: words in ink keep 4.5:1 on it, light and dark
# Of series 1 to 8, in a file.
PLAIN_COLOURS = ("#0f6e90", "#c2530a", "#2c7a3f", "#7a3fb0", "#a8326e", "#6c6414", "#4a5a68", "#a3211a")


@dataclass(frozen=True)
class Bar:
    """A bar; title: what it says when it is pointed at; is_marked: in the second colour, whatever its series."""

    x: int
    y: int
    width: int
    height: int
    title: str
    is_marked: bool = False
    series: int = 1

    @property
    def shown_series(self) -> int:
        """Return which series' colour it has."""
        return 2 if self.is_marked else self.series

    @property
    def colour(self) -> str:
        """Return its colour in a file."""
        return PLAIN_COLOURS[self.shown_series - 1]


@dataclass(frozen=True)
class Words:
    """A line of text; anchor: where in the text its point is, start, middle or end."""

    x: int
    y: int
    text: str
    anchor: str = "start"
    is_muted: bool = False


@dataclass(frozen=True)
class Line:
    """A horizontal line of the grid."""

    x: int
    y: int
    width: int


@dataclass(frozen=True)
class Stroke:
    """A curve through points "x,y x,y ..."; is_dashed: a reference rather than something measured."""

    points: str
    series: int = 1
    is_dashed: bool = False

    @property
    def colour(self) -> str:
        """Return its colour in a file."""
        return PLAIN_COLOURS[self.series - 1]


@dataclass(frozen=True)
class Band:
    """An area between two curves, such as an interval: a polygon "x,y x,y ..."."""

    points: str
    series: int = 1

    @property
    def colour(self) -> str:
        """Return its colour in a file, where it is as faint as in the page."""
        return PLAIN_COLOURS[self.series - 1]


@dataclass(frozen=True)
class Dot:
    """A point; title: what it says when it is pointed at."""

    x: int
    y: int
    title: str
    series: int = 1
    radius: int = 4

    @property
    def colour(self) -> str:
        """Return its colour in a file."""
        return PLAIN_COLOURS[self.series - 1]


@dataclass(frozen=True)
class Tile:
    """A field of a matrix: the stronger its share, the darker; is_marked: in the second colour."""

    x: int
    y: int
    width: int
    height: int
    share: float
    title: str
    is_marked: bool = False

    @property
    def opacity(self) -> str:
        """Return how dark it is, so that words on it can be read."""
        return f"{TILE_OPACITY * self.share:.2f}"

    @property
    def series(self) -> int:
        """Return which series' colour it has."""
        return 2 if self.is_marked else 1

    @property
    def colour(self) -> str:
        """Return its colour in a file."""
        return PLAIN_COLOURS[self.series - 1]


@dataclass(frozen=True)
class Table:
    """The figures behind a picture, for those who cannot see it and for spreadsheets: texts as a reader reads them."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Chart:
    """A picture. name: unique on its page; title and description: what it is and says, for those who cannot see it.

    table: the figures behind it, where no table beside the picture shows them anyway.
    """

    name: str
    title: str
    description: str
    height: int
    bars: list[Bar] = field(default_factory=list)
    words: list[Words] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    bands: list[Band] = field(default_factory=list)
    strokes: list[Stroke] = field(default_factory=list)
    dots: list[Dot] = field(default_factory=list)
    tiles: list[Tile] = field(default_factory=list)
    width: int = WIDTH
    table: Table | None = None

    @property
    def is_compact(self) -> bool:
        """Tell whether its words stay legible on a telephone."""
        return self.width <= COMPACT


def shorten(text: str, characters: int) -> str:
    """Cut a name that has no room."""
    return text if len(text) <= characters else text[: characters - 1] + "…"
