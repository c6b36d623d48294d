"""By how much one source is better than another on the same rows, and whether chance alone may have made it so."""

from bert_training.data.proof.intervals import Interval, bounded
from bert_training.data.proof.shape import Gain


def gain_over(over: str, value: float | None, interval: Interval | None) -> Gain:
    """Put a gain together. It is shown when the whole interval is above 0."""
    figure = bounded(value, interval)
    low = figure["low"]
    return {"over": over, **figure, "is_shown": low is not None and low > 0}
