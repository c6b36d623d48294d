"""Judges a prediction as it comes in, before it is stored: a worker that is not ours shall keep neither texts nor
gigabytes here. Whether it is what the network answered is judged later, by the digest of all.
"""

import binascii
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from bert_training.contract.enums import PredictionSource
from bert_training.contract.streams import PredictionRow
from bert_training.data.doubting.entity_doubts import NOTHING


@dataclass(frozen=True)
class Bounds:
    """What can be true of the predictions on a dataset. names: its labels or entity types.  words: of its longest row.

    classes: how many labels a text may have; ids are below it.
    """

    names: frozenset[str]
    classes: int
    words: int

    def with_nothing(self) -> Self:
        """Return the bounds of what a doubt suggests: that there is no entity is of type NOTHING."""
        return replace(self, names=self.names | {NOTHING})


def bounds_of(summary: Mapping[str, Any]) -> Bounds:
    """Return the bounds that follow from a dataset's summary (TaskSpec.summarize)."""
    labels = summary.get("labels", {})
    tags = {tag.partition("-")[2] for tag in summary.get("tags", {}) if "-" in tag}
    return Bounds(frozenset({*labels, *tags}), len(labels), summary.get("lengths", {}).get("max", 0))


def wrong_field(row: PredictionRow, bounds: Bounds) -> str:
    """Name the field of a prediction that cannot be true; "" = none."""
    if isinstance(row.gold, int) and isinstance(row.predicted, int):
        return _wrong_label_field(row.gold, row.predicted, row.p, bounds)
    if isinstance(row.gold, int) or isinstance(row.predicted, int):
        return "predicted"
    suggested = bounds.with_nothing() if row.source == PredictionSource.SUSPECT else bounds
    counts = {"words": row.words, "right": row.right, "invalid": row.invalid, "unseen": row.unseen}
    wrong = {name: count > bounds.words for name, count in counts.items()}
    wrong |= {
        "gold": not all(len(found) == 3 and _is_entity(found, bounds) for found in row.gold),
        "predicted": not all(_is_scored_entity(found, suggested) for found in row.predicted),
        "p": bool(row.p),
    }
    return next((name for name, is_wrong in wrong.items() if is_wrong), "")


def _wrong_label_field(gold: int, predicted: int, p: str, bounds: Bounds) -> str:
    if gold >= bounds.classes:
        return "gold"
    if predicted >= bounds.classes:
        return "predicted"
    return "" if not p or _are_probabilities(p, bounds.classes) else "p"


def _are_probabilities(p: str, classes: int) -> bool:
    """Tell whether this is a float16 for each class; NaN is one: what a network answers that knows nothing."""
    try:
        stated = b64decode(p, validate=True)
    except (binascii.Error, ValueError):
        return False
    if len(stated) != 2 * classes:
        return False
    values = np.frombuffer(stated, dtype="<f2")
    return bool((((values >= 0) & (values <= 1)) | np.isnan(values)).all())


def _is_entity(found: Sequence[Any], bounds: Bounds) -> bool:
    """Tell whether this begins with [start, end, type] of a known type within a row."""
    start, end, kind = found[:3]
    is_place = type(start) is int and type(end) is int and 0 <= start < end <= bounds.words
    return is_place and kind in bounds.names


def _is_scored_entity(found: Sequence[Any], bounds: Bounds) -> bool:
    if len(found) != 4 or not _is_entity(found, bounds):
        return False
    score = found[3]
    return isinstance(score, int | float) and (0 <= score <= 1)
