"""ROC and precision-recall curves of a proof: each class against the rest, of many classes the weakest."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from bert_training.charts.curves import Axis, Curve, draw_curves
from bert_training.charts.shapes import COMPACT, Chart, Table, shorten
from bert_training.data.proof.shape import Proof
from bert_training.pages.proof_charts import whole_percent
from bert_training.services.proving.figure_words import share_text

SERIES = 6  # colours that can be told apart
NAME_CHARACTERS = 38  # in the legend
# Where the table reads the curves: it is legible, and has one row a class.
FALSE_SHARES = (0.01, 0.05, 0.1, 0.2)
RECALLS = (0.5, 0.8, 0.9, 0.95)

Points = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Kind:
    """A kind of curve. name: its field in the proof.  heads, read: of the table, and the cells from a class's points.

    references: curves to compare with.
    """

    name: str
    title: str
    across: str
    up: str
    heads: Sequence[str]
    read: Callable[[Points], list[float]]
    references: Sequence[Curve] = field(default_factory=list)


def roc_chart(proof: Proof) -> Chart | None:
    """Draw how many of each class are found over how many others are taken for it by mistake."""
    head = _("found when %(share)s of the others are taken for it")
    chance = Curve(_("chance"), [(0.0, 0.0), (1.0, 1.0)], SERIES, is_reference=True)
    kind = Kind(
        name="roc",
        title=_("ROC curves"),
        across=_("Others taken for it by mistake"),
        up=_("Found (recall)"),
        heads=[head % {"share": whole_percent(share)} for share in FALSE_SHARES],
        read=lambda points: [found_at(points, share) for share in FALSE_SHARES],
        references=[chance],
    )
    return _draw(proof, kind)


def precision_chart(proof: Proof) -> Chart | None:
    """Draw how often an answer is right over how many of the class are found."""
    head = _("right when %(share)s are found")
    kind = Kind(
        name="pr",
        title=_("Precision-recall curves"),
        across=_("Found (recall)"),
        up=_("Right when answered (precision)"),
        heads=[head % {"share": whole_percent(share)} for share in RECALLS],
        read=lambda points: [precision_at(points, share) for share in RECALLS],
    )
    return _draw(proof, kind)


def found_at(points: Points, false_share: float) -> float:
    """Return the greatest y that is reached without going beyond this x."""
    return max(y for x, y in points if x <= false_share + 1e-9)


def precision_at(points: Points, recall: float) -> float:
    """Return the greatest y among those that reach this x."""
    return max(y for x, y in points if x >= recall - 1e-9)


def _draw(proof: Proof, kind: Kind) -> Chart | None:
    curves = proof["curves"].get(kind.name, {})
    weakest = sorted(proof["classes"], key=lambda entry: (entry["f1"]["value"] or 0.0, entry["name"]))
    names = [entry["name"] for entry in weakest if entry["name"] in curves]
    if not names:
        return None
    drawn = names[: SERIES - len(kind.references)]
    lines = [
        Curve(shorten(name, NAME_CHARACTERS), [(x, y) for x, y in curves[name]], series)
        for series, name in enumerate(drawn, start=1)
    ]
    return draw_curves(
        kind.name,
        kind.title,
        [*lines, *kind.references],
        across=Axis(kind.across, text=whole_percent),
        up=Axis(kind.up, text=whole_percent),
        table=Table([_("Label"), *kind.heads], [[name, *map(share_text, kind.read(curves[name]))] for name in names]),
        width=COMPACT,
    )
