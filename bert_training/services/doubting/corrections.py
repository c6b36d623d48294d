"""Counts for a run in how many rows of each split the answer was corrected since an earlier dataset.

Where people correct what a model doubts, the corrected test rows are easier for such models: a figure on them is not to
be set beside one on the uncorrected rows without saying so. A run keeps the counts, for its dataset may be deleted.
"""

from collections import Counter
from dataclasses import replace

from django.db import transaction

from bert_training.contract.enums import Split
from bert_training.data.splitting.manifest import LETTER_OF
from bert_training.models import SplitManifest
from bert_training.services.continuations import corrected_in
from bert_training.services.divisions import Division, unpack_letters
from bert_training.services.transactions import hold_dataset

CORRECTED = "corrected"  # in the facts of a division: {split: rows}


def with_corrections(division: Division, dataset_id: int) -> Division:
    """Return a division with the counts of this very dataset; without where they are not known (yet)."""
    facts = {name: value for name, value in division.facts.items() if name != CORRECTED}
    positions = corrected_in(dataset_id)
    return replace(division, facts=facts if positions is None else facts | _count(positions, division.letters))


@transaction.atomic
def note_corrections(dataset_id: int) -> None:
    """Tell the runs that were created before a dataset was compared with the one that it continues."""
    positions = corrected_in(dataset_id)
    if positions is None:
        return
    hold_dataset(dataset_id)  # a run that is being created sees the counts itself, or is seen here
    for manifest in SplitManifest.objects.select_for_update().filter(run__dataset=dataset_id):
        if CORRECTED not in manifest.facts:
            manifest.facts |= _count(positions, unpack_letters(manifest.letters))
            manifest.save(update_fields=["facts"])


def _count(positions: list[int], letters: str) -> dict[str, dict[str, int]]:
    counts = Counter(letters[position] for position in positions)
    return {CORRECTED: {split.value: counts[LETTER_OF[split]] for split in Split}}
