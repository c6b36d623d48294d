"""The classes of a proof in words: how well each is recognised, and which are taken for which."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bert_training.data.proof.shape import ClassProof, Figure, Proof
from bert_training.services.proving.figure_words import UNKNOWN, count_text, interval_text, share_text

SHOWN_PAIRS = 10
FULL_TABLE = 12  # classes; more do not fit beside each other
NO_ENTITY = -1


@dataclass(frozen=True)
class Rate:
    """A share with its interval."""

    text: str
    interval: str


@dataclass(frozen=True)
class ShownClass:
    """One class or entity type on test. bar: its F1 as HTML attributes want numbers; "" without one."""

    name: str
    f1: Rate
    precision: Rate
    recall: Rate
    support: str
    predicted: str
    bar: str
    is_tested: bool
    is_few: bool


@dataclass(frozen=True)
class ShownPair:
    """What was taken for what: `share` of the examples of `given`."""

    given: str
    taken_for: str
    count: str
    share: str


@dataclass(frozen=True)
class Cell:
    """How often; is_right: on the diagonal."""

    text: str
    is_right: bool
    is_empty: bool


@dataclass(frozen=True)
class ConfusionTable:
    """Counts of what was given (rows) and answered (columns)."""

    heads: list[str]
    rows: list[tuple[str, list[Cell]]]


def shown_classes(proof: Proof) -> list[ShownClass]:
    """Return the classes, the weakest first; those without examples at the end."""
    return [_shown_class(entry) for entry in sorted(proof["classes"], key=_weakest_first)]


def weakest_sentence(proof: Proof) -> str:
    """Name the class on which the model is weakest, in natural frequencies."""
    tested = [entry for entry in proof["classes"] if entry["support"]]
    if len(tested) < 2:
        return ""
    weakest = min(tested, key=_weakest_first)
    found = round(weakest["support"] * (weakest["recall"]["value"] or 0.0))
    words = ngettext(
        "Weakest on “%(label)s”: of %(support)s example it found %(found)s.",
        "Weakest on “%(label)s”: of %(support)s examples it found %(found)s.",
        weakest["support"],
    )
    values = {"support": count_text(weakest["support"]), "found": count_text(found)}
    return words % {"label": weakest["name"], **values}


def confused_pairs(proof: Proof) -> list[ShownPair]:
    """Return what is most often taken for something else."""
    wrong = [entry for entry in proof["confusion"] if entry[0] != entry[1]]
    support = {place: entry["support"] for place, entry in enumerate(proof["classes"])}
    return [
        ShownPair(
            given=_name(proof, gold, _("no entity")),
            taken_for=_name(proof, predicted, _("not found")),
            count=count_text(count),
            share=share_text(count / support[gold]) if support.get(gold) else UNKNOWN,
        )
        for gold, predicted, count in sorted(wrong, key=lambda entry: (-entry[2], entry[0], entry[1]))[:SHOWN_PAIRS]
    ]


def confusion_table(proof: Proof) -> ConfusionTable | None:
    """Return the whole table of a few classes; None of many, or when nothing was tested."""
    if not proof["confusion"] or len(proof["names"]) > FULL_TABLE:
        return None
    counts = {(given, answered): count for given, answered, count in proof["confusion"]}
    places = [*range(len(proof["names"])), *([NO_ENTITY] if "entities" in proof else [])]
    return ConfusionTable(
        heads=[_name(proof, place, _("not found")) for place in places],
        rows=[
            (
                _name(proof, given, _("no entity")),
                [
                    _cell(counts.get((given, answered), 0), is_right=given == answered != NO_ENTITY)
                    for answered in places
                ],
            )
            for given in places
        ],
    )


def _weakest_first(entry: ClassProof) -> tuple[bool, float, str]:
    return (not entry["support"], entry["f1"]["value"] or 0.0, entry["name"])


def _shown_class(entry: ClassProof) -> ShownClass:
    f1 = entry["f1"]["value"]
    return ShownClass(
        name=entry["name"],
        f1=_rate(entry["f1"]),
        precision=_rate(entry["precision"]),
        recall=_rate(entry["recall"]),
        support=count_text(entry["support"]),
        predicted=count_text(entry["predicted"]),
        bar="" if f1 is None else f"{f1:.4f}",
        is_tested=bool(entry["support"]),
        is_few=entry["is_few"],
    )


def _rate(figure: Figure) -> Rate:
    return Rate(share_text(figure["value"]), interval_text(figure, share_text))


def _cell(count: int, *, is_right: bool) -> Cell:
    return Cell(count_text(count), is_right, is_empty=not count)


def _name(proof: Proof, place: int, otherwise: str) -> str:
    return otherwise if place == NO_ENTITY else proof["names"][place]
