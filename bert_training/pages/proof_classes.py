"""The classes of a proof in words: how well each is recognised."""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bert_training.data.proof.shape import ClassProof, Figure, Proof
from bert_training.models import Run
from bert_training.pages.result_view import ClassOrder, ResultView
from bert_training.pages.row_links import rows_link
from bert_training.services.proving.figure_words import count_text, interval_text, share_text

SHOWN_CLASSES = 25  # first; more are searched, or asked for
ORDER_LABELS = {
    ClassOrder.F1: gettext_lazy("lowest F1 first"),
    ClassOrder.PRECISION: gettext_lazy("lowest precision first"),
    ClassOrder.RECALL: gettext_lazy("lowest recall first"),
    ClassOrder.SUPPORT: gettext_lazy("fewest examples first"),
    ClassOrder.NAME: gettext_lazy("by name"),
}


@dataclass(frozen=True)
class Rate:
    """A share with its interval. value: as scripts sort by it, "" where it is not defined."""

    text: str
    interval: str
    value: str


@dataclass(frozen=True)
class ShownClass:
    """One class or entity type on test. bar: its F1 as HTML attributes want numbers; "" without one.

    link: to its test rows.  examples, answers: support and predicted as scripts sort by them.
    """

    name: str
    link: str
    f1: Rate
    precision: Rate
    recall: Rate
    support: str
    predicted: str
    bar: str
    is_tested: bool
    is_few: bool
    examples: str
    answers: str


@dataclass(frozen=True)
class Choice:
    """An order that can be chosen."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True)
class ClassList:
    """The classes that are shown, in the chosen order. note: how many of how many, "" when they are all.

    is_long: whether there are so many that they are searched.  carried: what the form of the search carries along.
    """

    shown: list[ShownClass]
    note: str
    is_long: bool
    orders: list[Choice]
    find: str
    all_query: str
    carried: Mapping[str, str]

    @property
    def is_whole(self) -> bool:
        """Tell whether the page has them all, so that it can sort them itself."""
        return not self.note


def class_list(run: Run, proof: Proof, view: ResultView) -> ClassList:
    """Return the classes in the chosen order, of many the first; those without examples stand at the end."""
    found = [entry for entry in proof["classes"] if _plain(view.find) in _plain(entry["name"])]
    found.sort(key=ORDERS[view.order])
    shown = found if view.is_all else found[:SHOWN_CLASSES]
    note = _("%(shown)s of %(every)s") % {"shown": count_text(len(shown)), "every": count_text(len(proof["classes"]))}
    return ClassList(
        shown=[_shown_class(run, entry) for entry in shown],
        note=note if len(shown) < len(proof["classes"]) else "",
        is_long=len(proof["classes"]) > SHOWN_CLASSES,
        orders=[Choice(order.value, str(label), order == view.order) for order, label in ORDER_LABELS.items()],
        find=view.find,
        all_query=view.query(is_all=True, find=""),
        carried=view.beside("order", "find"),
    )


def weakest_sentence(proof: Proof) -> str:
    """Name the class on which the model is weakest, in natural frequencies."""
    tested = [entry for entry in proof["classes"] if entry["support"]]
    if len(tested) < 2:
        return ""
    weakest = min(tested, key=ORDERS[ClassOrder.F1])
    precision, recall = weakest["precision"]["value"] or 0.0, weakest["recall"]["value"] or 0.0
    if weakest["predicted"] and precision < recall:
        return _too_often_sentence(weakest, round(weakest["predicted"] * precision))
    words = ngettext(
        "Weakest on “%(label)s”: of %(support)s example it found %(found)s.",
        "Weakest on “%(label)s”: of %(support)s examples it found %(found)s.",
        weakest["support"],
    )
    values = {"support": count_text(weakest["support"]), "found": count_text(round(weakest["support"] * recall))}
    return words % {"label": weakest["name"], **values}


def _too_often_sentence(weakest: ClassProof, right: int) -> str:
    """Say that a label is answered where it does not belong."""
    words = ngettext(
        "Weakest on “%(label)s”: of %(answers)s such answer %(right)s is right.",
        "Weakest on “%(label)s”: of %(answers)s such answers %(right)s are right.",
        weakest["predicted"],
    )
    values = {"answers": count_text(weakest["predicted"]), "right": count_text(right)}
    return words % {"label": weakest["name"], **values}


def _lowest(rate: str) -> Callable[[ClassProof], tuple[bool, float, str]]:
    """Order by a share, the lowest first, those without examples last."""
    return lambda entry: (not entry["support"], entry[rate]["value"] or 0.0, entry["name"])  # type: ignore[literal-required]


ORDERS: dict[ClassOrder, Callable[[ClassProof], Any]] = {
    ClassOrder.F1: _lowest("f1"),
    ClassOrder.PRECISION: _lowest("precision"),
    ClassOrder.RECALL: _lowest("recall"),
    ClassOrder.SUPPORT: lambda entry: (entry["support"], entry["name"]),
    ClassOrder.NAME: lambda entry: _plain(entry["name"]),
}


def _shown_class(run: Run, entry: ClassProof) -> ShownClass:
    f1 = entry["f1"]["value"]
    return ShownClass(
        name=entry["name"],
        link=rows_link(run, given=entry["name"], show="all") if entry["support"] else "",
        f1=_rate(entry["f1"]),
        precision=_rate(entry["precision"]),
        recall=_rate(entry["recall"]),
        support=count_text(entry["support"]),
        predicted=count_text(entry["predicted"]),
        bar="" if f1 is None else f"{f1:.4f}",
        is_tested=bool(entry["support"]),
        is_few=entry["is_few"],
        examples=str(entry["support"]),
        answers=str(entry["predicted"]),
    )


def _rate(figure: Figure) -> Rate:
    value = "" if figure["value"] is None else f"{figure['value']:.6f}"
    return Rate(share_text(figure["value"]), interval_text(figure, share_text), value)


def _plain(text: str) -> str:
    """Write a name as people type it who search: small, without accents."""
    parted = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in parted if not unicodedata.combining(sign))
