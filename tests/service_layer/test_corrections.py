"""Corrected rows are counted for the splits of a run, whenever it was created, and stay counted."""

from django.contrib.auth.models import User

from bert_training import background
from bert_training.contract.enums import ProfileStatus
from bert_training.models import Dataset, DatasetProfile, Run
from bert_training.services.continuations import pack_positions
from bert_training.services.divisions import division_of, split_facts
from bert_training.services.doubting.corrections import note_corrections
from bert_training.services.runs import reproduce_run
from tests.personas import make_run, ready_dataset


def correct(dataset: Dataset, run: Run, *, test: int) -> None:
    """Let a dataset be one in which these test rows of the run were corrected, and one training row."""
    letters = division_of(run).letters
    tested = [position for position, letter in enumerate(letters) if letter == "e"][:test]
    corrected = pack_positions([*tested, letters.index("t")])
    fields = {"status": ProfileStatus.READY, "corrected": corrected}
    DatasetProfile.objects.update_or_create(dataset=dataset, defaults=fields)


def test_a_run_keeps_the_counts_of_its_own_dataset(ana: User) -> None:
    first = make_run(ana)
    corrected = ready_dataset(ana, request_digest="c" * 64)
    correct(corrected, first, test=1)
    second = reproduce_run(first, owner=ana, dataset=corrected)
    assert split_facts(second)["corrected"] == {"train": 1, "validation": 0, "test": 1}
    third = reproduce_run(second, owner=ana, dataset=first.dataset)
    assert "corrected" not in split_facts(third)


def test_a_run_created_before_the_comparison_is_told(ana: User) -> None:
    run, other = make_run(ana), make_run(ana)
    correct(run.dataset, run, test=1)
    background.make_profile(run.dataset_id)
    assert split_facts(run)["corrected"] == {"train": 1, "validation": 0, "test": 1}
    assert "corrected" not in split_facts(other)
    correct(run.dataset, run, test=0)
    note_corrections(run.dataset_id)
    assert split_facts(run)["corrected"]["test"] == 1  # what a run was told stays
