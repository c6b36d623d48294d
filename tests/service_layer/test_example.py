"""The example run: loaded once, proved by the portal's own code, seen by all who read, changed by nobody but staff."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command

from bert_training import access
from bert_training.contract.enums import JobStatus, Role, ShareLevel
from bert_training.models import Dataset, ErasureCopy, Log, Metric, Run, RunProof, Worker
from bert_training.services.datasets import delete_dataset
from bert_training.services.example import loading
from bert_training.services.example.recorded import EXAMPLE_FILE, recorded_run
from bert_training.services.proving.grades import graded
from bert_training.services.proving.verdicts import Case, Why, verdict
from bert_training.services.runs import delete_run
from tests.personas import make_user, make_worker

MOST_BYTES = 300_000
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("checked_here", "proved_here")]


@pytest.fixture
def example(db: None) -> Run:
    """The example, as the command loads it."""
    call_command("load_example", stdout=open("/dev/null", "w"))  # noqa: SIM115
    return Run.objects.select_related("job", "dataset", "proof").get(is_example=True)


def test_the_example_holds_all_that_a_real_run_leaves_and_is_loaded_once(example: Run) -> None:
    recorded = recorded_run()
    assert (example.status, example.job.status, example.split_digest) == (
        JobStatus.COMPLETED,
        JobStatus.COMPLETED,
        recorded["split_digest"],
    )
    assert list(Log.objects.filter(run=example).values_list("message", flat=True)) == [
        message for _moment, _level, message in recorded["logs"]
    ]
    assert Metric.objects.filter(run=example).count() == len(recorded["metrics"])
    assert example.dataset.profile.status == "ready"
    assert EXAMPLE_FILE.stat().st_size < MOST_BYTES
    # Computed here from the predictions; help draws its pictures from the recorded one.
    assert example.proof.content == recorded["proof"]
    assert loading.load_example() == (example, False)
    assert (Run.objects.count(), Dataset.objects.count(), Worker.objects.count()) == (1, 1, 1)


def test_who_reads_sees_it_and_no_list_shows_it(example: Run, carla: User, root: User) -> None:
    viewer, operator = make_user("viewer", roles=[Role.READ]), make_user("operator", roles=[Role.OPERATE])
    for person in (carla, viewer):
        assert access.visible_run(person, example.pk) == example
        assert access.visible_dataset(person, example.dataset_id) == example.dataset
        assert access.may_see_texts(person, example)
        assert access.example_run(person) == example
    assert access.example_run(operator) is None
    for door in (access.changeable_run, access.usable_run, access.reproducible_run, access.repeatable_run):
        with pytest.raises(PermissionDenied):
            door(carla, example.pk)
    assert not access.datasets_visible_to(carla, ShareLevel.USE).exists()
    for person in (carla, root):
        assert not access.runs_listed_for(person).exists()
        assert not access.datasets_listed_for(person).exists()
        assert not access.workers_visible_to(person).exists()
    assert not example.owner.is_active
    assert not example.owner.has_usable_password()
    assert not Worker.objects.get(is_example=True).active


def test_staff_repeat_nothing_of_it_and_delete_it_without_waiting_for_a_computer(example: Run, root: User) -> None:
    with pytest.raises(PermissionDenied):
        access.repeatable_run(root, example.pk)
    delete_run(access.changeable_run(root, example.pk), by=root)
    assert not ErasureCopy.objects.exists()
    delete_dataset(access.visible_dataset(root, example.dataset_id), by=root)
    again, is_new = loading.load_example()
    assert is_new
    assert RunProof.objects.get(pk=again.pk).status == "ready"


@pytest.mark.parametrize(
    "harm",
    [
        lambda: make_user("exemplo"),
        lambda: make_worker(loading.WORKER),
    ],
    ids=["a person of that name", "a computer of that name"],
)
def test_an_account_of_somebody_is_never_taken_for_its_own(harm: Callable[[], Any]) -> None:
    harm()
    with pytest.raises(CommandError, match="exemplo"):
        call_command("load_example")
    assert not Run.objects.exists()


def test_the_example_ends_as_its_page_and_help_say() -> None:
    """Both call it a model that a simple method beats; another recording must have other words there."""
    proof = recorded_run()["proof"]
    graded_by = graded(proof, {}, task_metric="f1_macro")
    assert Why.BELOW_BASELINE in verdict(Case(proof, graded_by, {})).reasons
