"""The audit in the admin: read, narrowed and taken home, never changed; and what staff change by hand is in it."""

import csv
import io
import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Group, Permission, User
from django.test import AsyncClient, Client

from bert_training.contract.enums import AuditKind
from bert_training.models import AuditEvent, BaseModel, GradeScale, Job, Run, Team, Worker
from bert_training.services import audit_export
from bert_training.services.audit import record
from bert_training.services.origin import Caller, Origin, calling_from
from tests.admin.rows import list_of, page_of

LIST = list_of("auditevent")
# What a page sends of the short lists below its form.
NO_INLINES = {f"{name}-{count}_FORMS": "0" for name in ("tokens", "attempts") for count in ("TOTAL", "INITIAL")}


@pytest.fixture
def events(ana: User, root: User, worker: Worker, run: Run) -> None:
    """What ana, root and a worker did to two runs, beside what made them."""
    with calling_from(Origin("request-of-ana", "192.0.2.1", lambda: Caller(ana))):
        record(AuditKind.RUN_CANCELED, target=run, status="queued")
    with calling_from(Origin("request-of-root", "192.0.2.2", lambda: Caller(root))):
        record(AuditKind.RUN_DELETED, target=run)
    with calling_from(Origin("request-of-worker", "192.0.2.3", lambda: Caller(None, worker))):
        record(AuditKind.TOKEN_FIRST_USED, target=worker)


def shown(client: Client, query: str) -> list[str]:
    """Return the kinds of the events that the list shows."""
    found = client.get(f"{LIST}{query}").context["cl"].result_list
    return [event.kind for event in found]


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("?kind=run_deleted", ["run_deleted"]),
        ("?person={ana}", ["run_canceled"]),
        ("?worker={worker}", ["token_first_used"]),
        ("?target=worker:{worker}", ["token_first_used"]),
        ("?target=worker", ["token_first_used"]),
        ("?q=request-of-root", ["run_deleted"]),
        ("?q=ana", ["run_canceled"]),
        ("?q=gpu-1", ["token_first_used"]),
        ("?q=request", []),
        ("?at__gte=2999-01-01+00:00:00%2B00:00", []),
        ("?person={ana}&kind=run_deleted", []),
    ],
)
@pytest.mark.usefixtures("events")
def test_the_list_is_narrowed(staff: Client, ana: User, worker: Worker, query: str, kinds: list[str]) -> None:
    assert shown(staff, query.format(ana=ana.pk, worker=worker.pk)) == kinds


@pytest.mark.parametrize("query", ["?person=x", "?target=%3Cb%3E:1", "?worker=99999999999999999999", "?kind=none"])
@pytest.mark.usefixtures("events")
def test_what_is_not_understood_narrows_nothing(staff: Client, query: str) -> None:
    assert {"run_canceled", "run_deleted", "token_first_used"} <= set(shown(staff, query))


@pytest.mark.usefixtures("events")
def test_a_page_of_an_event_leads_to_its_row(staff: Client, run: Run) -> None:
    event = AuditEvent.objects.get(kind="run_deleted")
    page = staff.get(page_of("auditevent", event.pk)).content.decode()
    assert page_of("run", run.pk) in page
    assert "run deleted" in page
    assert "192.0.2.2" in page


@pytest.mark.usefixtures("events")
def test_nothing_is_added_changed_or_deleted(staff: Client) -> None:
    event = AuditEvent.objects.get(kind="run_deleted")
    for path in ("add/", f"{event.pk}/delete/"):
        assert staff.post(f"{LIST}{path}", {"post": "yes"}).status_code == 403
    assert staff.post(page_of("auditevent", event.pk), {"kind": "shared"}).status_code == 403
    form = {"action": "delete_selected", "_selected_action": str(event.pk), "post": "yes"}
    staff.post(LIST, form)
    assert AuditEvent.objects.get(pk=event.pk).kind == "run_deleted"
    assert [each.codename for each in Permission.objects.filter(content_type__model="auditevent")] == [
        "view_auditevent"
    ]


