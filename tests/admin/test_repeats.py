"""Staff repeat runs by actions; the list of runs hides repeats until they are asked for."""

from django.contrib.auth.models import User
from django.test import Client

from bert_training.models import Run, Worker
from tests.admin.rows import list_of, page_of, run_action
from tests.pages.training import train
from tests.personas import make_run


def completed(owner: User, worker: Worker) -> Run:
    return train(worker, make_run(owner, name="Assunto"))


def test_a_run_is_cross_validated_and_tried_with_other_seeds(staff: Client, ana: User, worker: Worker) -> None:
    run = completed(ana, worker)
    assert "Done for 1 entry." in run_action(staff, "run", "cross_validate", run.pk)
    assert "Done for 1 entry." in run_action(staff, "run", "try_seeds", run.pk)
    assert [child.repeat_kind for child in run.repeats.order_by("pk")] == ["fold"] * 5 + ["seed"] * 3
    assert {child.owner for child in run.repeats.all()} == {ana}
    run_action(staff, "run", "cancel_all_repeats", run.pk)
    assert {child.status for child in run.repeats.all()} == {"canceled"}


def test_what_cannot_be_repeated_is_said(staff: Client, ana: User) -> None:
    assert "Only a completed run is repeated" in run_action(staff, "run", "cross_validate", make_run(ana).pk)


def test_the_list_hides_repeats_until_they_are_asked_for(staff: Client, ana: User, worker: Worker) -> None:
    run = completed(ana, worker)
    run_action(staff, "run", "cross_validate", run.pk)

    def listed(query: str = "") -> set[int]:
        response = staff.get(list_of("run") + query)
        return {row.pk for row in response.context["cl"].result_list}

    children = {child.pk for child in run.repeats.all()}
    assert listed() == {run.pk}
    assert listed("?repeats=only") == children
    assert listed("?repeats=too") == {run.pk, *children}
    assert listed(f"?repeats=too&repeat_of__id__exact={run.pk}") == children


def test_the_page_of_a_repeat_leads_to_its_run_and_its_buttons_work(staff: Client, ana: User, worker: Worker) -> None:
    run = completed(ana, worker)
    run_action(staff, "run", "try_seeds", run.pk)
    child = run.repeats.order_by("pk")[0]
    page = staff.get(page_of("run", child.pk)).content.decode()
    assert f'href="{page_of("run", run.pk)}"' in page
    assert "cross_validate" not in page
    assert "cross_validate" in staff.get(page_of("run", run.pk)).content.decode()
    run_action(staff, "run", "cancel", child.pk, _from_row=str(child.pk))
    child.refresh_from_db()
    assert child.status == "canceled"
