"""How well a run does on parts of its test rows: by the length of the texts, or by what another column holds.

A part of few rows has a wide interval and may be chance; parts are cut without looking at the answers.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bert_training.data.figures.judgement import Judgement
from bert_training.data.predicting.predictions import Predictions
from bert_training.data.proof.judged import judge
from bert_training.data.proof.prove import FEW
from bert_training.data.proof.shape import Slice

PARTS = 4  # of numbers: quartiles
MOST_VALUES = 20  # that stand alone; the rarer ones are one part
ALIKE = 0.95  # of the values, from which on a column is one of numbers or dates
REPLICATES = 1_000  # half of a proof's: the third digit of an interval is not shown

_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)?")
_DATE = re.compile(r"(?:(\d{4})-\d{2}-\d{2}|\d{1,2}/\d{1,2}/(\d{4}))(?:[ T].*)?")

Groups = NDArray[np.int64]
Name = dict[str, Any]  # the fields of a Slice that say what it is


def cut_numbers(values: Sequence[float]) -> tuple[list[Name], Groups]:
    """Cut into quartiles, fewer where many are equal. Returns their names, and the part of each value."""
    numbers = np.asarray(values, dtype=np.float64)
    borders = np.unique(np.quantile(numbers, np.arange(1, PARTS) / PARTS))
    groups = np.unique(np.searchsorted(borders, numbers, side="left"), return_inverse=True)[1].reshape(-1)
    names = [_range(numbers[groups == part]) for part in range(int(groups.max()) + 1)]
    return names, groups.astype(np.int64)


def cut_texts(texts: Sequence[str]) -> tuple[list[Name], Groups]:
    """Cut by what stands there: numbers into quartiles, dates by year, all else by value. "" is a part of its own."""
    values = [text.strip() for text in texts]
    filled = [value for value in values if value]
    if len(set(filled)) > MOST_VALUES:
        if _share(_NUMBER, filled) >= ALIKE:
            return _cut_some_numbers(values)
        if _share(_DATE, filled) >= ALIKE:
            values = [_year(value) for value in values]
    return _cut_values(values)


def slice_figures(
    predictions: Predictions,
    parts: tuple[list[Name], Groups],
    *,
    judgement: Judgement[Any],
    names: list[str],
    metrics: Sequence[str],
    seed: int,
) -> list[Slice]:
    """Judge each part on its own rows. parts: of each row of the predictions."""
    slices: list[Slice] = []
    for place, name in enumerate(parts[0]):
        taken = predictions.take(np.flatnonzero(parts[1] == place))
        judged = judge([taken], judgement=judgement, names=names, seed=seed, replicates=REPLICATES)[0]
        found = judged.with_intervals()
        slices.append(
            {
                **name,  # type: ignore[typeddict-item]
                "rows": len(taken.rows),
                "is_few": judged.counts.unit_count < FEW,
                "figures": {metric: found[metric] for metric in metrics if metric in found},
            }
        )
    return slices


def _range(numbers: NDArray[np.float64]) -> Name:
    return {"kind": "range", "value": "", "low": float(numbers.min()), "high": float(numbers.max()), "values": 0}


def _named(kind: str, value: str = "", values: int = 0) -> Name:
    return {"kind": kind, "value": value, "low": 0.0, "high": 0.0, "values": values}


def _cut_some_numbers(values: Sequence[str]) -> tuple[list[Name], Groups]:
    """Cut those that are numbers; the others are the last part."""
    numbers = [float(value.replace(",", ".")) if _NUMBER.fullmatch(value) else np.nan for value in values]
    is_number = np.isfinite(numbers)
    names, found = cut_numbers(np.asarray(numbers)[is_number].tolist())
    groups = np.full(len(values), len(names), dtype=np.int64)
    groups[is_number] = found
    return (names if is_number.all() else [*names, _named("rest")]), groups


def _cut_values(values: Sequence[str]) -> tuple[list[Name], Groups]:
    """Give each of the most frequent values a part, in their order; then the rarer ones, then the blank ones."""
    counts = Counter(value for value in values if value)
    frequent = [value for value, _count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST_VALUES]]
    ordered = sorted(frequent, key=_in_order)
    names = [_named("value", value) for value in ordered]
    place_of = {value: place for place, value in enumerate(ordered)}
    rare = len(counts) - len(ordered)
    if rare:
        place_of |= dict.fromkeys(counts.keys() - place_of.keys(), len(names))
        names.append(_named("others", values=rare))
    if "" in values:
        place_of[""] = len(names)
        names.append(_named("blank"))
    return names, np.array([place_of[value] for value in values], dtype=np.int64)


def _in_order(value: str) -> list[tuple[int, str]]:
    """Order as people do: "vara 2" before "vara 10"."""
    parts = re.split(r"(\d{1,15})", value)
    return [(int(part) if part.isdecimal() else -1, part) for part in parts]


def _share(pattern: re.Pattern[str], values: Sequence[str]) -> float:
    return sum(pattern.fullmatch(value) is not None for value in values) / max(1, len(values))


def _year(value: str) -> str:
    found = _DATE.fullmatch(value)
    return (found[1] or found[2]) if found else value