@pytest.mark.usefixtures("events")
def test_the_export_holds_what_the_list_shows(staff: Client, ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_export, "ROWS_AT_ONCE", 2)
    every = text_of(staff.get(f"{LIST}audit.csv"))
    rows = list(csv.DictReader(io.StringIO(every)))
    assert [int(row["id"]) for row in rows[1:]] == list(
        AuditEvent.objects.filter(pk__lt=int(rows[0]["id"])).values_list("pk", flat=True)
    )
    assert json.loads(rows[0]["facts"]) == {"what": "audit", "form": "csv", "filters": []}
    narrowed = text_of(staff.get(f"{LIST}audit.jsonl?person={ana.pk}"))
    [line] = [json.loads(line) for line in narrowed.splitlines()]
    assert (line["kind"], line["actor_name"], line["facts"]) == ("run_canceled", "ana", {"status": "queued"})
    taken = AuditEvent.objects.filter(kind="exported", actor_name="root")
    assert [event.facts["filters"] for event in taken] == [["person"], []]


def test_a_name_is_no_formula_in_the_export(staff: Client, ana: User) -> None:
    ana.username = "@SUM(1+1)"
    record(AuditKind.SIGNED_OUT, actor=ana)
    rows = csv.DictReader(io.StringIO(text_of(staff.get(f"{LIST}audit.csv?kind=signed_out"))))
    assert [row["actor_name"] for row in rows] == ["'@SUM(1+1)"]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_under_asgi_the_export_is_sent_piece_by_piece(root: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_export, "ROWS_AT_ONCE", 1)
    record(AuditKind.SHARED)

    async def take() -> list[str]:
        client = AsyncClient()
        await client.aforce_login(root)
        answer: Any = await client.get(f"{LIST}audit.jsonl?kind=shared")
        assert answer.is_async
        return [json.loads(piece)["kind"] async for piece in answer.streaming_content]

    assert async_to_sync(take)() == ["shared"]


def test_a_wrong_filter_of_an_export_leads_back_to_the_list(staff: Client) -> None:
    assert staff.get(f"{LIST}audit.csv?at__gte=never").status_code == 302
    assert not AuditEvent.objects.filter(kind="exported").exists()


@pytest.mark.parametrize("path", ["", "audit.csv", "audit.jsonl"])
def test_the_audit_is_for_who_may_view_it(bruno: User, path: str) -> None:
    client = Client()
    client.force_login(bruno)
    assert client.get(f"{LIST}{path}").status_code == 302  # to the sign-in of staff
    User.objects.filter(pk=bruno.pk).update(is_staff=True)
    assert client.get(f"{LIST}{path}").status_code == 403
    bruno.user_permissions.add(Permission.objects.get(codename="view_auditevent"))
    assert client.get(f"{LIST}{path}").status_code == 200


def text_of(answer: Any) -> str:
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode("utf-8-sig")


# --- what staff change by hand ------------------------------------------------------------------------------------


def noted(kind: AuditKind) -> dict[str, Any]:
    """Return the facts of the one event of a kind, which must be root's."""
    event = AuditEvent.objects.get(kind=kind)
    assert event.actor_name == "root"
    return dict(event.facts)


def test_a_scale_of_grades_is_noted_figure_by_figure(staff: Client) -> None:
    scale = GradeScale.objects.all()[0]
    form = {"metric": scale.metric, "excellent": "0.97", "good": scale.good, "fair": scale.fair}
    before = scale.excellent
    staff.post(page_of("gradescale", scale.pk), form)
    facts = noted(AuditKind.GRADES_CHANGED)
    assert facts == {"did": "changed", "fields": ["excellent"], "excellent_before": before, "excellent_after": 0.97}


def test_a_page_that_is_sent_back_unchanged_is_no_event(staff: Client, worker: Worker) -> None:
    staff.post(page_of("worker", worker.pk), {"name": worker.name, "team": "", **NO_INLINES})
    assert not AuditEvent.objects.exists()


