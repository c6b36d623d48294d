"""The profile of a dataset: made in the background, never in the way of the dataset, groups handed out meanwhile."""

from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from django.utils.translation import override
from django_q.models import OrmQ, Schedule

from bert_training.background import check_dataset, make_profile
from bert_training.contract.enums import Phase, Split
from bert_training.contract.messages import ProgressRequest
from bert_training.contract.messages import TokenLengths as TokenLengthsMessage
from bert_training.data.checks import DatasetRefused, Problem
from bert_training.data.profiling.duplicates import pack_groups
from bert_training.data.profiling.token_lengths import count_token_lengths
from bert_training.models import Dataset, DatasetProfile, Job, TokenLengths, Worker
from bert_training.services import profiles
from bert_training.services.datasets import delete_dataset, register_upload
from bert_training.services.errors import DatasetNotReady
from bert_training.services.jobs import report_progress
from bert_training.services.profiles import PROFILE_ATTEMPTS, clusters_of, restart_profile, start_profile
from bert_training.services.runs import cancel_run
from bert_training.tasks.intake import CheckRequest
from tests.personas import make_run
from tests.workbooks import workbook_of

pytestmark = pytest.mark.usefixtures("checked_here")

COPIES = [
    *[(f"O autor número {number} pede o pagamento das férias vencidas do ano passado", "ferias") for number in "abc"],
    ("O autor número a pede o pagamento das férias vencidas do ano passado", "saude"),
    *[
        (f"Requer {number} o fornecimento contínuo de remédio pelo SUS, CPF 529.982.247-25", "saude")
        for number in "xyz"
    ],
    ("Queda de árvore sobre o telhado", "dano"),
    ("Buraco na avenida central", "dano"),
    ("Muro derrubado por viatura", "dano"),
    ("Leito em hospital particular", "saude"),
    ("Abono do terço constitucional", "ferias"),
]
GROUPS = [0, 0, 0, 0, 4, 4, 4, 7, 8, 9, 10, 11]


@pytest.fixture
def copies(ana: User) -> Dataset:
    """Twelve texts: two the same with different labels, four of one group, three of another, five alone."""
    return upload(ana)


def upload(owner: User) -> Dataset:
    file = SimpleUploadedFile("copias.xlsx", workbook_of([("texto", "label"), *COPIES]))
    request = CheckRequest(task="text-classification")
    return register_upload(owner=owner, uploads={Split.TRAIN: file}, request=request).dataset


def profile_of(dataset: Dataset) -> DatasetProfile:
    return DatasetProfile.objects.get(pk=dataset.pk)


def test_a_new_dataset_waits_for_its_profile(copies: Dataset) -> None:
    assert (profile_of(copies).status, profile_of(copies).attempts) == ("pending", 0)
    assert OrmQ.objects.count() == 1


def test_a_large_upload_waits_for_its_profile_once_it_is_checked(ana: User, settings: Any) -> None:
    settings.BACKGROUND_CHECK_BYTES = 10
    dataset = upload(ana)
    assert not DatasetProfile.objects.exists()
    check_dataset(dataset.pk)
    assert profile_of(dataset).status == "pending"


def test_the_profile_tells_what_is_in_the_table(copies: Dataset) -> None:
    make_profile(copies.pk)
    profile = profile_of(copies)
    assert (profile.status, profile.finished_at is not None) == ("ready", True)
    content = profile.content
    assert content["rows"] == 12
    assert content["classes"]["counts"] == {"saude": 5, "ferias": 4, "dano": 3}
    assert content["exact"] == {"groups": 1, "rows": 2, "repeated": 1}
    assert content["contradictions"]["examples"] == [{"rows": [2, 5], "names": ["ferias", "saude"]}]
    assert content["near"]["largest"] == [{"rows": [2, 3, 4, 5], "size": 4}, {"rows": [6, 7, 8], "size": 3}]
    assert content["personal"]["cpf"] == {"found": 3, "rows": 3, "first_rows": [6, 7, 8]}
    lengths = content["lengths"]["classes"]
    assert {name: sum(of_class["counts"]) for name, of_class in lengths.items()} == content["classes"]["counts"]
    assert "férias" not in str(content)


def test_groups_are_handed_out_before_and_after_the_profile_is_made(copies: Dataset) -> None:
    assert clusters_of(copies) == GROUPS
    make_profile(copies.pk)
    assert clusters_of(copies) == GROUPS


