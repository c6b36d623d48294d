"""How the lists of answers are called in the reader's language."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from bert_training.data.figures.entity_pairs import Fate
from bert_training.data.listing.entity_list import SentenceOrder
from bert_training.data.listing.label_list import Order
from bert_training.models.choices import Label
from bert_training.services.answers.row_lists import Show

SHOW_LABELS: dict[str, Label] = {
    Show.WRONG: _("wrong answers"),
    Show.RIGHT: _("right answers"),
    Show.ALL: _("all answers"),
}
ORDER_LABELS: dict[str, Label] = {
    Order.SURE: _("most confident first"),
    Order.UNSURE: _("least confident first"),
    Order.ROW: _("as in the spreadsheet"),
}
SENTENCE_ORDER_LABELS: dict[str, Label] = {
    SentenceOrder.ERRORS: _("most errors first"),
    SentenceOrder.SURE: _("most confident error first"),
    SentenceOrder.ROW: _("as in the spreadsheet"),
}
# Of one entity; counts of them have words of their own.
FATE_LABELS: dict[str, Label] = {
    Fate.RIGHT: _("right"),
    Fate.MISSED: _("missed"),
    Fate.SPURIOUS: _("spurious"),
    Fate.WRONG_TYPE: _("wrong type"),
    Fate.WRONG_BOUNDARY: _("wrong boundary"),
}


def plain_text(value: Any) -> str:
    """Return what a cell of the table holds as one text: words are joined."""
    return " ".join(value) if isinstance(value, list) else str(value)
