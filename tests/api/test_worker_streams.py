"""What a worker may send wrong in streams, reports and heartbeats (bad inputs 109-118): never a 5xx, never a stop."""

import json
from typing import Any

import pytest

from bert_training.contract.enums import Outcome, Reason
from bert_training.contract.limits import JSON_BODY_BYTES, LINE_BYTES, METRIC_NAMES_PER_RUN
from bert_training.models import Job, JobAttempt, Log, Metric, Run, Worker
from bert_training.services.jobs import requeue
from tests.api.conftest import Api, Caller, outcome_of, run_for
from tests.api.test_worker_story import CLAIM, RESULT, completed, line, point

pytestmark = pytest.mark.embedded


@pytest.fixture
def gpu(api: Api, worker: Worker) -> Caller:
    return api.as_worker(worker)


def batch(job: Job, *lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"job_id": job.pk, "attempt": 1, "first_seq": 1, "lines": list(lines), **changes}


def points(job: Job, *points: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"job_id": job.pk, "attempt": 1, "first_seq": 1, "points": list(points), **changes}


def beat(**changes: Any) -> dict[str, Any]:
    return {"instance": "machine-1:1", "state": "idle", "sent_at": "2026-11-20T10:00:00+00:00", **changes}


@pytest.mark.parametrize("number", [0, -1, 2**63, 10**400, 1.0, 1.5, "1", True, None, [1]])
@pytest.mark.parametrize("name", ["first_seq", "attempt", "job_id"])
def test_a_number_of_another_kind_is_refused(gpu: Caller, running_job: Job, name: str, number: Any) -> None:
    assert outcome_of(gpu.post("/logs/batch", batch(running_job, line(), **{name: number}))) == (400, "invalid_field")
    assert outcome_of(gpu.post("/metrics", points(running_job, point(), **{name: number}))) == (400, "invalid_field")


def test_a_number_far_ahead_is_a_gap(gpu: Caller, running_job: Job) -> None:
    assert outcome_of(gpu.post("/logs/batch", batch(running_job, line(), first_seq=2**62))) == (409, "stream_gap")
    assert outcome_of(gpu.post("/metrics", points(running_job, point(), first_seq=2))) == (409, "stream_gap")


@pytest.mark.parametrize("path", ["/logs", "/logs/batch", "/metrics", "/workers/heartbeat", "/jobs/{job}/complete"])
def test_a_body_of_a_byte_too_many_is_refused(gpu: Caller, running_job: Job, path: str) -> None:
    body = json.dumps(batch(running_job, line())).encode()
    body += b" " * (JSON_BODY_BYTES + 1 - len(body))
    response = gpu.raw("POST", path.format(job=running_job.pk), body, "application/json")
    assert outcome_of(response) == (413, "too_large")
    assert response.json()["limit"] == JSON_BODY_BYTES


def test_a_body_of_the_greatest_size_is_read(gpu: Caller, running_job: Job) -> None:
    body = json.dumps(batch(running_job, line())).encode()
    body += b" " * (JSON_BODY_BYTES - len(body))
    assert gpu.raw("POST", "/logs/batch", body, "application/json").json()["next_seq"] == 2


LENIENT: dict[str, tuple[dict[str, Any], str]] = {
    "unknown level": ({"level": "FATAL!!"}, "Epoch 1"),
    "level of 10,000 characters": ({"level": "x" * 10_000}, "Epoch 1"),
    "1970": ({"ts": "1970-01-01T00:00:00+00:00"}, "[1970-01-01T00:00:00+00:00] Epoch 1"),
    "9999": ({"ts": "9999-12-31T23:59:59-23:59"}, "[9999-12-31T23:59:59-23:59] Epoch 1"),
    "year 1": ({"ts": "0001-01-01T00:00:00+23:59"}, "[0001-01-01T00:00:00+23:59] Epoch 1"),
    "no zone": ({"ts": "2026-11-20T10:00:00"}, "[2026-11-20T10:00:00] Epoch 1"),
    "no time": ({"ts": "yesterday"}, "[yesterday] Epoch 1"),
    "a time with an escape": ({"ts": "\x1b[2Jnow\n"}, "[now ] Epoch 1"),
    "NUL": ({"message": "a\x00b"}, "ab"),
    "half a character": ({"message": "a\ud800b"}, "a\ufffdb"),
    "half a character in the time": ({"ts": "\ud800"}, "[\ufffd] Epoch 1"),
    "half a character in the level": ({"level": "\udfff"}, "Epoch 1"),
    "carriage return": ({"message": "50%\r100%"}, "50% 100%"),
    "forged lines": ({"message": "ok\r\nERROR 2026-11-20 root signed in"}, "ok  ERROR 2026-11-20 root signed in"),
    "markup": ({"message": "<script>alert(1)</script>"}, "<script>alert(1)</script>"),
    "colour": ({"message": "\x1b[1;31mred\x1b[0m"}, "\x1b[1;31mred\x1b[0m"),
    "clear screen": ({"message": "\x1b[2J\x1b[Hgone"}, "gone"),
    "link": ({"message": "\x1b]8;;http://evil.example\x1b\\here\x1b]8;;\x1b\\"}, "here"),
    "bell": ({"message": "\x07"}, "\ufffd"),
    "empty": ({"message": ""}, ""),
}


