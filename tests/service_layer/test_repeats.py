"""Repeats of a run: cross-validation and other seeds, as child runs of the same queue."""

from collections import Counter
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.utils import translation

from bert_training.contract.enums import ErrorCode, JobStatus, RepeatKind
from bert_training.models import BaseModel, Dataset, DatasetManifest, Job, Run, Worker
from bert_training.services.datasets import delete_dataset
from bert_training.services.divisions import division_of, manifest_for_worker, pack_letters
from bert_training.services.errors import InUse, ServiceError
from bert_training.services.repeating.repeats import cancel_repeats, prepare_repeats, repeat_run, store_repeats
from bert_training.services.runs import delete_run
from tests.pages.training import train
from tests.personas import make_run, ready_dataset

FOLD, SEED = RepeatKind.FOLD, RepeatKind.SEED


@pytest.fixture
def completed(run: Run, worker: Worker) -> Run:
    """A completed run of ana's."""
    return train(worker, run)


def letters_of(runs: list[Run]) -> list[str]:
    return [division_of(run).letters for run in runs]


def test_each_part_is_tested_once_and_the_test_rows_of_the_run_never(completed: Run) -> None:
    folds = repeat_run(completed, kind=FOLD, count=3)
    own = division_of(completed).letters
    for row, letter in enumerate(own):
        fates = Counter(letters[row] for letters in letters_of(folds))
        assert fates == {"-": 3} if letter in "e-" else fates["e"] == 1
    for number, fold in enumerate(folds, start=1):
        facts = division_of(fold).facts
        assert (facts["source"], facts["fold"], facts["folds"], facts["aside"]) == ("folds", number, 3, own.count("e"))
        assert all(facts["rows"].values())


def test_a_part_is_a_run_like_the_first_but_for_its_rows(completed: Run, ana: User) -> None:
    with translation.override("en"):
        folds = repeat_run(completed, kind=FOLD, count=3)
    assert [fold.name for fold in folds] == [f"{completed.name}, fold {number} of 3" for number in (1, 2, 3)]
    assert len({fold.split_digest for fold in (completed, *folds)}) == 4
    for fold in folds:
        assert (fold.owner, fold.repeat_of, fold.repeat_kind, fold.reproduced_from) == (ana, completed, "fold", None)
        assert fold.hyperparameters == completed.hyperparameters
        assert (fold.base_model, fold.dataset, fold.simulate) == (completed.base_model, completed.dataset, False)
        assert Job.objects.get(run=fold).status == JobStatus.QUEUED
        assert manifest_for_worker(fold).decode().count("\ttest\n") == division_of(fold).facts["rows"]["test"]


def test_rows_that_the_manifest_leaves_out_stay_out(ana: User, worker: Worker, dataset: Dataset) -> None:
    DatasetManifest.objects.create(dataset=dataset, letters=pack_letters("ttttttvvee--"))
    completed = train(worker, make_run(ana, dataset))
    for letters in letters_of(repeat_run(completed, kind=FOLD, count=4)):
        assert letters.endswith("----")
        assert letters.count("-") == 4


def test_other_seeds_have_the_same_rows(completed: Run) -> None:
    seeds = repeat_run(completed, kind=SEED, count=3)
    assert [run.hyperparameters["seed"] for run in seeds] == [43, 44, 45]
    assert {run.split_digest for run in seeds} == {completed.split_digest}
    assert set(letters_of(seeds)) == {division_of(completed).letters}
    assert {**seeds[0].hyperparameters, "seed": 42} == completed.hyperparameters
    completed.hyperparameters["seed"] = 2**32 - 4  # after the largest seed comes the first
    assert [run.hyperparameters["seed"] for run in repeat_run(completed, kind=SEED, count=4)] == [0]


def test_asking_again_adds_nothing_and_more_seeds_are_added(completed: Run) -> None:
    repeat_run(completed, kind=FOLD, count=3)
    repeat_run(completed, kind=SEED, count=2)
    assert repeat_run(completed, kind=FOLD, count=3) == []
    assert repeat_run(completed, kind=SEED, count=2) == []
    assert [run.repeat_number for run in repeat_run(completed, kind=SEED, count=4)] == [3, 4]


