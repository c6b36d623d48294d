"""Says on the page of a dataset which earlier one it continues and what has changed since."""

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bert_training import access
from bert_training.contract.enums import JobStatus, ShareLevel
from bert_training.models import Dataset, DatasetProfile, Run
from bert_training.services.proving.figure_words import count_text

SHOWN_RUNS = 3


@dataclass(frozen=True)
class ShownContinuation:
    """The earlier dataset, and what has changed, in words. runs: of the earlier one, to be repeated on this one."""

    pk: int
    name: str
    changes: str
    runs: list[Run]


def shown_continuation(user: User, dataset: Dataset) -> ShownContinuation | None:
    """Return what to say; nothing when the dataset continues none that this person may see."""
    if "continues" not in dataset.summary:
        return None
    profile = DatasetProfile.objects.filter(dataset=dataset).only("content").first()
    counts = profile.content.get("continues") if profile else None
    if not counts:
        return None
    earlier = access.datasets_visible_to(user).filter(pk=counts["dataset"]).only("name").first()
    if earlier is None:
        return None
    runs = access.runs_visible_to(user, ShareLevel.USE).filter(repeat_of=None, dataset=earlier)
    runs = runs.filter(status=JobStatus.COMPLETED).order_by("-pk")
    return ShownContinuation(earlier.pk, earlier.name, _changes(counts), list(runs.only("name")[:SHOWN_RUNS]))


def _changes(counts: dict[str, int]) -> str:
    changed, deleted = counts["text_changed"], counts["deleted"]
    answers, added = counts["answer_changed"], counts["added"]
    said = [
        (changed, ngettext("%(count)s text changed", "%(count)s texts changed", changed)),
        (answers, ngettext("%(count)s answer changed", "%(count)s answers changed", answers)),
        (deleted, ngettext("%(count)s row deleted", "%(count)s rows deleted", deleted)),
        (added, ngettext("%(count)s row added", "%(count)s rows added", added)),
    ]
    words = [words % {"count": count_text(count)} for count, words in said if count]
    return ", ".join(words) or _("nothing changed")
