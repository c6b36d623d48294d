"""Every list, page and search of the admin opens, for staff only, and costs the same however many rows there are."""

import re

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bert_training.admin import base
from bert_training.models import Log, Run
from tests.admin.rows import CANARY, MODELS, fill_tables, list_of, page_of

ADDABLE = ("dataset", "run", "worker", "accesstoken", "basemodel", "gradescale")
FACTS = ("jobattempt", "metric", "log")


def first_pk(model: str) -> int:
    row = apps.get_model("bert_training", model)._default_manager.first()
    assert row is not None
    return int(row.pk)


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.usefixtures("filled")
def test_list_search_page_and_history_open(staff: Client, model: str) -> None:
    page = page_of(model, first_pk(model))
    for url in (list_of(model), f"{list_of(model)}?q=a", page, page.replace("change", "history")):
        assert staff.get(url).status_code == 200, url


@pytest.mark.parametrize("model", ["run", "dataset"])
@pytest.mark.usefixtures("filled")
def test_a_search_of_thousands_of_words_is_not_tried(staff: Client, model: str) -> None:
    """Each word is a condition of its own: 20,000 kept PostgreSQL busy for 15 s."""
    page = staff.get(f"{list_of(model)}?q={'a+' * 20_000}", headers={"Accept-Language": "en"}).content.decode()
    assert "at most 200 characters" in page


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.usefixtures("filled")
def test_facets_count_the_rows_of_each_filter(staff: Client, model: str) -> None:
    assert staff.get(f"{list_of(model)}?_facets=True").status_code == 200


@pytest.mark.parametrize("model", ADDABLE)
def test_a_form_to_add_opens(staff: Client, model: str) -> None:
    assert staff.get(f"{list_of(model)}add/").status_code == 200


@pytest.mark.parametrize("model", sorted(set(MODELS) - set(ADDABLE)))
def test_what_the_system_writes_cannot_be_added_by_hand(staff: Client, model: str) -> None:
    assert staff.get(f"{list_of(model)}add/").status_code == 403


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.usefixtures("filled")
def test_who_is_no_staff_is_sent_to_the_sign_in(person: Client, model: str) -> None:
    for url in (list_of(model), f"{list_of(model)}add/", page_of(model, first_pk(model))):
        response = person.get(url)
        assert (response.status_code, response["Location"].split("?")[0]) == (302, "/admin/login/")


def test_staff_without_permissions_see_no_list(ana: User) -> None:
    ana.is_staff = True
    ana.save()
    client = Client()
    client.force_login(ana)
    assert {client.get(list_of(model)).status_code for model in MODELS} == {403}


@pytest.mark.parametrize("model", MODELS)
def test_a_list_costs_the_same_with_more_rows(staff: Client, ana: User, model: str) -> None:
    fill_tables(ana, 2)
    staff.get(list_of(model))  # fills Django's cache of content types
    few = queries(staff, list_of(model))
    fill_tables(ana, 6)
    assert queries(staff, list_of(model)) == few
    assert few <= 16


@pytest.mark.parametrize("model", MODELS)
def test_text_from_outside_is_shown_as_text(staff: Client, ana: User, model: str) -> None:
    fill_tables(ana, 1, text=CANARY)
    for url in (list_of(model), page_of(model, first_pk(model))):
        assert CANARY not in staff.get(url).content.decode(), url


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.usefixtures("filled")
def test_no_page_has_inline_script_or_style(staff: Client, model: str) -> None:
    for url in ("/admin/", list_of(model), f"{list_of(model)}add/", page_of(model, first_pk(model))):
        page = staff.get(url).content.decode()
        assert not re.search(r"<style| style=| on(click|load|change)=", page), url
        assert all("src=" in script for script in re.findall(r"<script[^>]*>", page)), url


@pytest.mark.parametrize("model", FACTS)
@pytest.mark.usefixtures("filled")
def test_facts_can_neither_be_changed_nor_deleted(staff: Client, model: str) -> None:
    page = page_of(model, first_pk(model))
    assert staff.post(page, {"message": "changed"}).status_code == 403
    assert staff.get(page.replace("change", "delete")).status_code == 403


def test_a_long_list_is_counted_only_as_far_as_it_is_paged(
    staff: Client, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "COUNTED_ROWS", 3)
    fill_tables(ana, 5)
    assert staff.get(list_of("log")).context["cl"].paginator.count == 3


def test_the_log_list_of_a_run_holds_that_run_only_and_searches_in_it(staff: Client, ana: User) -> None:
    first, _second = fill_tables(ana, 2)
    Log.objects.filter(run=first).update(message="out of memory")
    found = staff.get(f"{list_of('log')}?run__id__exact={first.pk}&q=memory").context["cl"].result_list
    assert [line.run_id for line in found] == [first.pk]


@pytest.mark.usefixtures("filled")
def test_a_search_in_the_lines_of_all_runs_asks_for_a_run_first(staff: Client) -> None:
    response = staff.get(f"{list_of('log')}?q=step")
    assert not response.context["cl"].result_list
    assert "one run first" in response.content.decode()


@pytest.mark.usefixtures("filled")
def test_log_lines_are_filtered_by_level(staff: Client) -> None:
    Log.objects.filter(pk=first_pk("log")).update(level="ERROR")
    found = staff.get(f"{list_of('log')}?level=ERROR").context["cl"].result_list
    assert [line.level for line in found] == ["ERROR"]


def test_the_page_of_a_run_costs_the_same_with_a_long_log(staff: Client, ana: User) -> None:
    run = fill_tables(ana, 1)[0]
    staff.get(page_of("run", run.pk))
    few = queries(staff, page_of("run", run.pk))
    attempt = Run.objects.get(pk=run.pk).job.attempts.get()
    lines = [
        Log(run=run, attempt=attempt, seq=seq, timestamp=run.created_at, level="INFO", message="step")
        for seq in range(2, 300)
    ]
    Log.objects.bulk_create(lines)
    assert queries(staff, page_of("run", run.pk)) == few


def test_an_action_refuses_more_rows_than_it_can_do_at_once(
    staff: Client, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "ACTED_ROWS", 1)
    pks = [str(run.pk) for run in fill_tables(ana, 2)]
    page = staff.post(list_of("run"), {"action": "cancel", "_selected_action": pks}, follow=True).content.decode()
    assert "at most 1 entries" in page
