"""Reproduction over the API: the verdict, and one changed row, package or seed that is named."""

from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client

from bert_training.contract.enums import ShareLevel
from bert_training.models import Dataset, Run, Team, Worker
from tests.api.conftest import Api, Caller, outcome_of
from tests.personas import make_run, ready_dataset, share
from tests.reproducing import MACHINE, answers, changed_copy, end, with_errors, write_cell

pytestmark = [pytest.mark.embedded, pytest.mark.usefixtures("proved_here")]


@pytest.fixture
def owner(api: Api, ana: User) -> Caller:
    return api.as_person(ana)


@pytest.fixture
def first(ana: User, worker: Worker) -> Run:
    """A completed run with its proof."""
    return end(worker, make_run(ana), [answers()])


def copy_of(owner: Caller, first: Run, **body: Any) -> Run:
    """Ask for a reproduction."""
    return Run.objects.get(pk=owner.post(f"/runs/{first.pk}/reproduce", body).json()["id"])


def verdict(owner: Caller, run: Run, against: Run | None = None) -> dict[str, Any]:
    """Ask how a run compares."""
    query = f"?against={against.pk}" if against else ""
    answer: dict[str, Any] = owner.get(f"/runs/{run.pk}/reproduction{query}").json()
    return answer


def causes(shown: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return what the two differ in."""
    return [(each["cause"], each["name"], each["first"], each["second"]) for each in shown["causes"]]


def test_the_same_weights_and_answers_are_identical(owner: Caller, first: Run, worker: Worker) -> None:
    copy = end(worker, copy_of(owner, first), [answers()])
    shown = verdict(owner, copy)
    assert (shown["verdict"], shown["against"], causes(shown)) == ("identical", first.pk, [])
    assert shown["fingerprints"] == ["f" * 64] * 2


def test_another_package_is_named_with_both_versions(owner: Caller, first: Run, worker: Worker) -> None:
    packages = {**MACHINE["packages"], "torch": "2.14.0", "attrs": "1.0"}
    del packages["zipp"]
    copy = end(worker, copy_of(owner, first), [with_errors(answers(), 1)], fingerprint="b" * 64, packages=packages)
    shown = verdict(owner, copy)
    assert causes(shown) == [
        ("package", "torch", "2.13.0", "2.14.0"),
        ("package", "attrs", "", "1.0"),
        ("package", "zipp", "3.0", ""),
    ]
    assert shown["verdict"] == "equivalent"
    agreement = shown["agreement"]
    assert (agreement["rows"], agreement["equal"]) == (200, 199)
    assert agreement["low"] <= 0 <= agreement["high"]


def test_a_result_that_chance_does_not_explain_is_different(owner: Caller, first: Run, worker: Worker) -> None:
    copy = end(worker, copy_of(owner, first), [with_errors(answers(), 60)], fingerprint="b" * 64, device="NVIDIA H200")
    shown = verdict(owner, copy)
    assert shown["verdict"] == "different"
    assert shown["agreement"]["high"] < 0
    assert causes(shown) == [("device", "", "AMD EPYC, 2 cores", "NVIDIA H200")]


def test_another_seed_and_setting_are_named(owner: Caller, ana: User, first: Run, worker: Worker) -> None:
    changed = {"seed": 7, "epochs": 3}
    other = end(worker, make_run(ana, first.dataset, hyperparameters=changed), [answers(seed=2)], fingerprint="b" * 64)
    found = causes(verdict(owner, other, first))
    assert ("seed", "seed", "42", "7") in found
    assert ("hyperparameter", "epochs", "2", "3") in found
    assert [cause for cause, *_ in found] == ["split", "hyperparameter", "seed"]


def test_one_changed_row_is_named_by_its_number_and_column(owner: Caller, first: Run, worker: Worker) -> None:
    other = changed_copy(first.dataset, lambda table: write_cell(table, 5, "text", "mudado"))
    copy = end(worker, copy_of(owner, first, dataset=other.pk), [answers()], fingerprint="b" * 64)
    assert (copy.dataset_id, copy.split_digest) == (other.pk, first.split_digest)
    shown = verdict(owner, copy)
    assert [cause for cause, *_ in causes(shown)] == ["table"]
    assert shown["rows"]["count"] == 1
    change = shown["rows"]["changes"][0]
    assert (change["row"], change["column"], change["kind"]) == (5, "text", "changed")


def test_own_data_test_no_guesses_about_texts_that_are_not_shared(
    api: Api, bruno: User, team: Team, first: Run, worker: Worker
) -> None:
    guess = changed_copy(first.dataset, lambda table: write_cell(table, 5, "text", "palpite"))
    Dataset.objects.filter(pk=guess.pk).update(owner=bruno)
    guess.refresh_from_db()
    own = end(worker, make_run(bruno, guess), [answers()], fingerprint="b" * 64)
    teammate, page = api.as_person(bruno), Client(headers={"accept-language": "en"})
    page.force_login(bruno)
    share(first, team, ShareLevel.USE)
    Run.objects.filter(pk=own.pk).update(reproduced_from=first)
    shown = verdict(teammate, own)
    assert ("table" in [cause for cause, *_ in causes(shown)], shown["rows"]) == (True, None)
    assert "row 5" not in page.get(f"/runs/{own.pk}").content.decode()
    share(first.dataset, team)
    assert verdict(teammate, own)["rows"]["count"] == 1
    assert "row 5" in page.get(f"/runs/{own.pk}").content.decode()


def test_what_an_older_worker_does_not_tell_is_unknown_and_never_equal(
    owner: Caller, first: Run, worker: Worker
) -> None:
    older = dict.fromkeys(("table_sha256", "python", "precision"), "") | {"threads": 0, "packages": {}}
    copy = end(worker, copy_of(owner, first), [with_errors(answers(), 1)], fingerprint="b" * 64, **older)
    shown = verdict(owner, copy)
    assert (shown["verdict"], shown["causes"]) == ("equivalent", [])
    assert {"python", "precision", "threads"} <= set(shown["unknown"])
    assert shown["reason"] == "facts_unknown"


def test_changed_code_is_not_taken_for_the_same(owner: Caller, first: Run, worker: Worker) -> None:
    Run.objects.filter(pk=first.pk).update(reproducibility={**MACHINE, "code_commit": "c0ffee-dirty"})
    copy = end(worker, copy_of(owner, first), [answers()], fingerprint="b" * 64, code_commit="c0ffee-dirty")
    assert "code" in verdict(owner, copy)["unknown"]


@pytest.mark.parametrize(("device", "reason"), [("NVIDIA H200", "not_bit_equal"), ("AMD, 2 cores", "unexplained")])
def test_when_nothing_differs_the_verdict_says_what_is_left(
    owner: Caller, first: Run, worker: Worker, device: str, reason: str
) -> None:
    Run.objects.filter(pk=first.pk).update(reproducibility={**MACHINE, "device": device})
    copy = end(worker, copy_of(owner, first), [with_errors(answers(), 1)], fingerprint="b" * 64, device=device)
    shown = verdict(owner, copy)
    assert (shown["verdict"], shown["causes"], shown["unknown"], shown["reason"]) == ("equivalent", [], [], reason)


def test_runs_that_cannot_be_compared_say_why(owner: Caller, ana: User, first: Run, worker: Worker) -> None:
    waiting = copy_of(owner, first)
    shown = verdict(owner, waiting)
    assert (shown["verdict"], shown["reason"]) == ("not_comparable", "not_completed")
    owner.post(f"/runs/{waiting.pk}/cancel")
    few = end(worker, copy_of(owner, first), [answers().take(np.arange(20))], fingerprint="b" * 64)
    assert verdict(owner, few)["reason"] == "few_shared_rows"
    entities = end(worker, make_run(ana, ready_dataset(ana, task="token-classification")), [])
    assert verdict(owner, entities, first)["reason"] == "other_task"


def test_only_what_somebody_may_see_is_compared(
    api: Api, owner: Caller, ana: User, carla: User, root: User, first: Run
) -> None:
    copy, foreign = copy_of(owner, first), make_run(carla)
    assert outcome_of(api.as_person(carla).get(f"/runs/{copy.pk}/reproduction")) == (404, "not_found")
    assert outcome_of(owner.get(f"/runs/{copy.pk}/reproduction?against={foreign.pk}")) == (404, "not_found")
    assert outcome_of(owner.get(f"/runs/{first.pk}/reproduction")) == (404, "not_found")
    assert outcome_of(owner.get(f"/runs/{copy.pk}/reproduction?against=x")) == (400, "invalid_field")
    theirs = api.as_person(root).post(f"/runs/{first.pk}/reproduce").json()["id"]
    Run.objects.filter(pk=theirs).update(owner=carla)
    hidden = api.as_person(carla).get(f"/runs/{theirs}/reproduction").json()
    assert (hidden["against"], hidden["reason"], hidden["causes"]) == (None, "first_gone", [])


def test_a_dataset_that_does_not_fit_is_refused_by_its_field(owner: Caller, ana: User, carla: User, first: Run) -> None:
    tokens, foreign = ready_dataset(ana, task="token-classification"), ready_dataset(carla)
    refused = owner.post(f"/runs/{first.pk}/reproduce", {"dataset": tokens.pk})
    assert (outcome_of(refused), refused.json()["errors"][0]["path"]) == ((400, "invalid_field"), "dataset")
    assert outcome_of(owner.post(f"/runs/{first.pk}/reproduce", {"dataset": foreign.pk})) == (404, "not_found")


def test_the_same_table_proves_itself_after_the_first_was_deleted(owner: Caller, ana: User, first: Run) -> None:
    same = ready_dataset(ana, request_digest=uuid4().hex * 2)
    assert same.table_sha256 == first.dataset.table_sha256
    assert owner.delete(f"/datasets/{first.dataset_id}").status_code == 204
    copy = copy_of(owner, first, dataset=same.pk)
    assert (copy.dataset_id, copy.split_digest, copy.reproduced_from_id) == (same.pk, first.split_digest, first.pk)
