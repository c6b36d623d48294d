"""Says in the reader's language why a run cannot be set against another, and in which rows their data differ."""

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from bert_training import access
from bert_training.models import Run
from bert_training.services.answers.same_rows import Hindrance, Refused
from bert_training.services.proving.figure_words import count_text
from bert_training.services.reproducing.reproduction import compare_for
from bert_training.services.reproducing.reproduction_words import change_sentence

SHOWN_CHANGES = 5
SENTENCES = {
    Hindrance.NOT_COMPLETED: gettext_noop("It has not been completed."),
    Hindrance.SIMULATED: gettext_noop("It is a simulation: its figures are made up."),
    Hindrance.NO_ANSWERS: gettext_noop("The portal does not have its answers row by row."),
    Hindrance.OTHER_TASK: gettext_noop("It is for another task."),
    Hindrance.OTHER_DATA: gettext_noop("It was trained and tested on other data."),
    Hindrance.OTHER_ROWS: gettext_noop("It was tested on other rows of the same data."),
}


def refusal_sentences(user: User, first: Run | None, refused: Refused) -> list[str]:
    """Say why a run is left out. first: the one that it would be set against, None where there is none."""
    sentences = [_(SENTENCES[refused.hindrance])]
    if refused.hindrance is Hindrance.OTHER_ROWS:
        sentences.append(_rows_sentence(refused))
    if refused.hindrance is Hindrance.OTHER_DATA and first is not None:
        sentences += _changes(user, first, refused.run)
    return sentences


def _rows_sentence(refused: Refused) -> str:
    words = _("%(shared)s test rows are the same; %(first)s only the first run has, %(own)s only this one.")
    counts = {"shared": refused.shared, "first": refused.first_alone, "own": refused.alone}
    return words % {name: count_text(count) for name, count in counts.items()}


def _changes(user: User, first: Run, run: Run) -> list[str]:
    """Name the first rows in which two tables differ to who may see both; the comparison of two runs finds them."""
    if not access.may_compare_rows(user, first, run):
        return []
    rows = compare_for(user, first, run).rows
    if rows is None:
        return []
    if rows["count"] > len(rows["changes"]):
        return [_("Their tables differ in %(count)s places.") % {"count": count_text(rows["count"])}]
    shown = [change_sentence(change) for change in rows["changes"][:SHOWN_CHANGES]]
    left = rows["count"] - len(shown)
    more = ngettext("%(count)s more difference", "%(count)s more differences", left) % {"count": count_text(left)}
    return [*shown, more] if left else shown
