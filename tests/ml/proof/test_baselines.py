"""Baselines on a run: on the run's own rows, alive meanwhile, and never the reason why a run fails."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bert_training.contract.enums import PredictionSource
from bert_training.data.predicting.predictions import LabelAnswers, Predictions
from bert_training.ml.job import TrainingJob
from bert_training.ml.machine.distributed import World
from bert_training.ml.network.base_model import BaseModelFiles
from bert_training.ml.proof import evidence
from bert_training.ml.proof.baselines import NothingToLearn, judge_baselines
from bert_training.ml.proof.final_judgement import FinalJudgement
from bert_training.ml.proof.run_rows import RowIndexes
from bert_training.ml.reporting import RunReport, StopRequested
from bert_training.ml.task_network import Evaluation
from bert_training.tasks.text_classification import network as text_network
from tests.ml.runs import Recorder, text_job, text_table

NOWHERE = BaseModelFiles(name="none", folder=Path("nowhere"), revision="test")


class Spy:
    """A linear baseline that notes what it is given and answers 0 for all."""

    source = PredictionSource.LINEAR

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.fitted: list[RowIndexes] = []
        self.asked: list[RowIndexes] = []

    def fit(self, rows: RowIndexes) -> str:
        self.fitted.append(rows)
        if self.error:
            raise self.error
        return "nothing"

    def answer(self, rows: RowIndexes) -> LabelAnswers:
        self.asked.append(rows)
        zeros = np.zeros(len(rows), dtype=np.int64)
        return LabelAnswers(zeros, zeros, np.ones((len(rows), 1), dtype=np.float16))


def job_of(tmp_path: Path, **changes: Any) -> TrainingJob:
    return replace(text_job(NOWHERE, tmp_path, table=text_table(60)), **changes)


def judge(job: TrainingJob, module: Any = text_network, recorder: Recorder | None = None) -> list[Predictions]:
    return judge_baselines(job, module, RunReport(recorder or Recorder(), clock=lambda: 0.0))


def module_of(*baselines: Spy) -> Any:
    return SimpleNamespace(build_baselines=lambda table, *, label_names, seed: list(baselines))


def test_both_baselines_answer_test_and_planted_errors_are_doubted(tmp_path: Path) -> None:
    table = text_table(300)
    wrong = [10, 53, 159]  # of train, validation and test
    table.loc[wrong, "label"] = ["saude" if label == "pessoal" else "pessoal" for label in table["label"][wrong]]
    found = judge(text_job(NOWHERE, tmp_path, table=table))
    assert [(part.source, part.split) for part in found] == [
        ("frequent", "test"),
        ("linear", "test"),
        ("suspect", "train"),
        ("suspect", "validation"),
        ("suspect", "test"),
    ]
    assert [row - 2 for part in found[2:] for row in part.rows.tolist()] == wrong
    assert found[0].rows.tolist() == list(range(6, 302, 5))  # every fifth row is of test; the sheet's first is 2


def test_only_train_is_learned_from_for_test_and_each_row_is_answered_once_without_its_unit(tmp_path: Path) -> None:
    units = [row - row % 4 for row in range(60)]
    splits = ["-" if row >= 56 else "train" if row < 40 else "validation" if row < 48 else "test" for row in range(60)]
    spy = Spy()
    found = judge(job_of(tmp_path, units=units, splits=splits), module_of(spy))
    assert spy.fitted[0].tolist() == list(range(40))
    assert spy.asked[0].tolist() == list(range(48, 56))
    assert found[0].units.tolist() == [50] * 4 + [54] * 4  # row numbers: the first row of the sheet is 2
    assert Counter(row for rows in spy.asked[1:] for row in rows.tolist()) == Counter(range(56))
    for learned, asked in zip(spy.fitted[1:], spy.asked[1:], strict=True):
        assert not {units[row] for row in learned} & {units[row] for row in asked}
        assert len(learned) + len(asked) == 56


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (NothingToLearn("no word comes in two texts"), "no word comes in two texts"),
        (MemoryError(), "MemoryError"),
        (IndexError("a word of a row"), "IndexError"),
    ],
)
def test_a_baseline_that_fails_is_absent_with_a_line(tmp_path: Path, error: Exception, why: str) -> None:
    recorder, spy = Recorder(), Spy(error)
    assert judge(job_of(tmp_path), module_of(spy), recorder) == []
    assert ("WARNING", f"The linear baseline is left out: {why}") in recorder.lines


def test_a_run_is_canceled_between_two_fits(tmp_path: Path) -> None:
    spy = Spy()
    recorder = Recorder(order=lambda seen: "cancel" if len(spy.fitted) >= 2 else "continue")
    with pytest.raises(StopRequested):
        judge(job_of(tmp_path), module_of(spy), recorder)
    assert len(spy.fitted) == 2
    assert recorder.moments  # signs of life


def test_a_fold_that_teaches_nothing_leaves_its_rows_alone(tmp_path: Path) -> None:
    class OftenLost(Spy):
        def fit(self, rows: RowIndexes) -> str:
            super().fit(rows)
            if len(self.fitted) == 3:
                raise NothingToLearn("all rows to learn from have one label")
            return "nothing"

    recorder, spy = Recorder(), OftenLost()
    assert judge(job_of(tmp_path), module_of(spy), recorder)
    assert len(spy.fitted) == 6
    assert len(spy.asked) == 5
    assert "left out" not in recorder.text
    assert f"Labels of {sum(map(len, spy.asked[1:]))} rows" in recorder.text


def test_no_line_holds_a_text(tmp_path: Path) -> None:
    recorder, job = Recorder(), job_of(tmp_path)
    judge(job, recorder=recorder)
    assert recorder.lines
    assert not [text for text in job.table["text"] if text in recorder.text]


def test_when_the_other_processes_have_ended_the_first_obeys_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Several(World):
        size = 2

    job, report = job_of(tmp_path), RunReport(Recorder(order=lambda seen: "cancel"), clock=lambda: 0.0)
    report.join(Several())
    monkeypatch.setattr(evidence, "judge_baselines", lambda job, module, report: report.pulse() or [])
    none = LabelAnswers(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros((0, 1), dtype=np.float16))
    judged = FinalJudgement(none, Evaluation({}, [], answers=none), None)
    with pytest.raises(StopRequested):
        evidence.gather_evidence(job, SimpleNamespace(), text_network, judged, report)