def test_of_two_who_ask_at_once_one_finds_the_repeats_of_the_other(completed: Run) -> None:
    first, second = (prepare_repeats(completed, kind=FOLD, count=3) for _ in range(2))
    assert (len(store_repeats(first)), len(store_repeats(second))) == (3, 0)


def test_of_two_who_ask_for_other_numbers_of_parts_one_is_refused(completed: Run) -> None:
    first, second = (prepare_repeats(completed, kind=FOLD, count=count) for count in (3, 4))
    store_repeats(first)
    with pytest.raises(ServiceError):
        store_repeats(second)
    assert completed.repeats.count() == 3


def test_a_part_that_was_deleted_is_made_again_with_the_same_rows_or_not_at_all(completed: Run) -> None:
    folds = repeat_run(completed, kind=FOLD, count=3)
    cancel_repeats(completed)
    delete_run(Run.objects.get(pk=folds[1].pk))
    (again,) = repeat_run(completed, kind=FOLD, count=3)
    assert (again.repeat_number, again.split_digest) == (2, folds[1].split_digest)
    Run.objects.filter(pk=folds[0].pk).update(split_digest="0" * 64)  # as if near-duplicates had not been known
    cancel_repeats(completed)
    delete_run(Run.objects.get(pk=again.pk))
    with pytest.raises(ServiceError, match=r"Delete these|Exclua"):
        repeat_run(completed, kind=FOLD, count=3)


def test_too_few_and_too_many_are_refused(completed: Run) -> None:
    for kind, count in ((FOLD, 2), (FOLD, 11), (SEED, 1), (SEED, 11)):
        with pytest.raises(ServiceError) as refused:
            repeat_run(completed, kind=kind, count=count)
        assert refused.value.extra["errors"][0]["path"] == "count"


def test_more_parts_than_units_are_refused(ana: User, worker: Worker) -> None:
    dataset = ready_dataset(ana, request_digest=uuid4().hex * 2)
    DatasetManifest.objects.create(dataset=dataset, letters=pack_letters("tttve-------"))
    completed = train(worker, make_run(ana, dataset))
    with pytest.raises(ServiceError, match="4"):
        repeat_run(completed, kind=FOLD, count=5)


def test_only_a_completed_run_of_its_own_is_repeated(completed: Run, ana: User) -> None:
    (seed, _) = repeat_run(completed, kind=SEED, count=2)
    with pytest.raises(ServiceError) as refused:
        repeat_run(seed, kind=SEED, count=2)
    assert refused.value.code == ErrorCode.INVALID_FIELD
    with pytest.raises(ServiceError) as refused:
        repeat_run(make_run(ana, completed.dataset), kind=SEED, count=2)
    assert refused.value.code == ErrorCode.NOT_COMPLETED


@pytest.mark.parametrize("kind", [FOLD, SEED])
def test_a_run_of_a_task_that_was_taken_out_is_not_repeated(completed: Run, kind: RepeatKind) -> None:
    Run.objects.update(task="gone")
    BaseModel.objects.update(tasks=["gone"])
    with pytest.raises(ServiceError) as refused:
        repeat_run(Run.objects.get(pk=completed.pk), kind=kind, count=3)
    assert refused.value.code == ErrorCode.MODEL_NOT_ALLOWED


def test_a_run_on_a_deleted_dataset_is_not_repeated(completed: Run) -> None:
    delete_dataset(completed.dataset)
    with pytest.raises(ServiceError) as refused:
        repeat_run(Run.objects.get(pk=completed.pk), kind=FOLD, count=3)
    assert refused.value.code == ErrorCode.DATASET_GONE


def test_all_repeats_are_canceled_at_once_and_ended_ones_stay(completed: Run, worker: Worker) -> None:
    first, *others = repeat_run(completed, kind=FOLD, count=3)
    train(worker, first)
    assert cancel_repeats(completed) == 2
    assert Run.objects.get(pk=first.pk).status == JobStatus.COMPLETED
    assert {Run.objects.get(pk=other.pk).status for other in others} == {JobStatus.CANCELED}


def test_a_run_takes_its_repeats_with_it_when_all_have_ended(completed: Run) -> None:
    repeat_run(completed, kind=SEED, count=2)
    with pytest.raises(InUse):
        delete_run(completed)
    assert Run.objects.count() == 3
    cancel_repeats(completed)
    delete_run(completed)
    assert not Run.objects.exists()
