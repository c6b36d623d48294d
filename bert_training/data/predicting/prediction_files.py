"""Predictions of a run as one Parquet file, a row a line, which plain pandas reads."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bert_training.contract.enums import PredictionSource, Split
from bert_training.data.predicting.predictions import EntityAnswers, LabelAnswers, Predictions, merge

GROUP_ROWS = 65_536
COUNTS = ("words", "right", "invalid", "unseen")
SPAN = [("start", pa.int32()), ("end", pa.int32()), ("type", pa.string())]
HEAD = [("source", pa.string()), ("split", pa.string()), ("row", pa.int64()), ("unit", pa.int64())]
LABEL_SCHEMA = pa.schema(
    [*HEAD, ("gold", pa.int64()), ("predicted", pa.int64()), ("probabilities", pa.list_(pa.float16()))]
)
ENTITY_SCHEMA = pa.schema(
    [
        *HEAD,
        ("gold", pa.list_(pa.struct(SPAN))),
        ("predicted", pa.list_(pa.struct([*SPAN, ("score", pa.float64())]))),
        *((name, pa.int64()) for name in COUNTS),
    ]
)


def write_predictions(predictions: Sequence[Predictions], path: Path) -> None:
    """Write them, all of one kind of answers; each row group of the file is of one source and split."""
    is_label = any(isinstance(part.answers, LabelAnswers) for part in predictions)
    schema = LABEL_SCHEMA if is_label else ENTITY_SCHEMA
    with pq.ParquetWriter(path, schema, compression="zstd", version="2.6", store_schema=False) as writer:
        for part in predictions:
            for start in range(0, len(part.rows), GROUP_ROWS):
                group = part.take(np.arange(start, min(start + GROUP_ROWS, len(part.rows))))
                writer.write_table(pa.table(_columns(group), schema=schema))


def read_predictions(path: Path) -> list[Predictions]:
    """Read what `write_predictions` wrote, joined by source and split."""
    return merge(list(read_groups(path)))


def read_part(path: Path, source: PredictionSource, split: Split) -> list[Predictions]:
    """Read what one source answered for one split, piece by piece; of all others only whose they are."""
    with pq.ParquetFile(path) as file:
        places = [place for place in range(file.num_row_groups) if _whose(file, place) == (source, split)]
        return [_read_group(file.read_row_group(place, use_threads=False)) for place in places]


def read_rows_of(path: Path, source: PredictionSource, split: Split) -> list[int]:
    """Read for which rows of a split one source has an answer, and nothing else."""
    with pq.ParquetFile(path) as file:
        places = [place for place in range(file.num_row_groups) if _whose(file, place) == (source, split)]
        groups = [file.read_row_group(place, ["row"], use_threads=False)["row"].to_pylist() for place in places]
    return [row for rows in groups for row in rows]


def read_groups(path: Path) -> Iterator[Predictions]:
    """Read the same piece by piece, at most GROUP_ROWS rows at once."""
    with pq.ParquetFile(path) as file:
        for place in range(file.num_row_groups):
            yield _read_group(file.read_row_group(place, use_threads=False))


def _whose(file: pq.ParquetFile, place: int) -> tuple[str, str]:
    head = file.read_row_group(place, ["source", "split"], use_threads=False)
    return head["source"][0].as_py(), head["split"][0].as_py()


def _columns(part: Predictions) -> dict[str, Any]:
    head = {
        "source": [part.source.value] * len(part.rows),
        "split": [part.split.value] * len(part.rows),
        "row": part.rows,
        "unit": part.units,
    }
    answers = part.answers
    return head | (_label_columns(answers) if isinstance(answers, LabelAnswers) else _entity_columns(answers))


def _label_columns(answers: LabelAnswers) -> dict[str, Any]:
    count, classes = answers.probabilities.shape
    ends = np.arange(count + 1, dtype=np.int32) * classes
    values = pa.array(np.ascontiguousarray(answers.probabilities).reshape(-1), type=pa.float16())
    return {
        "gold": answers.gold,
        "predicted": answers.predicted,
        "probabilities": pa.ListArray.from_arrays(pa.array(ends), values),
    }


def _entity_columns(answers: EntityAnswers) -> dict[str, Any]:
    names = ("type", "start", "end", "score")
    return {
        "gold": [[dict(zip(names[:3], entity, strict=True)) for entity in found] for found in answers.gold],
        "predicted": [[dict(zip(names, entity, strict=True)) for entity in found] for found in answers.predicted],
        **{name: getattr(answers, name) for name in COUNTS},
    }


def _read_group(table: pa.Table) -> Predictions:
    source, split = PredictionSource(table["source"][0].as_py()), Split(table["split"][0].as_py())
    answers = _labels(table) if "probabilities" in table.column_names else _entities(table)
    return Predictions(source, split, table["row"].to_numpy(), table["unit"].to_numpy(), answers)


def _labels(table: pa.Table) -> LabelAnswers:
    stated = (
        table["probabilities"].combine_chunks().values.to_numpy(zero_copy_only=False).astype(np.float16, copy=False)
    )
    return LabelAnswers(table["gold"].to_numpy(), table["predicted"].to_numpy(), stated.reshape(table.num_rows, -1))


def _entities(table: pa.Table) -> EntityAnswers:
    gold = [[(span["type"], span["start"], span["end"]) for span in found] for found in table["gold"].to_pylist()]
    predicted = [
        [(span["type"], span["start"], span["end"], span["score"]) for span in found]
        for found in table["predicted"].to_pylist()
    ]
    return EntityAnswers(gold, predicted, *(table[name].to_numpy() for name in COUNTS))
