"""Patience is counted in evaluations without improvement."""

from bert_training.ml.judging.early_stopping import EarlyStopping


def stopping_with(*, patience: int, higher_is_better: bool = True, threshold: float = 0.0) -> EarlyStopping:
    return EarlyStopping("f1", higher_is_better=higher_is_better, patience=patience, threshold=threshold)


def observe_all(stopping: EarlyStopping, values: list[float | None]) -> list[bool]:
    return [stopping.observe({"f1": value}, epoch=1, step=step) for step, value in enumerate(values, start=1)]


def test_equal_is_no_improvement() -> None:
    stopping = stopping_with(patience=2)
    assert observe_all(stopping, [0.5, 0.5, 0.6, 0.6]) == [True, False, True, False]
    assert (stopping.best_step, stopping.best_figures, stopping.is_exhausted) == (3, {"f1": 0.6}, False)


def test_it_is_exhausted_after_as_many_evaluations_as_patience_says() -> None:
    stopping = stopping_with(patience=2)
    observe_all(stopping, [0.5, 0.4, 0.3])
    assert stopping.is_exhausted


def test_lower_can_be_better() -> None:
    assert observe_all(stopping_with(patience=1, higher_is_better=False), [2.0, 1.0, 1.5]) == [True, True, False]


def test_patience_zero_never_stops() -> None:
    stopping = stopping_with(patience=0)
    observe_all(stopping, [0.5, *[0.1] * 50])
    assert not stopping.is_exhausted


def test_the_latest_evaluation_is_kept_until_the_metric_is_defined() -> None:
    stopping = stopping_with(patience=3)
    assert observe_all(stopping, [None, None, 0.1, None]) == [True, True, True, False]


def test_an_improvement_below_the_threshold_is_the_best_but_does_not_renew_the_patience() -> None:
    for values, higher in (([0.5, 0.505, 0.509, 0.6], True), ([0.5, 0.495, 0.491, 0.4], False)):
        stopping = stopping_with(patience=2, higher_is_better=higher, threshold=0.01)
        assert observe_all(stopping, list(values[:3])) == [True, True, True]
        assert (stopping.best_step, stopping.is_exhausted) == (3, True)
        assert observe_all(stopping, list(values[3:])) == [True]
        assert not stopping.is_exhausted
