"""Each event of the audit through the door that it comes by: who, what, which row, which request; and no text ever."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bert_training.contract.enums import AuditKind, JobStatus, Role
from bert_training.models import AuditEvent, Dataset, Job, Run, Team, Worker
from bert_training.services import frequent_events
from bert_training.services.frequent_events import HourlyCounts
from bert_training.services.tokens import issue_user_token, revoke_token
from tests.api.conftest import Answer, Api, Caller
from tests.checking import judge_manifests_here, make_workbooks_here
from tests.pages.training import train
from tests.personas import BASE_MODEL, claim, make_run, make_user, ready_dataset, share
from tests.workbooks import workbook_bytes

pytestmark = pytest.mark.usefixtures("checked_here")

CANARY = "Sabi\u00e1 cant\u00f4u"  # in every text that a person may write
MANIFEST = "linha,conjunto\n" + "".join(f"{row},treino\n" for row in range(2, 10))
MANIFEST += "10,validacao\n11,validacao\n12,teste\n13,teste\n"


@pytest.fixture(autouse=True)
def _nothing_counted_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers of rows come again in each test's database: what one test downloaded, another downloads too."""
    monkeypatch.setattr(frequent_events, "_counts", HourlyCounts())
    judge_manifests_here(monkeypatch)
    make_workbooks_here(monkeypatch)


@dataclass
class World:
    """Who acts on what: ana by the API, her browser, root's browser."""

    ana: Caller
    browser: Client
    staff: Client
    dataset: Dataset
    run: Run
    worker: Worker
    team: Team

    def ended(self) -> Run:
        """Return the run, ended without an event about it."""
        Job.objects.get(run=self.run).transition(JobStatus.CANCELED)
        return self.run

    def running(self) -> Run:
        """Return the run once the worker trains it."""
        claim(self.worker)
        return self.run


@pytest.fixture
def world(api: Api, ana: User, root: User, worker: Worker, team: Team) -> World:
    """A dataset and a run of ana's whose names and descriptions hold the canary; what made them is no event here."""
    dataset = ready_dataset(ana, name=CANARY, description=CANARY)
    run = make_run(ana, dataset, name=CANARY)
    browser, staff = Client(), Client()
    browser.force_login(ana)
    staff.force_login(root)
    return World(api.as_person(ana), browser, staff, dataset, run, worker, team)


def upload(world: World) -> Answer:
    content = workbook_bytes("text-classification", rows=12, salt="another")
    form = {"task": "text-classification", "name": CANARY, "description": CANARY}
    return world.ana.upload("/datasets/upload", file=named(content), **form)


def named(content: bytes, name: str = f"{CANARY}.xlsx") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def new_run(world: World) -> Answer:
    return world.ana.post("/runs", {"dataset": world.dataset.pk, "base_model": BASE_MODEL, "name": CANARY})


def send_manifest(world: World) -> Answer:
    return world.ana.upload(f"/datasets/{world.dataset.pk}/manifest", file=named(MANIFEST.encode(), f"{CANARY}.csv"))


def register(world: World) -> Answer:
    body = json.dumps({"name": CANARY, "description": CANARY})
    return world.staff.post("/bert-training/api/workers/register", body, content_type="application/json")


def switch(action: str) -> Callable[[World], Answer]:
    def act(world: World) -> Answer:
        form = {"action": action, "_selected_action": [str(world.worker.pk)]}
        return world.staff.post("/admin/bert_training/worker/", form)

    return act


def shared(world: World) -> Answer:
    body = {"shares": [{"team": world.team.pk, "level": "use"}]}
    return world.ana.put(f"/datasets/{world.dataset.pk}/shares", body)


def moved(world: World) -> Answer:
    operator = Client()
    operator.force_login(make_user("otto", roles=[Role.OPERATE]))
    return operator.post(f"/queue/{Job.objects.get(run=world.run).pk}/priority", {"priority": "5"})


def unshared(world: World) -> Answer:
    share(world.run, world.team)
    return world.ana.put(f"/runs/{world.run.pk}/shares", {"shares": []})


@dataclass(frozen=True)
class Case:
    """What is done, by whom, and the one event that it must leave."""

    kind: str
    act: Callable[[World], Answer]
    actor: str = "ana"
    target: str = "run"
    facts: dict[str, Any] | None = None