def test_groups_found_at_once_are_kept_for_the_next(copies: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    clusters_of(copies)
    monkeypatch.setattr(profiles, "near_groups", Mock(side_effect=AssertionError("found again")))
    assert clusters_of(copies) == GROUPS


def test_many_characters_are_grouped_in_a_child(copies: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiles, "CHARACTERS_GROUPED_HERE", 10)
    monkeypatch.setattr(profiles, "near_groups", Mock(side_effect=AssertionError("found in the portal")))
    assert clusters_of(copies) == GROUPS


def test_more_text_than_can_be_compared_has_no_groups(copies: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bert_training.data.profiling.duplicates.LETTERS", 10)
    assert clusters_of(copies) is None


def test_a_large_dataset_is_waited_for_and_then_not(copies: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiles, "ROWS_GROUPED_AT_ONCE", 1)
    with override("en"), pytest.raises(DatasetNotReady, match="Try again in a minute"):
        clusters_of(copies)
    DatasetProfile.objects.update(created_at=timezone.now() - profiles.PATIENCE - timedelta(seconds=1))
    assert clusters_of(copies) is None


def test_a_large_dataset_of_before_there_were_profiles_gets_one(
    copies: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profiles, "ROWS_GROUPED_AT_ONCE", 1)
    DatasetProfile.objects.all().delete()
    with pytest.raises(DatasetNotReady):
        clusters_of(copies)
    make_profile(copies.pk)
    assert clusters_of(copies) == GROUPS


def test_the_death_of_the_child_leaves_a_dataset_that_can_be_used(
    copies: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    death = DatasetRefused(Problem("file_too_complex", "Too complex."))
    monkeypatch.setattr(profiles, "profile_in_sandbox", Mock(side_effect=death))
    make_profile(copies.pk)
    assert (profile_of(copies).status, clusters_of(copies)) == ("failed", None)
    assert make_run(copies.owner, copies).pk


def test_a_profile_whose_making_keeps_dying_is_given_up(copies: Dataset) -> None:
    DatasetProfile.objects.update(attempts=PROFILE_ATTEMPTS)
    make_profile(copies.pk)
    assert profile_of(copies).status == "failed"


def test_a_profile_without_its_table_fails(copies: Dataset) -> None:
    default_storage.delete(copies.table_key)
    make_profile(copies.pk)
    assert profile_of(copies).status == "failed"


def test_a_profile_waits_for_a_store_that_is_away(copies: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as away:
        away.setattr(default_storage, "open", Mock(side_effect=OSError("input/output error")))
        make_profile(copies.pk)
    assert (profile_of(copies).status, profile_of(copies).attempts) == ("pending", 0)
    assert Schedule.objects.get(func=profiles.PROFILE_FUNCTION).next_run > timezone.now()


def test_a_profile_that_is_made_is_not_made_again_until_somebody_asks(copies: Dataset) -> None:
    make_profile(copies.pk)
    made_at = profile_of(copies).finished_at
    make_profile(copies.pk)
    assert (profile_of(copies).attempts, profile_of(copies).finished_at) == (1, made_at)
    restart_profile(copies)
    assert (profile_of(copies).status, profile_of(copies).attempts, profile_of(copies).content) == ("pending", 0, {})


def test_a_profile_under_way_is_not_queued_twice(copies: Dataset) -> None:
    restart_profile(copies)
    assert OrmQ.objects.count() == 1


def test_a_dataset_that_is_not_ready_gets_no_profile(ana: User, settings: Any) -> None:
    settings.BACKGROUND_CHECK_BYTES = 10
    with pytest.raises(DatasetNotReady):
        restart_profile(upload(ana))


def test_a_deleted_dataset_keeps_no_profile(copies: Dataset) -> None:
    run = make_run(copies.owner, copies)
    start_profile(copies)
    DatasetProfile.objects.update(clusters=pack_groups(GROUPS))
    TokenLengths.objects.create(dataset=copies, base_model=run.base_model)
    cancel_run(run)
    delete_dataset(copies)
    assert not DatasetProfile.objects.exists()
    assert not TokenLengths.objects.exists()


def test_lengths_that_a_worker_counted_are_kept_the_newest_of_a_base_model(worker: Worker, running_job: Job) -> None:
    for longest in (10, 20):
        lengths = TokenLengthsMessage.model_validate(count_token_lengths([3, longest], ["a", "b"], max_length=128))
        message = ProgressRequest(attempt=1, phase=Phase.TOKENIZING, token_lengths=lengths)
        report_progress(worker, running_job.pk, message)
    kept = TokenLengths.objects.get(dataset=running_job.run.dataset, base_model=running_job.run.base_model)
    assert kept.content == lengths.model_dump()
