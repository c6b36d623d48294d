"""The numbered streams of an attempt: log lines, figures, predictions. Their messages, as those of contract.messages.

A number is the record's place in its stream, from 1: the portal takes the next one only, whatever was sent before.
"""

import math
from typing import Annotated, Literal, Self

from pydantic import Field, WithJsonSchema

from bert_training.contract.enums import Directive, LogLevel, PredictionSource, Split
from bert_training.contract.limits import (
    CLASSES,
    ENTITIES_PER_ROW,
    LINES_PER_BATCH,
    METRIC_NAMES_PER_RUN,
    POINTS_PER_BATCH,
    PREDICTIONS_PER_BATCH,
)
from bert_training.contract.messages import AttemptNumber, Count, FiniteNumber, Identifier, Message, MetricName

# As an enum of one: the description of the API knows no constants.
PointSplit = Split | Annotated[Literal["hardware"], WithJsonSchema({"type": "string", "enum": ["hardware"]})]


class LogLine(Message):
    """One line; level and ts are taken leniently by the portal, so that a stream never blocks."""

    ts: str
    level: str = LogLevel.INFO.value
    message: str


class LogBatch(Message):
    job_id: Identifier
    attempt: AttemptNumber
    first_seq: Annotated[int, Field(ge=1, le=2**62)]
    lines: Annotated[list[LogLine], Field(max_length=LINES_PER_BATCH)]


class LogPost(LogLine):
    """A batch of one: the form of source 000."""

    job_id: Identifier
    attempt: AttemptNumber
    seq: Annotated[int, Field(ge=1, le=2**62)]


class MetricPoint(Message):
    """Figures at one step. A value that is not finite travels as null and its name in `nonfinite`.

    split: whose figures they are; those of the computer are sent only where the claim said `wants_hardware`.
    """

    epoch: Count
    step: Count
    split: PointSplit
    values: Annotated[dict[MetricName, FiniteNumber | None], Field(max_length=METRIC_NAMES_PER_RUN)]
    nonfinite: Annotated[list[MetricName], Field(max_length=METRIC_NAMES_PER_RUN)] = []

    @classmethod
    def of(cls, *, epoch: int, step: int, split: PointSplit, values: dict[str, float]) -> Self:
        """Build a point from figures that may be NaN or infinite."""
        finite = {name: float(value) if math.isfinite(value) else None for name, value in values.items()}
        nonfinite = [name for name, value in finite.items() if value is None]
        return cls(epoch=epoch, step=step, split=split, values=finite, nonfinite=nonfinite)


class MetricBatch(Message):
    job_id: Identifier
    attempt: AttemptNumber
    first_seq: Annotated[int, Field(ge=1, le=2**62)]
    points: Annotated[list[MetricPoint], Field(max_length=POINTS_PER_BATCH)]


class PredictionRow(Message):
    """What one source answered for one row; see data.predictions. The text itself is never sent.

    gold, predicted: a label id; for entities lists of [start, end, type], and [start, end, type, score].
    p: base64 of little-endian float16, one a class; "" of who has none.  words ... unseen: for entities only.
    """

    row: Count
    split: Split
    source: PredictionSource = PredictionSource.NETWORK
    unit: Count
    gold: Count | Annotated[list[list[int | str]], Field(max_length=ENTITIES_PER_ROW)]
    predicted: Count | Annotated[list[list[int | str | float]], Field(max_length=ENTITIES_PER_ROW)]
    p: Annotated[str, Field(max_length=4 * CLASSES)] = ""
    words: Count = 0
    right: Count = 0
    invalid: Count = 0
    unseen: Count = 0


class PredictionBatch(Message):
    """Rows first_seq, first_seq + 1 ... of the stream of an attempt; the job stands in the address."""

    attempt: AttemptNumber
    first_seq: Annotated[int, Field(ge=1, le=2**62)]
    rows: Annotated[list[PredictionRow], Field(max_length=PREDICTIONS_PER_BATCH)]


class StreamAnswer(Message):
    next_seq: int
    directive: Directive
