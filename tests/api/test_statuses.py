"""Protocol section 7: every status and code, provoked over HTTP, with exactly the fields that its answer promises.

408, 414 and 431 need the real server (tests/portal/test_server.py). The worker: tests/worker/test_reactions.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client

from bert_training.api import rate_limit
from bert_training.contract.limits import JSON_BODY_BYTES
from bert_training.contract.tokens import USER_PREFIX, make_token
from bert_training.models import Job, Run, Worker
from bert_training.services.runs import cancel_run, delete_run
from bert_training.services.workers import set_worker_active
from tests.api.conftest import Answer, Api, Caller, outcome_of
from tests.api.test_worker_story import CLAIM, completed, line
from tests.personas import XLSX
from tests.workbooks import workbook_bytes

pytestmark = pytest.mark.embedded

FORM = {"code", "message", "errors", "request_id"}
PROGRESS = {"attempt": 1, "phase": "training", "step": 1}


@dataclass(frozen=True)
class Scene:
    """Ana's run, trained by `gpu` as attempt 1, and whoever else calls."""

    api: Api
    run: Run
    job: Job
    worker: Worker
    gpu: Caller
    stranger: Caller
    patch: pytest.MonkeyPatch

    def owner(self) -> Caller:
        return self.api.as_person(self.run.owner)

    def progress(self, caller: Caller | None = None, **changes: Any) -> Answer:
        return (caller or self.gpu).post(f"/jobs/{self.job.pk}/progress", {**PROGRESS, **changes})

    def complete(self, **changes: Any) -> Answer:
        return self.gpu.post(f"/jobs/{self.job.pk}/complete", completed(**changes))

    def log(self, *lines: dict[str, Any], **changes: Any) -> Answer:
        batch = {"job_id": self.job.pk, "attempt": 1, "first_seq": 1, "lines": list(lines)}
        return self.gpu.post("/logs/batch", {**batch, **changes})

    def beat(self) -> Answer:
        body = {"instance": "machine-1:1", "state": "busy", "sent_at": "2026-11-20T10:00:00+00:00"}
        return self.gpu.post("/workers/heartbeat", {**body, "job_id": self.job.pk, "attempt": 1})

    def table(self) -> Answer:
        return self.gpu.get(f"/datasets/{self.run.dataset_id}/download?form=table")


