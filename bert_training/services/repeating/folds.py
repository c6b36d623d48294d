"""Divides the training and validation rows of a run into parts, one division for each part that is tested once.

The run's own test rows stay aside: they are in no split of any of these divisions.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from bert_training.contract.enums import ErrorCode, Split
from bert_training.data.splitting.folds import fold_rows, splits_of_fold
from bert_training.data.splitting.manifest import LETTER_OF, SPLIT_OF, split_digest
from bert_training.data.splitting.split import Splits
from bert_training.models import Run
from bert_training.services.divisions import Division, Grounds, Source, division_of, grounds_of
from bert_training.services.errors import InvalidRun


def fold_divisions(run: Run, count: int) -> list[Division]:
    """Return one division a part. 132,373 rows and ten parts take about 6 s.

    Raises InvalidRun where the rows are too few or belong together too much, DatasetNotReady, DatasetGone.
    """
    splits = [SPLIT_OF[letter] for letter in division_of(run).letters]
    taken = [index for index, split in enumerate(splits) if split in (Split.TRAIN, Split.VALIDATION)]
    grounds = grounds_of(run.dataset)
    strata, units = [grounds.strata[index] for index in taken], [grounds.units[index] for index in taken]
    _require_units(len(set(units)), count)
    seed = int(run.hyperparameters["seed"])
    share = splits.count(Split.TRAIN) / len(taken)
    folds = fold_rows(strata, count, seed=seed, units=units)
    parts = [splits_of_fold(strata, folds, fold, train_share=share, seed=seed, units=units) for fold in range(count)]
    facts = {
        "source": Source.FOLDS.value,
        "protection": grounds.protection.value,
        "groups": sum(1 for rows in Counter(units).values() if rows > 1),
        "moved": 0,
        "left_out": 0,
        "folds": count,
        "aside": splits.count(Split.TEST),
    }
    return [_division(grounds, taken, part, facts | {"fold": fold}) for fold, part in enumerate(parts, start=1)]


def _division(grounds: Grounds, taken: Sequence[int], part: Splits, facts: dict[str, Any]) -> Division:
    """Put the splits of the rows that take part at their places in the table."""
    splits: Splits = [None] * len(grounds.rows)
    for index, split in zip(taken, part, strict=True):
        splits[index] = split
    counts = Counter(part)
    return Division(
        letters="".join(LETTER_OF[split] for split in splits),
        digest=split_digest(grounds.rows, splits),
        facts={**facts, "rows": {split.value: counts[split] for split in Split}},
    )


def _require_units(units: int, count: int) -> None:
    """Refuse what leaves a part empty, or a network without rows to learn from or to choose its best state by."""
    if units >= count:
        return
    message = _(
        "The training and validation rows cannot be divided into %(count)s parts: rows that must stay together leave "
        "only %(units)s. Ask for fewer parts."
    )
    message %= {"count": count, "units": units}
    raise InvalidRun(ErrorCode.INVALID_FIELD, message, errors=[{"path": "count", "message": message}])