def test_a_worker_bound_to_a_team_is_noted_without_texts(staff: Client, worker: Worker, team: Team) -> None:
    form = {"name": "another name", "description": "in room 7", "team": team.pk, **NO_INLINES}
    staff.post(page_of("worker", worker.pk), form)
    assert noted(AuditKind.WORKER_CHANGED) == {
        "did": "changed",
        "fields": ["name", "description", "team"],
        "team_after": team.pk,
    }


def test_a_new_place_in_the_queue_is_noted(staff: Client, run: Run) -> None:
    job = Job.objects.get(run=run)
    staff.post(page_of("job", job.pk), {"priority": "7", "turn": str(job.turn), **NO_INLINES})
    facts = noted(AuditKind.QUEUE_REORDERED)
    assert (facts["priority_before"], facts["priority_after"]) == (0, 7)


def test_deleting_by_hand_is_noted_row_by_row(staff: Client) -> None:
    names = ("a/b", "a/c")
    entries = [
        BaseModel.objects.create(name=name, label=name, tasks=[], max_length=512, size_bytes=1) for name in names
    ]
    form = {"action": "delete_selected", "_selected_action": [str(entry.pk) for entry in entries], "post": "yes"}
    staff.post(list_of("basemodel"), form)
    events = AuditEvent.objects.filter(kind="base_model_changed", facts__did="deleted")
    assert {event.target_id for event in events} == {entry.pk for entry in entries}


def test_rights_and_teams_of_a_person_are_noted_by_number(staff: Client, carla: User, team: Team) -> None:
    trainer = Group.objects.get(name="trainer")
    form = {"username": "carla", "email": "c@example.com", "is_active": "on", "is_staff": "on"}
    staff.post(f"/admin/auth/user/{carla.pk}/change/", {**form, "groups": [trainer.pk], "teams": [team.pk]})
    facts = noted(AuditKind.USER_CHANGED)
    assert (facts["is_staff_before"], facts["is_staff_after"]) == (False, True)
    assert (facts["groups_added"], facts["teams_added"]) == ([trainer.pk], [team.pk])
    assert "example.com" not in str(facts)


def test_what_a_role_may_do_is_noted_permission_by_permission(staff: Client) -> None:
    role = Group.objects.get(name="viewer")
    [before] = role.permissions.all()
    after = Permission.objects.get(codename="train")
    staff.post(f"/admin/auth/group/{role.pk}/change/", {"name": "viewer", "permissions": [after.pk]})
    facts = noted(AuditKind.ROLE_CHANGED)
    assert (facts["permissions_added"], facts["permissions_removed"]) == ([after.pk], [before.pk])


@pytest.mark.parametrize("kind", ["team", "role"])
def test_a_team_or_role_is_noted_from_its_making_to_its_end(staff: Client, carla: User, kind: str) -> None:
    model, rows = {"team": (Team, "/admin/bert_training/team/"), "role": (Group, "/admin/auth/group/")}[kind]
    staff.post(f"{rows}add/", {"name": "plant\u00e3o", "members": [carla.pk]})
    row = model._default_manager.get(name="plant\u00e3o")
    staff.post(f"{rows}{row.pk}/change/", {"name": "noite"})
    staff.post(f"{rows}{row.pk}/delete/", {"post": "yes"})
    events = AuditEvent.objects.filter(target_kind=row._meta.model_name, target_id=row.pk).order_by("pk")
    assert [event.kind for event in events] == [f"{kind}_created", f"{kind}_changed", f"{kind}_deleted"]
    assert "noite" not in str([event.facts for event in events])
    if kind == "team":
        assert [event.facts.get("members_added") for event in events] == [[carla.pk], None, None]
        assert events[1].facts["members_removed"] == [carla.pk]


def test_a_deleted_person_is_noted(staff: Client, carla: User) -> None:
    number = carla.pk
    staff.post(f"/admin/auth/user/{number}/delete/", {"post": "yes"})
    event = AuditEvent.objects.get(kind=AuditKind.USER_DELETED)
    assert (event.target_kind, event.target_id, event.actor_name) == ("user", number, "root")
