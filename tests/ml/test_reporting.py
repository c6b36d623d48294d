"""What a run tells: thinned points, durations by phase, orders obeyed once."""

from collections.abc import Callable

import pytest

from bert_training.ml.learning.stepping import StepFigures
from bert_training.ml.reporting import RunReport, StepMeter, StopRequested
from bert_training.ml.rows.step_plan import StepPlan
from tests.ml.runs import Recorder


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def report_to(recorder: Recorder, clock: Callable[[], float] = Clock()) -> RunReport:  # noqa: B008 - never moved
    return RunReport(recorder, clock)


def test_a_long_epoch_sends_two_hundred_points_with_the_mean_of_their_steps() -> None:
    recorder = Recorder()
    report = report_to(recorder)
    meter = StepMeter(report, StepPlan(rows_per_step=1, steps_per_epoch=1000, epochs=1, total_steps=1000))
    for step in range(1, 1001):
        report.step = step
        meter.add(StepFigures(float(step), weight=1.0, tokens=10), learning_rate=0.1)

    assert len(recorder.points) == 200
    assert recorder.points[0]["values"]["loss"] == pytest.approx((1 + 2 + 3 + 4 + 5) / 5)
    assert meter.mean_loss == pytest.approx(500.5)


def test_a_label_of_more_weight_counts_more_in_the_mean() -> None:
    meter = StepMeter(report_to(Recorder()), StepPlan(1, 2, 1, 2))
    meter.add(StepFigures(1.0, weight=3.0, tokens=1), learning_rate=0.1)
    meter.add(StepFigures(5.0, weight=1.0, tokens=1), learning_rate=0.1)
    assert meter.mean_loss == pytest.approx(2.0)


def test_seconds_are_counted_by_phase() -> None:
    clock = Clock()
    report = report_to(Recorder(), clock)
    for phase, now in (("training", 2.0), ("evaluating", 12.0), ("training", 13.0)):
        clock.now = now
        report.enter(phase)
    clock.now = 20.0
    assert report.durations() == "preparing 2.0 s, training 17.0 s, evaluating 1.0 s; in all 20.0 s"


@pytest.mark.parametrize(("directive", "ended"), [("cancel", "canceled"), ("release", "released")])
def test_an_order_to_stop_ends_the_run(directive: str, ended: str) -> None:
    with pytest.raises(StopRequested) as caught:
        report_to(Recorder(lambda seen: directive)).pulse()
    assert caught.value.ended == ended


def test_the_order_to_finish_is_remembered_and_told_once() -> None:
    recorder = Recorder(lambda seen: "finish")
    report = report_to(recorder)
    report.pulse()
    report.pulse()
    assert report.is_finishing
    assert len(recorder.lines) == 1


def test_figures_that_are_not_defined_are_left_out_of_a_point() -> None:
    recorder = Recorder()
    report_to(recorder).split_figures("test", {"f1": None, "loss": 0.5}, epoch=2, step=9)
    assert recorder.points == [{"epoch": 2, "step": 9, "split": "test", "values": {"loss": 0.5}}]
