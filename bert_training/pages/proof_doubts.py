"""The doubted labels of a run on its page: how many, and the first of them; pages/doubted_labels.py lists them all."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bert_training.data.proof.shape import LabelErrors
from bert_training.models.choices import SPLIT_LABELS
from bert_training.pages.words import Fact
from bert_training.services.doubting.doubted_labels import label_text, source_sentence, suggestion_text
from bert_training.services.profile_words import row_names
from bert_training.services.proving.figure_words import count_text, share_text

SHOWN_SUSPECTS = 10


@dataclass(frozen=True)
class ShownSuspect:
    """A row whose label is doubted."""

    row: str
    split: str
    given: str
    suggested: str
    doubt: str


@dataclass(frozen=True)
class ShownDoubts:
    """The doubted labels. counts: by split.  first: the most doubtful."""

    sentence: str
    source: str
    counts: list[Fact]
    first: list[ShownSuspect]


def shown_doubts(found: LabelErrors | None) -> ShownDoubts | None:
    """Count the doubted labels and show the first; None where nobody has looked."""
    if found is None:
        return None
    count = sum(found["counts"].values())
    words = ngettext(
        "%(count)s of %(judged)s rows has a label that is doubted.",
        "%(count)s of %(judged)s rows have a label that is doubted.",
        count,
    )
    if not count:
        words = _("None of %(judged)s rows has a label that is doubted.")
    return ShownDoubts(
        sentence=words % {"count": count_text(count), "judged": count_text(found["judged"])},
        source=source_sentence(found),
        counts=[
            Fact(str(label), count_text(found["counts"][split]))
            for split, label in SPLIT_LABELS.items()
            if split in found["counts"]
        ],
        first=[
            ShownSuspect(
                row=row_names([entry["row"]]),
                split=str(SPLIT_LABELS.get(entry["split"], entry["split"])),
                given=label_text(entry["given"]),
                suggested=suggestion_text(entry["given"], entry["suggested"]),
                doubt=share_text(entry["doubt"]),
            )
            for entry in found["suspects"][:SHOWN_SUSPECTS]
        ],
    )
