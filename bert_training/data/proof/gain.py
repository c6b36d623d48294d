"""By how much one source is better than another on the same rows, and whether chance alone may have made it so."""

from bert_training.data.proof.intervals import bounded, spread
from bert_training.data.proof.judged import Judged
from bert_training.data.proof.row_figures import LOWER_IS_BETTER, reach_of
from bert_training.data.proof.shape import Gain
from bert_training.data.proof.shares import Interval


def gain(first: Judged, second: Judged, metric: str) -> Gain:
    """Return by how much the first is better than the second, which was judged beside it."""
    mine, theirs = first.figures.get(metric), second.figures.get(metric)
    if mine is None or theirs is None:
        return no_gain(second.predictions.source.value)
    value = theirs - mine if metric in LOWER_IS_BETTER else mine - theirs
    figure = bounded(value, _interval(first, second, metric, value))
    is_shown = figure["low"] is not None and figure["low"] > 0
    return {"over": second.predictions.source.value, **figure, "is_shown": is_shown}


def no_gain(over: str) -> Gain:
    """Say that two sources cannot be compared."""
    return {"over": over, "value": None, "low": None, "high": None, "is_shown": False}


def _interval(first: Judged, second: Judged, metric: str, value: float) -> Interval | None:
    """Bound a difference by what it is in each replicate, in which both drew the same units, or by their terms."""
    mine, theirs = first.intervals, second.intervals
    if metric in mine.replicates:
        return spread(value, mine.replicates[metric] - theirs.replicates[metric])
    if metric not in mine.rows.terms or metric not in theirs.rows.terms:
        return None
    reach = reach_of(mine.rows.terms[metric] - theirs.rows.terms[metric])
    return None if reach is None else (value - reach, value + reach)