@pytest.mark.parametrize(("changes", "stored"), LENIENT.values(), ids=LENIENT.keys())
@pytest.mark.parametrize("path", ["/logs", "/logs/batch"])
def test_a_strange_line_is_taken_and_cleaned(
    gpu: Caller, running_job: Job, path: str, changes: dict[str, Any], stored: str
) -> None:
    strange = line(**changes)
    single = {"job_id": running_job.pk, "attempt": 1, "seq": 1, **strange}
    response = gpu.post(path, single if path == "/logs" else batch(running_job, strange))
    assert response.json() == {"next_seq": 2, "directive": "continue"}
    entry = Log.objects.get()
    assert (entry.message, entry.level) == (stored, "INFO")


def test_a_line_of_a_megabyte_is_cut_with_a_mark(gpu: Caller, running_job: Job) -> None:
    gpu.post("/logs/batch", batch(running_job, line("ç" * 150_000)))
    message = Log.objects.get().message
    assert LINE_BYTES - 8 < len(message.encode()) <= LINE_BYTES
    assert message.endswith(" [...]")


BAD_POINTS: dict[str, dict[str, Any]] = {
    "10,000 names": {"values": {f"m{number}": 1.0 for number in range(10_000)}},
    "a name like a method": {"values": {"__proto__": 1.0}},
    "an empty name": {"values": {"": 1.0}},
    "a name with a newline": {"values": {"loss\n": 1.0}},
    "a word": {"values": {"loss": "high"}},
    "true": {"values": {"loss": True}},
    "a list": {"values": {"loss": [1.0]}},
    "a number beyond all": {"values": {"loss": 10**400}},
    "values as a list": {"values": [1.0]},
    "a step before the first": {"step": -1},
    "a step beyond all": {"step": 2**31},
}


@pytest.mark.parametrize("changes", BAD_POINTS.values(), ids=BAD_POINTS.keys())
def test_a_wrong_point_is_refused_whole(gpu: Caller, running_job: Job, changes: dict[str, Any]) -> None:
    response = gpu.post("/metrics", points(running_job, point(), point(**changes)))
    assert outcome_of(response) == (400, "invalid_field")
    assert response.json()["errors"][0]["path"].startswith("points.1.")
    assert not Metric.objects.exists()


def test_the_hardware_is_taken_as_points_of_their_own(api: Api, gpu: Caller, running_job: Job) -> None:
    assert gpu.post("/jobs/claim", CLAIM).json()["wants_hardware"] is True  # asked again, it holds the job
    sent = points(running_job, point(), point(split="hardware", values={"cpu_percent": 12.5}))
    assert gpu.post("/metrics", sent).json() == {"next_seq": 3, "directive": "continue"}
    owner = api.as_person(running_job.run.owner)
    found = owner.get(f"/runs/{running_job.run_id}/metrics?split=hardware").json()["points"]
    assert [(found_point["split"], found_point["values"]) for found_point in found] == [
        ("hardware", {"cpu_percent": 12.5})
    ]
    rows = f"/datasets/{running_job.run.dataset_id}/download?part=hardware"
    assert owner.get(rows).status_code == 400  # it is no part of the data


def test_a_number_that_json_has_not_is_refused(gpu: Caller, running_job: Job) -> None:
    body = json.dumps(points(running_job, point(values={"loss": float("nan")}))).encode()
    assert outcome_of(gpu.raw("POST", "/metrics", body, "application/json")) == (400, "invalid_json")


def test_a_run_has_at_most_200_names_of_figures(gpu: Caller, running_job: Job) -> None:
    half = METRIC_NAMES_PER_RUN // 2
    first, second, third = ({f"m{start + number}": 0.5 for number in range(half)} for start in (0, half, half + 1))
    assert gpu.post("/metrics", points(running_job, point(values=first), point(values=second))).status_code == 200
    assert gpu.post("/metrics", points(running_job, point(values=second), first_seq=3)).status_code == 200
    response = gpu.post("/metrics", points(running_job, point(values=third), first_seq=4))
    assert outcome_of(response) == (400, "invalid_field")
    assert response.json()["errors"][0]["path"] == "points"
    assert Metric.objects.count() == 3


def test_the_attempt_must_be_one_that_the_worker_made(
    api: Api, gpu: Caller, running_job: Job, other_worker: Worker
) -> None:
    theirs = Job.objects.get(run=run_for(running_job.run.owner, other_worker))
    for path, body in (("/logs/batch", batch), ("/metrics", points)):
        assert outcome_of(gpu.post(path, body(running_job, attempt=0))) == (400, "invalid_field")
        assert outcome_of(gpu.post(path, body(running_job, attempt=2))) == (409, "lease_lost")
        assert outcome_of(gpu.post(path, body(theirs))) == (404, "not_found")