@pytest.fixture
def scene(
    api: Api, run: Run, running_job: Job, worker: Worker, other_worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> Scene:
    gpu, stranger = api.as_worker(worker), api.as_worker(other_worker)
    return Scene(api, run, running_job, worker, gpu, stranger, monkeypatch)


def with_header(value: str) -> Callable[[Scene], Answer]:
    return lambda scene: Caller(Client(), authorization=value).post("/jobs/claim", CLAIM)


def switched_off(scene: Scene) -> Answer:
    set_worker_active(scene.worker, False)
    return scene.beat()


def of_a_deleted_run(scene: Scene) -> Answer:
    scene.complete()
    scene.run.refresh_from_db()
    delete_run(scene.run)
    return scene.log(line())


def without_its_file(scene: Scene) -> Answer:
    default_storage.delete(scene.run.dataset.table_key)
    return scene.table()


def after_a_restart(scene: Scene) -> Answer:
    scene.gpu.post("/jobs/claim", {**CLAIM, "instance": "machine-1:2"})
    return scene.progress()


def after_the_end(call: Callable[[Scene], Answer]) -> Callable[[Scene], Answer]:
    def provoke(scene: Scene) -> Answer:
        assert scene.complete().status_code == 200
        return call(scene)

    return provoke


def after_a_cancel(scene: Scene) -> Answer:
    cancel_run(scene.run)
    scene.complete(outcome="canceled", result=None)
    return scene.complete()


def without_calls_left(scene: Scene) -> Answer:
    scene.patch.setattr(rate_limit, "CALLS_IN_A_ROW", 0)
    return scene.log(line())


def without_a_database(scene: Scene) -> Answer:
    def away(*_arguments: Any, **_options: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    scene.patch.setattr("bert_training.services.telemetry.append_logs", away)
    return scene.log(line())


def without_room(scene: Scene) -> Answer:
    def full(*_arguments: Any, **_options: Any) -> None:
        raise OSError(28, "No space left on device")

    scene.patch.setattr(default_storage, "save", full)
    file = SimpleUploadedFile("peticoes.xlsx", workbook_bytes("text-classification"), content_type=XLSX)
    return scene.owner().upload("/datasets/upload", task="text-classification", file=file)


def by_a_fault_of_ours(scene: Scene) -> Answer:
    def broken(*_arguments: Any, **_options: Any) -> None:
        raise RuntimeError("secret detail")

    scene.patch.setattr("bert_training.services.telemetry.append_logs", broken)
    scene.gpu.client.raise_request_exception = False
    return scene.log(line())


GOOD = f"Bearer {make_token(USER_PREFIX)}"
TOO_MUCH = b" " * (JSON_BODY_BYTES + 1)
JSON = "application/json"

# What the row of section 7 says: status, code, fields beside the four that every error has.
STATUSES: dict[str, tuple[Callable[[Scene], Answer], int, str, set[str]]] = {
    "unparsable": (lambda s: s.gpu.raw("POST", "/logs/batch", b"{", JSON), 400, "invalid_json", set()),
    "wrong value": (lambda s: s.log(line(), first_seq=0), 400, "invalid_field", set()),
    "no token": (lambda s: s.api.anonymous().post("/jobs/claim", CLAIM), 401, "token_missing", set()),
    "garbled token": (with_header("Bearer bertw_x"), 401, "token_malformed", set()),
    "unknown token": (with_header(GOOD), 401, "token_unknown", set()),
    "switched off": (switched_off, 403, "worker_inactive", set()),
    "unknown job": (lambda s: s.gpu.post("/jobs/4711/progress", PROGRESS), 404, "not_found", set()),
    "job never held": (lambda s: s.progress(s.stranger), 404, "not_found", set()),
    "deleted run": (of_a_deleted_run, 404, "not_found", set()),
    "table gone": (without_its_file, 404, "dataset_gone", set()),
    "another method": (lambda s: s.gpu.get("/jobs/claim"), 405, "method_not_allowed", set()),
    "another type wanted": (lambda s: s.owner().get("/runs", accept="text/csv"), 406, "not_acceptable", set()),
    "attempt that is over": (after_a_restart, 409, "lease_lost", {"attempt"}),
    "attempt of the future": (lambda s: s.progress(attempt=2), 409, "lease_lost", {"attempt"}),
    "lines missing": (lambda s: s.log(line(), first_seq=7), 409, "stream_gap", {"next_seq"}),
    "end before its lines": (
        lambda s: s.complete(log_seq=3),
        409,
        "stream_incomplete",
        {"log_seq", "metric_seq", "prediction_seq"},
    ),
    "progress after the end": (after_the_end(Scene.progress), 409, "already_finished", {"status"}),
    "heartbeat after the end": (after_the_end(Scene.beat), 409, "already_finished", {"status"}),
    "another end": (after_a_cancel, 409, "already_finished", {"status"}),
    "cancel after the end": (
        after_the_end(lambda s: s.owner().post(f"/runs/{s.run.pk}/cancel")),
        409,
        "already_finished",
        {"status"},
    ),
    "another machine": (
        lambda s: s.gpu.post("/jobs/claim", {**CLAIM, "instance": "machine-2:1"}),
        409,
        "instance_conflict",
        {"retry_after"},
    ),
    "too large": (lambda s: s.gpu.raw("POST", "/logs/batch", TOO_MUCH, JSON), 413, "too_large", {"limit"}),
    "not JSON": (
        lambda s: s.gpu.raw("POST", "/logs/batch", b"{}", "text/plain"),
        415,
        "unsupported_media_type",
        set(),
    ),
    "compressed": (
        lambda s: s.gpu.raw("POST", "/logs/batch", b"{}", JSON, content_encoding="gzip"),
        415,
        "unsupported_media_type",
        set(),
    ),
    "old protocol": (
        lambda s: s.gpu.post("/jobs/claim", CLAIM, x_worker_protocol="0"),
        426,
        "protocol_too_old",
        {"min", "max"},
    ),
    "too many calls": (without_calls_left, 429, "rate_limited", {"retry_after"}),
    "no database": (without_a_database, 503, "unavailable", set()),
    "no room for a file": (without_room, 503, "storage_full", {"retry_after"}),
    "a fault of ours": (by_a_fault_of_ours, 500, "internal", set()),
}
MUST_SAY_WHEN = {"instance_conflict", "rate_limited", "unavailable", "storage_full"}


@pytest.mark.parametrize(("provoke", "status", "code", "fields"), STATUSES.values(), ids=STATUSES.keys())
def test_each_bad_case_has_its_status_code_and_fields(
    scene: Scene, provoke: Callable[[Scene], Answer], status: int, code: str, fields: set[str]
) -> None:
    response = provoke(scene)
    assert outcome_of(response) == (status, code)
    assert set(response.json()) == FORM | fields
    assert ("Retry-After" in response.headers) == (code in MUST_SAY_WHEN)
    assert ("WWW-Authenticate" in response.headers) == (status == 401)
    assert "secret" not in response.content.decode()


def test_a_refusal_says_where_the_portal_is(scene: Scene) -> None:
    scene.log(line("one"), line("two"))
    assert scene.log(line(), first_seq=7).json()["next_seq"] == 3
    assert scene.complete(log_seq=9, metric_seq=1).json()["log_seq"] == 2
    assert after_a_restart(scene).json()["attempt"] == 2


def test_the_same_end_again_is_answered_the_same(scene: Scene) -> None:
    for _time in range(3):
        assert (scene.complete().status_code, scene.complete().json()) == (200, {"status": "completed"})
