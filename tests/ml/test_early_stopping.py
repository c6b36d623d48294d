"""Patience is counted in epochs without improvement."""

from bert_training.ml.early_stopping import EarlyStopping


def observe_all(stopping: EarlyStopping, values: list[float | None]) -> list[bool]:
    return [stopping.observe(epoch, value) for epoch, value in enumerate(values, start=1)]


def test_equal_is_no_improvement() -> None:
    stopping = EarlyStopping(2, higher_is_better=True)
    assert observe_all(stopping, [0.5, 0.5, 0.6, 0.6]) == [True, False, True, False]
    assert (stopping.best_epoch, stopping.is_exhausted) == (3, False)


def test_it_is_exhausted_after_as_many_epochs_as_patience_says() -> None:
    stopping = EarlyStopping(2, higher_is_better=True)
    observe_all(stopping, [0.5, 0.4, 0.3])
    assert stopping.is_exhausted


def test_lower_can_be_better() -> None:
    assert observe_all(EarlyStopping(1, higher_is_better=False), [2.0, 1.0, 1.5]) == [True, True, False]


def test_patience_zero_never_stops() -> None:
    stopping = EarlyStopping(0, higher_is_better=True)
    observe_all(stopping, [0.5, *[0.1] * 50])
    assert not stopping.is_exhausted


def test_the_latest_epoch_is_kept_until_the_metric_is_defined() -> None:
    stopping = EarlyStopping(3, higher_is_better=True)
    assert observe_all(stopping, [None, None, 0.1, None]) == [True, True, True, False]