D, R = "/datasets/{0.dataset.pk}", "/runs/{0.run.pk}"


def api_call(method: str, path: str, body: Any = None) -> Callable[[World], Answer]:
    content = b"" if body is None else json.dumps(body).encode()
    return lambda world: world.ana.raw(method, path.format(world), content, "application/json")


def page(path: str) -> Callable[[World], Answer]:
    return lambda world: world.browser.get(path.format(world))


CASES = [
    Case("dataset_uploaded", upload, target="dataset"),
    Case("dataset_changed", api_call("PATCH", D, {"name": CANARY}), target="dataset", facts={"fields": ["name"]}),
    Case("dataset_deleted", lambda world: world.ended() and world.ana.delete(D.format(world)), target="dataset"),
    Case("manifest_uploaded", send_manifest, target="dataset"),
    Case("manifest_forgotten", api_call("DELETE", f"{D}/manifest"), target="dataset"),
    Case("exported", page(f"{D}/download"), target="dataset", facts={"what": "original", "part": "train"}),
    Case("exported", page(f"{D}/workbook"), target="dataset", facts={"what": "workbook"}),
    Case("exported", page(f"{D}/problems"), target="dataset", facts={"what": "problems"}),
    Case("exported", page(f"{R}/manifest"), facts={"what": "manifest"}),
    Case("exported", page(f"{R}/metrics"), facts={"what": "metrics"}),
    Case("exported", api_call("GET", f"{D}/download"), target="dataset", facts={"what": "original", "part": "train"}),
    Case("run_created", new_run),
    Case("run_reproduced", api_call("POST", f"{R}/reproduce")),
    Case("run_changed", api_call("PATCH", R, {"name": f"{CANARY} 2"}), facts={"fields": ["name"]}),
    Case("run_canceled", api_call("POST", f"{R}/cancel"), facts={"status": "canceled"}),
    Case("run_canceled", lambda world: world.browser.post(f"/runs/{world.run.pk}/cancel")),
    Case("run_finished_early", lambda world: world.running() and api_call("POST", f"{R}/finish")(world)),
    Case("run_deleted", lambda world: world.ended() and world.ana.delete(R.format(world))),
    Case("queue_reordered", moved, actor="otto", target="job", facts={"priority_after": 5}),
    Case("shared", shared, target="dataset"),
    Case("unshared", unshared),
    Case("worker_registered", register, actor="root", target="worker"),
    Case("worker_deactivated", switch("deactivate"), actor="root", target="worker"),
    Case("worker_activated", switch("activate"), actor="root", target="worker"),
    Case("worker_draining", switch("drain"), actor="root", target="worker"),
    Case("worker_draining_ended", switch("stop_draining"), actor="root", target="worker"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind)
def test_what_is_done_is_one_event_without_texts(world: World, case: Case, worker: Worker) -> None:
    newest = AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    answer = case.act(world)
    assert answer.status_code < 400
    [event] = AuditEvent.objects.filter(pk__gt=newest).exclude(kind="token_made")
    assert (event.kind, event.actor_name, event.target_kind) == (case.kind, case.actor, case.target)
    assert event.request_id == answer.headers["X-Request-ID"]
    assert event.address == "127.0.0.1"
    assert event.target_id is not None
    assert case.facts is None or event.facts == case.facts, event.facts
    row = AuditEvent.objects.filter(pk=event.pk).values().get()
    assert "sabi" not in json.dumps(row, default=str, ensure_ascii=False).lower()


def test_each_repeat_of_a_run_is_an_event(world: World) -> None:
    train(world.worker, world.run)
    answer = world.ana.post(f"/runs/{world.run.pk}/repeats", {"kind": "seed", "count": 2})
    events = AuditEvent.objects.filter(kind=AuditKind.RUN_REPEATED)
    assert {event.request_id for event in events} == {answer.headers["X-Request-ID"]}
    assert [event.facts["first_run"] for event in events] == 2 * [world.run.pk]


# --- refusals -------------------------------------------------------------------------------------------------------


def denials() -> list[AuditEvent]:
    """Return who was refused, the first first."""
    return list(AuditEvent.objects.filter(kind=AuditKind.ACCESS_DENIED).order_by("pk"))


@pytest.mark.parametrize("path", ["/runs/{0.run.pk}", "/bert-training/api/runs/{0.run.pk}/metrics"])
def test_who_asks_for_a_hidden_row_is_noted_with_the_row(world: World, carla: User, path: str) -> None:
    stranger = Client()
    stranger.force_login(carla)
    answer = stranger.get(path.format(world))
    assert answer.status_code == 404
    [event] = denials()
    assert (event.actor_name, event.target_kind, event.target_id) == ("carla", "run", world.run.pk)
    assert event.facts == {"status": 404}
    assert event.request_id == answer.headers["X-Request-ID"]


def test_a_worker_that_asks_for_the_job_of_another_is_noted(world: World, api: Api, other_worker: Worker) -> None:
    job = Job.objects.get(run=world.run)
    assert api.as_worker(other_worker).get(f"/jobs/{job.pk}/manifest").status_code == 404
    [event] = denials()
    assert (event.worker_name, event.target_kind, event.target_id) == ("gpu-2", "job", job.pk)
    assert event.token_prefix.startswith("bertw_")


def test_what_does_not_exist_is_no_event(world: World) -> None:
    newest = AuditEvent.objects.latest("pk").pk
    for path in ("/runs/999999", "/datasets/999999", "/no-such-page", "/bert-training/api/runs/999999"):
        assert world.browser.get(path).status_code == 404
    assert not AuditEvent.objects.filter(pk__gt=newest).exists()


def test_a_refused_change_is_noted_with_its_route(world: World, vera: User, team: Team) -> None:
    share(world.run, team)
    viewer = Client()
    viewer.force_login(vera)
    assert viewer.post(f"/runs/{world.run.pk}/cancel").status_code == 403
    [event] = denials()
    assert event.actor_name == "vera"
    assert event.facts == {"status": 403, "method": "POST", "route": "pages:run-cancel", "row": world.run.pk}


def test_a_token_that_opens_nothing_is_noted_without_it(world: World, api: Api, ana: User) -> None:
    token = issue_user_token(ana, label="tests")
    revoke_token(token[0])
    assert api.with_token(token[1]).get("/runs").status_code == 401
    event = AuditEvent.objects.get(kind=AuditKind.TOKEN_REFUSED)
    assert (event.actor_id, event.address) == (None, "127.0.0.1")
    assert token[1][:20] not in json.dumps(AuditEvent.objects.filter(pk=event.pk).values().get(), default=str)


def test_a_scanner_leaves_few_rows_that_say_how_many_were_left_out(
    world: World, carla: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frequent_events, "EACH", 5)
    stranger = Client()
    stranger.force_login(carla)
    for _call in range(13):
        stranger.get(f"/bert-training/api/runs/{world.run.pk}")
    events = denials()
    assert len(events) == 6
    assert events[-1].facts == {"status": 404, "left_out": 4}
    other = Client()
    other.force_login(User.objects.get(username="ana"))
    other.post("/bert-training/api/workers/register", "{}", content_type="application/json")
    assert denials()[-1].actor_name == "ana"  # each caller is counted apart


# --- what is no event, and what one costs ---------------------------------------------------------------------------


def test_looking_is_no_event(world: World) -> None:
    newest = AuditEvent.objects.latest("pk").pk
    run, dataset = world.run.pk, world.dataset.pk
    pages = ["/", "/datasets", f"/datasets/{dataset}", "/runs", "/runs/new", f"/runs/{run}", "/account"]
    calls = ["runs", f"runs/{run}", f"runs/{run}/logs", f"runs/{run}/metrics", "datasets", f"datasets/{dataset}"]
    for path in [*pages, *(f"/bert-training/api/{call}" for call in calls)]:
        assert world.browser.get(path).status_code == 200, path
    for path in ("/admin/", "/admin/bert_training/auditevent/", f"/admin/bert_training/run/{run}/change/"):
        assert world.staff.get(path).status_code == 200, path
    assert not AuditEvent.objects.filter(pk__gt=newest).exists()


def test_an_event_costs_one_statement(world: World) -> None:
    with CaptureQueriesContext(connection) as captured:
        world.ana.post(f"/runs/{world.run.pk}/cancel")
    statements = [query["sql"] for query in captured if "bert_audit_events" in query["sql"]]
    assert len(statements) == 1
    assert statements[0].startswith("INSERT")
