"""What staff read is words: facts by their names, moments in the reader's form, groups by what one does with them."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import translation

from bert_training.admin.fact_words import fact_word
from bert_training.contract.enums import AuditKind
from bert_training.models import AuditEvent, Log
from bert_training.services.audit import record
from tests.admin.rows import fill_tables, list_of, page_of
from tests.personas import make_worker


def test_facts_of_the_audit_stand_in_words(staff: Client, ana: User) -> None:
    told: dict[str, Any] = {"did": "changed", "fields": ["is_staff"], "is_staff_before": False, "teams_added": [1]}
    record(AuditKind.USER_CHANGED, target=ana, **told)
    page = staff.get(page_of("auditevent", AuditEvent.objects.get(kind="user_changed").pk)).content.decode()
    facts = re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td>', page)
    wanted = {"done": "changed", "fields": "is_staff", "is staff: before": "no", "teams: added": "1"}
    assert dict(facts) == wanted  # SQLite and PostgreSQL keep keys in another order


@pytest.mark.parametrize(("name", "word"), [("disk_free", "free on the disk"), ("some_new_fact", "some new fact")])
def test_a_fact_has_a_word_or_its_key_readably(name: str, word: str) -> None:
    with translation.override("en"):
        assert fact_word(name) == word


def test_moments_have_the_readers_form(root: User, ana: User) -> None:
    fill_tables(ana, 1)
    assert Log.objects.exists()
    client = Client(headers={"accept-language": "pt-br"})
    client.force_login(root)
    for model in ("log", "auditevent"):
        assert re.search(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d<", client.get(list_of(model)).content.decode())


def test_lists_are_grouped_by_what_staff_do(staff: Client) -> None:
    make_worker()
    groups = {group["app_label"]: [str(entry["name"]) for entry in group["models"]] for group in app_list(staff)}
    assert list(groups) == ["training", "people", "computers", "messages", "record", "background"]
    assert groups["people"][:3] == ["People", "Teams", "Roles"]
    assert groups["computers"][0] == "Computers"


def app_list(staff: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = staff.get("/admin/").context["app_list"]
    return found


def test_attempts_are_narrowed_by_reason_and_jobs_by_task(staff: Client, ana: User) -> None:
    fill_tables(ana, 2)
    for model, query, found in (
        ("jobattempt", "reason=crashed", 2),
        ("jobattempt", "reason=stalled", 0),
        ("job", "task=text-classification", 2),
        ("job", "task=token-classification", 0),
    ):
        assert len(staff.get(f"{list_of(model)}?{query}").context["cl"].result_list) == found


def test_the_history_of_a_row_shows_what_the_audit_noted(staff: Client, root: User, ana: User) -> None:
    run, other = fill_tables(ana, 2)
    record(AuditKind.RUN_CHANGED, target=run, actor=ana, did="changed")
    history = page_of("run", run.pk).replace("change", "history")
    page = staff.get(history).content.decode()
    assert "run changed" in page
    assert f"auditevent/?target=run:{run.pk}" in page
    assert "run changed" not in staff.get(page_of("run", other.pk).replace("change", "history")).content.decode()
    root.is_superuser = False
    root.save()
    root.user_permissions.set(Permission.objects.filter(codename__in=["view_run", "read"]))
    assert "run changed" not in staff.get(history).content.decode()
