"""What is taken for what: the confusion matrix as a picture whose fields lead to their rows, and its frequent pairs.

Of many classes the part that is confused most stands in the matrix; the file of its figures holds every pair.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, sqrt

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bert_training.charts.matrix import Field, draw_matrix
from bert_training.charts.shapes import Chart, Table
from bert_training.data.proof.shape import Proof
from bert_training.models import Run
from bert_training.pages.result_view import ResultView, Shares
from bert_training.pages.row_links import rows_link
from bert_training.services.doubting.doubted_labels import NO_ENTITY as NO_ENTITY_IN_ADDRESS
from bert_training.services.proving.figure_words import UNKNOWN, count_text, share_text

SHOWN_PAIRS = 10
WHOLE = 15  # classes; of more only the part that is confused most
PART = 12
SHADES = 9
NO_ENTITY = -1
CHART = "matrix"
SHARE_LABELS = {
    Shares.COUNTS: gettext_lazy("How many"),
    Shares.ROWS: gettext_lazy("Share of what was given (rows)"),
    Shares.COLUMNS: gettext_lazy("Share of what was answered (columns)"),
}


@dataclass(frozen=True)
class ShownPair:
    """What was taken for what: `share` of the examples of `given`. link: to these rows."""

    given: str
    taken_for: str
    count: str
    share: str
    link: str


@dataclass(frozen=True)
class Cell:
    """A field. shade: 0..SHADES, how dark.  link: "" where there are no rows.  title: what it says in words."""

    text: str
    shade: int
    is_right: bool
    link: str
    title: str


@dataclass(frozen=True)
class Mode:
    """What the fields can say instead. query: the address of the page that does."""

    label: str
    query: str
    is_chosen: bool


@dataclass(frozen=True)
class Matrix:
    """rows: of what was given, its name and its fields.  heads: what was answered.  note: what is left out, or "".

    query: how the address of its file says what the fields say.
    """

    heads: list[str]
    rows: list[tuple[str, list[Cell]]]
    modes: list[Mode]
    note: str
    query: str


class Confusion:
    """Counts of what was given and answered; places are indexes of names, NO_ENTITY stands for none."""

    def __init__(self, proof: Proof) -> None:
        self.proof = proof
        self.counts = Counter({(given, answered): count for given, answered, count in proof["confusion"]})
        self.given, self.answered = Counter[int](), Counter[int]()
        for (given, answered), count in self.counts.items():
            self.given[given] += count
            self.answered[answered] += count

    @cached_property
    def pairs(self) -> list[tuple[int, int]]:
        """Return what was taken for something else, the most frequent first."""
        wrong = [pair for pair in self.counts if pair[0] != pair[1]]
        return sorted(wrong, key=lambda pair: (-self.counts[pair], pair))

    @cached_property
    def places(self) -> list[int]:
        """Return which classes stand in the matrix: all, or of many those that are confused most."""
        is_whole = len(self.proof["names"]) <= WHOLE
        chosen = [*range(len(self.proof["names"]))] if is_whole else sorted(self._most_confused())
        return [*chosen, *([NO_ENTITY] if "entities" in self.proof else [])]

    def _most_confused(self) -> set[int]:
        chosen: set[int] = set()
        for pair in self.pairs:
            wanted = chosen | {*pair} - {NO_ENTITY}
            if len(wanted) <= PART:
                chosen = wanted
        return chosen

    def share(self, given: int, answered: int, shares: Shares) -> float | None:
        """Return the share of a field, of its column or of its row."""
        whole = self.answered[answered] if shares == Shares.COLUMNS else self.given[given]
        return self.counts[given, answered] / whole if whole else None

    def name(self, place: int, otherwise: str) -> str:
        """Name a class."""
        return otherwise if place == NO_ENTITY else self.proof["names"][place]

    def label(self, place: int) -> str:
        """Name a class in an address."""
        return self.name(place, NO_ENTITY_IN_ADDRESS)


def confused_pairs(run: Run, proof: Proof) -> list[ShownPair]:
    """Return what is most often taken for something else."""
    confusion = Confusion(proof)
    support = {place: entry["support"] for place, entry in enumerate(proof["classes"])}
    return [
        ShownPair(
            given=confusion.name(given, _("no entity")),
            taken_for=confusion.name(answered, _("not found")),
            count=count_text(confusion.counts[given, answered]),
            share=share_text(confusion.counts[given, answered] / support[given]) if support.get(given) else UNKNOWN,
            link=_link(run, confusion, given, answered),
        )
        for given, answered in confusion.pairs[:SHOWN_PAIRS]
    ]


def shown_matrix(run: Run, proof: Proof, view: ResultView) -> Matrix | None:
    """Return the fields of the matrix; None when nothing was tested, or nothing of many classes was confused."""
    confusion = Confusion(proof)
    if not proof["confusion"] or not confusion.places:
        return None
    rows = [
        (
            confusion.name(given, _("no entity")),
            [_cell(run, confusion, given, answered, view.shares) for answered in confusion.places],
        )
        for given in confusion.places
    ]
    modes = [Mode(str(label), view.query(shares=kind), kind == view.shares) for kind, label in SHARE_LABELS.items()]
    return Matrix(
        heads=[confusion.name(place, _("not found")) for place in confusion.places],
        rows=rows,
        modes=modes,
        note=_note(confusion),
        query=ResultView(view.shares).query(),
    )


def matrix_chart(run: Run, proof: Proof, view: ResultView) -> Chart | None:
    """Draw the same fields for a file, with every pair behind them."""
    matrix = shown_matrix(run, proof, view)
    if matrix is None:
        return None
    rows = [
        (name, [Field(cell.text, cell.shade / SHADES, cell.title, cell.is_right) for cell in cells])
        for name, cells in matrix.rows
    ]
    title = _("What is taken for what")
    return draw_matrix(
        CHART, f"{title} - {SHARE_LABELS[view.shares]}", rows, matrix.heads, table=_every_pair(Confusion(proof))
    )


def _cell(run: Run, confusion: Confusion, given: int, answered: int, shares: Shares) -> Cell:
    count, share = confusion.counts[given, answered], confusion.share(given, answered, shares)
    names = {"given": confusion.name(given, _("no entity")), "answered": confusion.name(answered, _("not found"))}
    title = _("%(given)s, answered %(answered)s: %(count)s") % {**names, "count": count_text(count)}
    return Cell(
        text=count_text(count) if shares == Shares.COUNTS else _percent(share),
        shade=ceil(SHADES * sqrt(share or 0.0)),  # of the root and rounded up: errors are few, and a single one is seen
        is_right=given == answered != NO_ENTITY,
        link=_link(run, confusion, given, answered) if count else "",
        title=title if share is None else f"{title} ({share_text(share)})",
    )


def _percent(share: float | None) -> str:
    """Write a share without decimals, which have no room; a few are never written as none."""
    if share is None:
        return UNKNOWN
    return _("<1%%") % {} if 0 < share < 0.005 else f"{number_format(round(100 * share))}%"


def _link(run: Run, confusion: Confusion, given: int, answered: int) -> str:
    kind = "right" if given == answered else "wrong"
    if "entities" in confusion.proof:
        kind = "all"  # a field of types holds entities with wrong borders as well
    return rows_link(run, given=confusion.label(given), answered=confusion.label(answered), show=kind)


def _note(confusion: Confusion) -> str:
    shown = sum(place != NO_ENTITY for place in confusion.places)
    every = len(confusion.proof["names"])
    if shown == every:
        return ""
    words = _("Of %(every)s labels the %(shown)s that are confused most. The saved figures hold every pair.")
    return words % {"every": count_text(every), "shown": count_text(shown)}


def _every_pair(confusion: Confusion) -> Table:
    heads = [_("In the spreadsheet"), _("Answer of the model"), _("How often"), _("Share of what was given")]
    ordered: Sequence[tuple[int, int]] = sorted(confusion.counts, key=lambda pair: (-confusion.counts[pair], pair))
    rows = [
        [
            confusion.name(given, _("no entity")),
            confusion.name(answered, _("not found")),
            count_text(confusion.counts[given, answered]),
            share_text(confusion.share(given, answered, Shares.ROWS)),
            share_text(confusion.share(given, answered, Shares.COLUMNS)),
        ]
        for given, answered in ordered
    ]
    return Table([*heads, _("Share of what was answered")], rows)
