"""How well a run does on parts of its test rows, computed from its stored files in a child process.

By a column means one that no run trains on: only the person's own file holds it, which is a stranger's file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from bert_training.contract.enums import PredictionSource, Split
from bert_training.data.cells import is_blank, to_text
from bert_training.data.checks import DatasetRefused, Problem
from bert_training.data.columns import match_columns
from bert_training.data.parquet import read_table
from bert_training.data.predicting.prediction_files import read_predictions
from bert_training.data.predicting.predictions import Predictions
from bert_training.data.process_limits import ProcessLimits
from bert_training.data.proof.shape import Slice
from bert_training.data.proof.slices import Groups, Name, cut_numbers, cut_texts, slice_figures
from bert_training.data.reading.sheet import Sheet
from bert_training.data.sandbox import run_in_sandbox
from bert_training.data.table import PART_STRIDE, PARTS, ROW
from bert_training.data.writing.own_columns import without_own
from bert_training.tasks import TASKS
from bert_training.tasks.intake import CheckRequest, SourceFile
from bert_training.tasks.rows_beside import read_asked

SLICING_LIMITS = ProcessLimits(cpu_seconds=15, wall_seconds=20.0)  # while somebody waits
VALUE_CHARACTERS = 60


class Slicing(TypedDict):
    """What is asked. column: a header of the person's file; None = by the length of the texts."""

    task: str
    names: list[str]
    metrics: list[str]
    seed: int
    column: str | None


class Sliced(TypedDict):
    """columns: headers by which rows can be told apart, where the file was read.  is_found: whether the column is."""

    columns: list[str]
    slices: list[Slice]
    is_found: bool


def slice_by_length_in_sandbox(predictions: Path, table: Path, question: Slicing) -> list[Slice]:
    """Judge quartiles of the lengths in words. table: the canonical one. Raises DatasetRefused, SandboxFailed."""
    arguments = {"predictions": str(predictions.resolve()), "table": str(table.resolve()), "question": question}
    slices: list[Slice] = run_in_sandbox(f"{__name__}.slice_by_length", arguments, limits=SLICING_LIMITS)
    return slices


def slice_by_column_in_sandbox(
    predictions: Path, sources: Mapping[Split, SourceFile], request: CheckRequest, question: Slicing
) -> Sliced:
    """Judge the rows by what a column of the person's file holds. Raises DatasetRefused, SandboxFailed."""
    arguments = {
        "predictions": str(predictions.resolve()),
        "sources": {split.value: [str(file.path.resolve()), file.display_name] for split, file in sources.items()},
        "request": asdict(request),
        "question": question,
    }
    answer = run_in_sandbox(f"{__name__}.slice_by_column", arguments, limits=SLICING_LIMITS)
    if "refused" in answer:
        raise DatasetRefused(Problem(**answer["refused"]))
    sliced: Sliced = answer
    return sliced


def slice_by_length(predictions: str, table: str, question: Slicing) -> list[Slice]:
    """Run in the child: count the words of each text."""
    tested = _tested(Path(predictions))
    if tested is None:
        return []
    columns = read_table(Path(table))
    lengths = [len(text.split()) for text in TASKS[question["task"]].texts(columns)]
    length_of = dict(zip(columns[ROW], lengths, strict=True))
    return _judged(tested, cut_numbers([length_of.get(row, 0) for row in tested.rows.tolist()]), question)


def slice_by_column(
    predictions: str, sources: Mapping[str, Sequence[str]], request: dict[str, Any], question: Slicing
) -> Sliced | dict[str, Any]:
    """Run in the child: read the person's file again; returns the problem for which it cannot be, if there is one."""
    asked, task_columns = CheckRequest(**request), TASKS[question["task"]].columns
    columns: dict[str, None] = {}
    values: dict[int, str] = {}
    for split, (path, name) in sources.items():
        place = PARTS.index(Split(split))
        try:
            sheet = without_own(read_asked(Path(path), asked, display_name=name, part=place))
            used = {at for found in match_columns(sheet, task_columns, asked.columns).values() for at in found}
        except DatasetRefused as refusal:
            return {"refused": refusal.problem.as_dict()}
        offered = {header: at for at, header in enumerate(sheet.header) if at not in used and not is_blank(header)}
        columns |= dict.fromkeys(offered)
        values |= _values(sheet, offered.get(question["column"] or ""), place)
    tested, is_found = _tested(Path(predictions)), question["column"] in columns
    slices = []
    if tested is not None and is_found:
        slices = _judged(tested, cut_texts([values.get(row, "") for row in tested.rows.tolist()]), question)
    return {"columns": list(columns), "slices": slices, "is_found": is_found}


def _values(sheet: Sheet, at: int | None, place: int) -> dict[int, str]:
    """Return what a column holds by row of the canonical table."""
    if at is None:
        return {}
    return {
        number + place * PART_STRIDE: to_text(row[at])[:VALUE_CHARACTERS] if at < len(row) else ""
        for number, row in zip(sheet.row_numbers, sheet.rows, strict=True)
    }


def _tested(path: Path) -> Predictions | None:
    """Return what the network answered for the test rows, in the order of rows; None without any."""
    found = (
        part for part in read_predictions(path) if (part.source, part.split) == (PredictionSource.NETWORK, Split.TEST)
    )
    tested = next(found, None)
    return None if tested is None else tested.take(np.argsort(tested.rows, kind="stable"))


def _judged(tested: Predictions, parts: tuple[list[Name], Groups], question: Slicing) -> list[Slice]:
    return slice_figures(
        tested,
        parts,
        judgement=TASKS[question["task"]].judgement,
        names=question["names"],
        metrics=question["metrics"],
        seed=question["seed"],
    )