def test_progress_beyond_the_plan_is_cut_down_to_it(gpu: Caller, running_job: Job) -> None:
    body = {"attempt": 1, "phase": "training", "epoch": 999, "step": 500, "total_steps": 100}
    assert gpu.post(f"/jobs/{running_job.pk}/progress", body).status_code == 200
    running_job.refresh_from_db()
    assert (running_job.epoch, running_job.step) == (running_job.run.hyperparameters["epochs"], 100)


CLASS = {"name": "saúde", "precision": None, "recall": None, "f1": None, "support": 0}
BAD_ENDS: dict[str, dict[str, Any]] = {
    "a path as a name": {"result": {**RESULT, "metrics": {"../../etc/passwd": 1.0}}},
    "a fingerprint of 63 digits": {"result": {**RESULT, "model_fingerprint": "f" * 63}},
    "a fingerprint in capitals": {"result": {**RESULT, "model_fingerprint": "F" * 64}},
    "a fingerprint with a newline": {"result": {**RESULT, "model_fingerprint": "f" * 64 + "\n"}},
    "1,001 classes": {"result": {**RESULT, "classes": [CLASS] * 1001}},
    "a best step before the first": {"result": {**RESULT, "best_step": -1}},
    "a reason of 5,000 characters": {"outcome": "failed", "error": {"code": "crashed", "message": "x" * 5000}},
}


@pytest.mark.parametrize("changes", BAD_ENDS.values(), ids=BAD_ENDS.keys())
def test_a_wrong_end_is_refused_and_the_job_goes_on(gpu: Caller, running_job: Job, changes: dict[str, Any]) -> None:
    response = gpu.post(f"/jobs/{running_job.pk}/complete", completed(**changes))
    assert outcome_of(response) == (400, "invalid_field")
    running_job.refresh_from_db()
    assert running_job.status == "running"


BAD_BEATS: dict[str, dict[str, Any]] = {
    "65 GPUs": {"gpu": [{"name": "x"}] * 65},
    "negative memory": {"gpu": [{"name": "x", "memory_bytes": -1}]},
    "memory of another world": {"gpu": [{"name": "x", "memory_used_bytes": 2**51}]},
    "a name of a kilobyte": {"gpu": [{"name": "x" * 1000}]},
    "half a GPU too many": {"gpu": [{"name": "x", "utilisation": 1.5}]},
    "a disk below empty": {"disk_free": -1},
    "no instance": {"instance": None},
}


@pytest.mark.parametrize("changes", BAD_BEATS.values(), ids=BAD_BEATS.keys())
def test_a_wrong_heartbeat_is_refused(gpu: Caller, changes: dict[str, Any]) -> None:
    assert outcome_of(gpu.post("/workers/heartbeat", beat(**changes))) == (400, "invalid_field")


@pytest.mark.parametrize("sent_at", ["2026-11-20T10:00:00", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_clock_that_is_ages_off_does_no_harm(gpu: Caller, sent_at: str) -> None:
    assert gpu.post("/workers/heartbeat", beat(sent_at=sent_at)).status_code == 200


@pytest.mark.parametrize(
    "instance", ["", ":", "machine", "machine:²", "machine:-1", "machine:" + "9" * 190, "\u202e:1"]
)
def test_a_strange_instance_is_only_a_name(gpu: Caller, run: Run, instance: str) -> None:
    assert gpu.post("/jobs/claim", {**CLAIM, "instance": instance}).status_code == 200
    assert gpu.post("/jobs/claim", {**CLAIM, "instance": instance}).json()["held"] is True


def test_the_log_limit_counts_a_run_and_not_each_attempt(
    gpu: Caller, running_job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bert_training.services.telemetry.LOG_LINES_PER_RUN", 4)
    gpu.post("/logs/batch", batch(running_job, line("1"), line("2"), line("3")))
    requeue(running_job, outcome=Outcome.LOST, reason=Reason.LEASE_EXPIRED)
    gpu.post("/jobs/claim", CLAIM)
    more = batch(running_job, line("4"), line("5"), line("6"), attempt=2)
    assert gpu.post("/logs/batch", more).json()["next_seq"] == 4
    stored = list(Log.objects.order_by("id").values_list("message", flat=True))
    assert stored[:3] == ["1", "2", "3"]
    assert len(stored) == 4
    assert "full" in stored[3]


def test_a_log_that_is_full_by_bytes_harms_no_job(
    gpu: Caller, running_job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bert_training.services.telemetry.LOG_BYTES_PER_RUN", 1000)
    for first_seq in (1, 11):
        lines = batch(running_job, *[line("x" * 150)] * 10, first_seq=first_seq)
        assert gpu.post("/logs/batch", lines).json()["next_seq"] == first_seq + 10
    stored = list(Log.objects.order_by("id").values_list("message", flat=True))
    assert [message[:4] for message in stored] == ["xxxx"] * 6 + ["The "]
    assert JobAttempt.objects.get().log_seq == 20
    assert gpu.post(f"/jobs/{running_job.pk}/complete", completed(log_seq=20)).json() == {"status": "completed"}
