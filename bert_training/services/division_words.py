"""How the rows of a run are divided, in words: who decided it, and what the protection against copies did."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from bert_training.services.divisions import Protection, Source
from bert_training.services.proving.figure_words import count_text

SOURCE_WORDS = {
    Source.SHARES: gettext_noop("The portal divided the rows by the shares and the seed of the settings."),
    Source.FILES: gettext_noop("The rows are divided as the validation and test files that were sent say."),
    Source.MANIFEST: gettext_noop("The rows are divided as the uploaded manifest says."),
    Source.FOLDS: gettext_noop(
        "Cross-validation: one part of the training and validation rows is the test here; the test rows of the run "
        "that is repeated take no part."
    ),
}
PROTECTION_WORDS = {
    Protection.NEAR: gettext_noop("Texts that are equal or nearly equal, and rows of one group, are on one side."),
    Protection.EXACT: gettext_noop("Equal texts, and rows of one group, are on one side."),
}


def division_warning(facts: Mapping[str, Any]) -> str:
    """Say what the protection did not cover; "" when it covered all. facts: of a `divisions.Division`, not empty."""
    if Protection(facts["protection"]) is Protection.NEAR:
        return ""
    return _("Which texts are nearly equal is not known for this data: such copies may stand on both sides.")


def division_sentences(facts: Mapping[str, Any]) -> list[str]:
    """Say who divided the rows, and which rows moved or take no part. facts: of a `divisions.Division`, not empty."""
    groups, moved, left_out = facts["groups"], facts["moved"], facts["left_out"]
    sentences = [_(SOURCE_WORDS[Source(facts["source"])]), _(PROTECTION_WORDS[Protection(facts["protection"])])]
    if groups:
        words = ngettext("%(count)s group of rows stays together.", "%(count)s groups of rows stay together.", groups)
        sentences.append(words % {"count": count_text(groups)})
    words = ngettext(
        "The protection moved %(count)s row to another split.",
        "The protection moved %(count)s rows to another split.",
        moved,
    )
    sentences.append(words % {"count": count_text(moved)})
    if left_out:
        words = ngettext(
            "%(count)s row takes no part: its copy or its group is in validation or test.",
            "%(count)s rows take no part: their copies or groups are in validation or test.",
            left_out,
        )
        sentences.append(words % {"count": count_text(left_out)})
    return sentences
