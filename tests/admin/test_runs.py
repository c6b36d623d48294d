"""Staff create runs with the generated form, end them, repeat them and delete them."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from bert_training.contract.enums import JobStatus, ProofStatus
from bert_training.models import BaseModel, Dataset, Job, Run, RunProof, Worker
from bert_training.services.jobs import complete_job
from bert_training.services.runs import reproduce_run
from tests.admin.rows import CANARY, Page, fill_tables, list_of, page_of, run_action
from tests.personas import BASE_MODEL, make_run
from tests.proofs import class_proof, make_proof
from tests.service_layer.test_jobs import completion
from tests.test_run_form import FILLED

ADD = f"{list_of('run')}add/"
OWN = {"best_metric": "f1_macro", "truncation_side": "left", "seed": "7", "priority": "3"}
FORM = FILLED | OWN | {"base_model": BASE_MODEL, "epochs": "2"}


def create(staff: Client, dataset: Dataset, **changes: str) -> Page:
    return staff.post(f"{ADD}?dataset={dataset.pk}", {**FORM, **changes}, follow=True)


def test_the_first_step_asks_for_the_dataset(staff: Client, dataset: Dataset) -> None:
    assert "which data?" in staff.get(ADD).content.decode()
    assert "Learning rate" in staff.get(f"{ADD}?dataset={dataset.pk}").content.decode()


def test_a_dataset_that_is_not_ready_is_not_taken(staff: Client, dataset: Dataset) -> None:
    Dataset.objects.update(status="checking")
    assert "which data?" in create(staff, dataset).content.decode()
    assert not Run.objects.exists()


@pytest.mark.parametrize("dataset", ["x", "1e3", "\x00", "9" * 5000, "٣", "-1"])
def test_a_dataset_that_cannot_be_is_asked_for_again(staff: Client, dataset: str) -> None:
    """It was a crash: the search box looked for whatever had been sent."""
    response = staff.get(ADD, {"dataset": dataset})
    assert (response.status_code, list(response.context["form"].errors)) == (200, ["dataset"])


def test_a_run_is_created_from_the_form(staff: Client, root: User, dataset: Dataset) -> None:
    page = create(staff, dataset, name="Primeira").content.decode()
    run = Run.objects.get()
    wanted = {
        "epochs": 2,
        "learning_rate": 2e-5,
        "truncation_side": "left",
        "use_class_weights": True,
        "max_steps": None,
    }
    assert wanted.items() <= run.hyperparameters.items()
    assert (run.name, run.owner, run.job.priority, run.simulate) == ("Primeira", root, 3, False)
    assert f'href="/runs/{run.pk}"' in page


def test_the_form_begins_with_a_preset_and_folds_its_groups(staff: Client, dataset: Dataset) -> None:
    response = staff.get(ADD, {"dataset": str(dataset.pk), "preset": "preciso"})
    page = response.content.decode()
    assert response.context["form"]["learning_rate"].value() == "0.00002"
    assert 'aria-current="true">Precise</a>' in page
    assert page.count("<details open>") == 1
    changed = staff.post(f"{ADD}?dataset={dataset.pk}", {**FORM, "lora_r": "8", "epochs": ""}).content.decode()
    assert changed.count("<details open>") == 3  # the essentials; seed and rank are not the usual ones


def test_a_simulation_is_marked_as_one(staff: Client, dataset: Dataset) -> None:
    create(staff, dataset, simulate="on")
    assert Run.objects.get().simulate


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", "0"),
        ("epochs", "dez"),
        ("learning_rate", "1"),
        ("learning_rate", ""),
        ("max_length", "513"),
        ("truncation_side", "centre"),
        ("base_model", "evil/model"),
        ("train_split", "1,0"),
        ("priority", "x"),
    ],
)
def test_a_wrong_value_is_named_at_its_field_and_no_run_is_made(
    staff: Client, dataset: Dataset, field: str, value: str
) -> None:
    response = create(staff, dataset, **{field: value})
    assert list(response.context["form"].errors) == [field]
    assert not Run.objects.exists()


def test_a_base_model_that_was_switched_off_is_not_offered(staff: Client, dataset: Dataset) -> None:
    url = f"{ADD}?dataset={dataset.pk}"
    assert BASE_MODEL in staff.get(url).content.decode()
    BaseModel.objects.filter(name=BASE_MODEL).update(active=False)
    assert BASE_MODEL not in staff.get(url).content.decode()


def test_runs_are_canceled_from_the_list(staff: Client, run: Run) -> None:
    assert "Done for 1 entry." in run_action(staff, "run", "cancel", run.pk)
    assert Run.objects.get().status == JobStatus.CANCELED


def test_a_run_that_has_ended_is_not_canceled_again(staff: Client, ana: User) -> None:
    ended = fill_tables(ana, 1)[0]
    page = run_action(staff, "run", "cancel", ended.pk)
    assert "Done for" not in page
    assert Run.objects.get().status == JobStatus.FAILED


def test_a_running_run_is_asked_to_finish(staff: Client, running_job: Job) -> None:
    run_action(staff, "run", "finish", running_job.run_id)
    assert Job.objects.get().finish_requested_at is not None


def test_a_button_on_the_page_of_a_run_returns_there(staff: Client, run: Run) -> None:
    form = {"action": "cancel", "_selected_action": str(run.pk), "_from_row": str(run.pk)}
    response = staff.post(list_of("run"), form)
    assert response["Location"] == page_of("run", run.pk)
    assert Run.objects.get().status == JobStatus.CANCELED


def test_a_reproduction_belongs_to_who_asked_and_names_its_source(staff: Client, root: User, run: Run) -> None:
    run_action(staff, "run", "reproduce", run.pk)
    copy = Run.objects.get(reproduced_from=run)
    assert copy.owner == root
    assert (copy.hyperparameters, copy.split_digest) == (run.hyperparameters, run.split_digest)


def test_a_run_is_renamed_and_nothing_else_of_it_changes(staff: Client, run: Run) -> None:
    staff.post(page_of("run", run.pk), {"name": "Outro nome", "status": "completed", "base_model": "x"})
    changed = Run.objects.get()
    assert (changed.name, changed.status, changed.base_model) == ("Outro nome", "queued", run.base_model)


def test_a_waiting_run_is_not_deleted(staff: Client, run: Run) -> None:
    page = staff.post(page_of("run", run.pk).replace("change", "delete"), follow=True).content.decode()
    assert "Cancel the run before you delete it." in page
    assert Run.objects.exists()


def test_ended_runs_are_deleted_and_others_left_with_a_reason(staff: Client, ana: User, run: Run) -> None:
    ended = fill_tables(ana, 1)[0]
    page = run_action(staff, "run", "delete_chosen", ended.pk, run.pk, confirmed="yes")
    assert "1 entry was deleted" in page
    assert "Cancel the run" in page
    assert list(Run.objects.all()) == [run]


def test_the_page_of_a_run_leads_to_its_live_page_job_and_log(staff: Client, run: Run) -> None:
    page = staff.get(page_of("run", run.pk)).content.decode()
    for url in (f"/runs/{run.pk}", page_of("job", run.job.pk), f"{list_of('log')}?run__id__exact={run.pk}"):
        assert f'href="{url}"' in page


def test_the_page_of_a_run_explains_why_it_failed(staff: Client, ana: User) -> None:
    run = fill_tables(ana, 1, text="CUDA error 700")[0]
    page = staff.get(page_of("run", run.pk)).content.decode()
    assert "The training program ended with an error." in page
    assert "CUDA error 700" in page


def test_a_run_of_somebody_else_is_reproduced_without_touching_it(staff: Client, ana: User, dataset: Dataset) -> None:
    first = make_run(ana, dataset, name="A primeira")
    run_action(staff, "run", "reproduce", first.pk)
    first.refresh_from_db()
    assert (first.owner, first.status) == (ana, "queued")


def test_staff_see_from_which_model_a_run_begins_and_who_alone_can_begin_it(
    staff: Client, root: User, running_job: Job, worker: Worker
) -> None:
    complete_job(worker, running_job.pk, completion())
    trained = Run.objects.get(pk=running_job.run_id)
    run = make_run(root, trained.dataset, initial_run=trained, name="Segunda")
    content = staff.get(page_of("run", run.pk)).content.decode()
    assert f'<a href="{page_of("run", trained.pk)}">' in content
    assert trained.model_fingerprint in content
    assert f'<a href="{page_of("worker", worker.pk)}">' in staff.get(page_of("job", run.job.pk)).content.decode()


def test_staff_see_the_verdict_on_a_reproduction(staff: Client, root: User, run: Run) -> None:
    copy = reproduce_run(run, owner=root)
    content = staff.get(f"/admin/bert_training/run/{copy.pk}/change/").content.decode()
    assert "One of them has not been completed." in content
    assert "Not known of one of them" not in content


def test_a_run_of_a_task_that_is_gone_opens(staff: Client, run: Run) -> None:
    Run.objects.update(task="gone", result={"metrics": {"f1_macro": 0.9}})
    assert staff.get(page_of("run", run.pk)).status_code == 200


@pytest.mark.usefixtures("filled")
def test_the_page_of_a_run_says_whether_its_model_may_be_used(staff: Client) -> None:
    run = Run.objects.order_by("pk")[0]
    doubtful = make_proof(classes=[class_proof(CANARY, recall=0.0), class_proof("b")])
    proof = RunProof.objects.create(run=run, status=ProofStatus.READY, content=doubtful)
    page = staff.get(page_of("run", run.pk)).content.decode()
    assert "Use with review: " in page
    assert "is never recognised" in page
    assert CANARY not in page
    proof.status = ProofStatus.PENDING
    proof.save()
    assert "being computed" in staff.get(page_of("run", run.pk)).content.decode()


def test_a_run_begins_from_a_trained_model(staff: Client, running_job: Job, worker: Worker) -> None:
    complete_job(worker, running_job.pk, completion())
    trained = Run.objects.get(pk=running_job.run_id)
    page = staff.get(ADD, {"dataset": str(trained.dataset_id)}).content.decode()
    assert f"{trained.pk} · {trained.name} ({trained.base_model})" in page
    create(staff, trained.dataset, initial_run=str(trained.pk), name="goes on")
    assert Run.objects.get(name="goes on").initial_run == trained


def test_a_model_that_cannot_be_begun_from_is_refused_at_its_field(
    staff: Client, running_job: Job, worker: Worker
) -> None:
    complete_job(worker, running_job.pk, completion())
    Worker.objects.update(active=False)
    page = create(staff, running_job.run.dataset, initial_run=str(running_job.run_id)).content.decode()
    assert "switched off" in page
    waiting = make_run(running_job.run.owner, running_job.run.dataset)
    create(staff, running_job.run.dataset, initial_run=str(waiting.pk))
    assert not Run.objects.filter(initial_run__isnull=False).exists()
