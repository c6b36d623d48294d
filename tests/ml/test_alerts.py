"""Alerts in plain words, by tables of figures: what is said, what is not, and that nothing is said twice."""

import json
from pathlib import Path

import pytest

from bert_training.data.figures.shapes import ClassFigures
from bert_training.data.overfitting import Losses
from bert_training.ml.judging.alerts import Alerts, low_performance, never_recognised, overfitting_sentence
from bert_training.ml.network.base_model import BaseModelFiles
from bert_training.ml.task_network import Evaluation
from bert_training.ml.training import train
from bert_training.tasks.text_classification import network as text_network
from tests.ml.runs import Recorder, text_job, text_table


def row(name: str, support: int, recall: float | None) -> ClassFigures:
    return {"name": name, "precision": recall, "recall": recall, "f1": recall, "support": support}


def judged(loss: float | None = 0.5, *, accuracy: float | None = 0.9, recall: float = 0.9) -> Evaluation:
    return Evaluation({"accuracy": accuracy, "loss": loss}, [row("saude", 60, recall), row("outros", 40, 0.9)])


@pytest.mark.parametrize(
    ("losses", "is_said"),
    [
        ([(0.9, 0.5), (0.6, 0.6), (0.3, 0.7)], True),
        ([(9.0, 0.1), (0.9, 0.5), (0.6, 0.6), (0.3, 0.7)], True),
        ([(0.9, 0.5), (0.6, 0.6)], False),
        ([(0.9, 0.5), (0.6, 0.6), (0.7, 0.7)], False),
        ([(0.9, 0.5), (0.6, 0.6), (0.3, 0.6)], False),
        ([(0.9, 0.5), (0.6, 0.4), (0.3, 0.5)], False),
        ([(0.9, 0.5), (0.6, None), (0.3, 0.7)], False),
        ([], False),
    ],
)
def test_overfitting_is_a_validation_loss_that_rises_twice_while_training_falls(
    losses: list[Losses], is_said: bool
) -> None:
    assert overfitting_sentence(losses).startswith("Overfitting") is is_said


@pytest.mark.parametrize(("accuracy", "is_said"), [(0.59, True), (0.6, False), (0.9, False), (None, False)])
def test_low_performance_is_below_the_most_frequent_class(accuracy: float | None, is_said: bool) -> None:
    assert low_performance(judged(accuracy=accuracy)).startswith("Low performance") is is_said
    assert low_performance(Evaluation({"accuracy": accuracy}, [])) == ""


def test_classes_of_which_nothing_was_found_are_named() -> None:
    classes = [row("a", 3, 0.0), row("b", 2, 0.5), row("c", 0, None)]
    assert never_recognised(classes).startswith("Never recognised: a (3 examples). ")
    assert never_recognised(classes[1:]) == ""
    many = [row(f"k{number}", 1, 0.0) for number in range(12)]
    assert "k9 (1 examples) and 2 more." in never_recognised(many)


class Told(list[str]):
    """The sentences since the last look."""

    def look(self) -> list[str]:
        found = list(self)
        self.clear()
        return found


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.mark.parametrize(
    ("step", "warmup_steps", "total_steps", "is_said"),
    [(5, 10, 20, True), (10, 10, 20, False), (0, 0, 20, False), (5, 10, 10, False)],
)
def test_a_warm_up_that_never_ended_is_said(
    told: Told, step: int, warmup_steps: int, total_steps: int, is_said: bool
) -> None:
    alerts = Alerts(told.append, label_per_token=False)
    alerts.after_training(step, warmup_steps=warmup_steps, total_steps=total_steps)
    assert bool(told) is is_said


def test_the_first_evaluation_is_too_early_and_nothing_is_said_twice(told: Told) -> None:
    alerts = Alerts(told.append, label_per_token=False)
    weak = judged(accuracy=0.4, recall=0.0)
    said = []
    for _ in range(3):
        alerts.after_validation(weak, training_loss=1.0)
        said.append(len(told.look()))
    assert said == [0, 2, 0]
    alerts.after_test(weak)
    assert len(told.look()) == 2
    alerts.after_test(judged())
    assert told == []


def test_alerts_go_on_after_a_resume_as_if_nothing_had_been(told: Told) -> None:
    first = Alerts(told.append, label_per_token=False)
    first.after_validation(judged(0.5), training_loss=0.9)
    first.after_validation(judged(0.6), training_loss=0.6)
    second = Alerts(told.append, label_per_token=False)
    second.restore(json.loads(json.dumps(first.state())))
    for alerts in (first, second):
        alerts.after_validation(judged(0.7), training_loss=0.3)
        (sentence,) = told.look()
        assert "0.5000 -> 0.6000 -> 0.7000" in sentence
        alerts.after_validation(judged(0.8), training_loss=0.2)
        assert told == []


def test_accuracy_over_words_is_not_compared_to_classes(told: Told) -> None:
    alerts = Alerts(told.append, label_per_token=True)
    for _ in range(2):
        alerts.after_validation(judged(accuracy=0.1), training_loss=1.0)
    assert told == []


def test_a_training_that_learns_nothing_warns_in_its_log(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    table = text_table(90, shares=(8, 1, 1))
    recorder = Recorder()
    settings = {"epochs": 2, "learning_rate": 1e-9, "use_class_weights": False}
    train(text_job(tiny_bert, tmp_path, table=table, **settings), text_network, recorder)
    warnings = [message for level, message in recorder.lines if level == "WARNING"]
    assert any(message.startswith("Never recognised: ") for message in warnings)
