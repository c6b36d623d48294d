"""A worker's whole story over HTTP, from claim to completed, and what each of its calls refuses."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from bert_training.contract.enums import Directive, JobStatus
from bert_training.models import Job, Log, Metric, Run, Worker
from bert_training.services.runs import cancel_run, finish_run
from bert_training.tasks import TASKS
from tests.api.conftest import Api, Caller, body_of, outcome_of

pytestmark = pytest.mark.embedded

CLAIM = {"instance": "machine-1:1", "tasks": list(TASKS)}
FINGERPRINT = "f" * 64
RESULT = {
    "metrics": {"f1_macro": 0.91, "loss": None},
    "model_fingerprint": FINGERPRINT,
    "best_step": 20,
    "classes": [{"name": "saúde", "precision": 0.9, "recall": None, "f1": None, "support": 0}],
}
PROVENANCE = {
    "code_commit": "c0ffee",
    "environment_fingerprint": "e" * 64,
    "base_model_revision": "0.1.0",
    "split_digest": "d" * 64,
    "device": "cpu",
}


def line(message: Any = "Epoch 1", **changes: Any) -> dict[str, Any]:
    return {"ts": "2026-11-20T10:00:00+00:00", "level": "INFO", "message": message, **changes}


def point(step: int = 10, **changes: Any) -> dict[str, Any]:
    return {"epoch": 1, "step": step, "split": "train", "values": {"loss": 0.5}, **changes}


def completed(**changes: Any) -> dict[str, Any]:
    return {"attempt": 1, "outcome": "completed", "log_seq": 0, "metric_seq": 0, "result": RESULT, **changes}


@pytest.fixture
def gpu(api: Api, worker: Worker) -> Caller:
    return api.as_worker(worker)


@pytest.fixture
def stranger(api: Api, other_worker: Worker) -> Caller:
    return api.as_worker(other_worker)


def test_a_job_goes_from_claim_to_completed(api: Api, gpu: Caller, run: Run, ana: User) -> None:
    job = gpu.post("/jobs/claim", CLAIM).json()
    assert (job["run_id"], job["attempt"], job["held"], job["task"]) == (run.pk, 1, False, run.task)
    table = gpu.get(f"/datasets/{job['dataset']['id']}/download?form=table")
    assert table.headers["ETag"] == f'"{job["dataset"]["table_sha256"]}"'
    assert len(body_of(table)) == job["dataset"]["table_bytes"]
    body = {"attempt": 1, "phase": "training", "epoch": 1, "step": 10, "total_steps": 20, "reproducibility": PROVENANCE}
    assert gpu.post(f"/jobs/{job['job_id']}/progress", body).json()["directive"] == "continue"
    lines = {"job_id": job["job_id"], "attempt": 1, "first_seq": 1, "lines": [line("um"), line("dois")]}
    assert gpu.post("/logs/batch", lines).json() == {"next_seq": 3, "directive": "continue"}
    third = {"job_id": job["job_id"], "attempt": 1, "seq": 3, **line("três")}
    assert gpu.post("/logs", third).json() == {"next_seq": 4, "directive": "continue"}
    points = {"job_id": job["job_id"], "attempt": 1, "first_seq": 1, "points": [point()]}
    assert gpu.post("/metrics", points).json() == {"next_seq": 2, "directive": "continue"}
    end = completed(log_seq=3, metric_seq=1)
    assert gpu.post(f"/jobs/{job['job_id']}/complete", end).json() == {"status": "completed"}
    assert gpu.post(f"/jobs/{job['job_id']}/complete", end).json() == {"status": "completed"}
    shown = api.as_person(ana).get(f"/runs/{run.pk}").json()
    assert (shown["status"], shown["result"]["metrics"]["f1_macro"], shown["model_fingerprint"]) == (
        "completed",
        0.91,
        FINGERPRINT,
    )
    assert shown["reproducibility"]["code_commit"] == "c0ffee"
    assert [attempt["outcome"] for attempt in shown["attempts"]] == ["completed"]
    messages = api.as_person(ana).get(f"/runs/{run.pk}/logs").json()["lines"]
    assert [entry["message"] for entry in messages] == ["um", "dois", "três"]


def test_claim_answers_204_with_a_time_to_wait_when_there_is_nothing(gpu: Caller) -> None:
    response = gpu.post("/jobs/claim", CLAIM)
    assert (response.status_code, response.headers["Retry-After"], body_of(response)) == (204, "5", b"")


def test_claim_twice_gives_the_same_job(gpu: Caller, run: Run) -> None:
    first = gpu.post("/jobs/claim", CLAIM).json()
    again = gpu.post("/jobs/claim", CLAIM).json()
    assert again == first | {"held": True}


def test_a_worker_gets_only_tasks_that_it_can_do(gpu: Caller, run: Run) -> None:
    assert gpu.post("/jobs/claim", {**CLAIM, "tasks": ["token-classification"]}).status_code == 204


@pytest.mark.parametrize("tasks", [[], ["seq2seq"]])
def test_a_worker_that_can_do_none_of_the_tasks_gets_nothing(gpu: Caller, run: Run, tasks: list[str]) -> None:
    for _time in range(2):
        assert gpu.post("/jobs/claim", {**CLAIM, "tasks": tasks}).status_code == 204


@pytest.mark.parametrize("ask", [cancel_run, finish_run])
def test_a_directive_reaches_the_worker_on_every_call(gpu: Caller, run: Run, running_job: Job, ask: Any) -> None:
    ask(run)
    word = "cancel" if ask is cancel_run else "finish"
    job = {"job_id": running_job.pk, "attempt": 1}
    beat = {"instance": "machine-1:1", "state": "busy", "sent_at": "2026-11-20T10:00:00+00:00", **job}
    answers = [
        gpu.post(f"/jobs/{running_job.pk}/progress", {"attempt": 1, "phase": "training"}),
        gpu.post("/logs/batch", {**job, "first_seq": 1, "lines": [line()]}),
        gpu.post("/metrics", {**job, "first_seq": 1, "points": [point()]}),
        gpu.post("/workers/heartbeat", beat),
    ]
    assert [answer.json()["directive"] for answer in answers] == [word] * 4
    assert Directive(word)


def test_a_heartbeat_tells_the_times_to_keep(gpu: Caller) -> None:
    beat = {"instance": "machine-1:1", "state": "idle", "sent_at": "2026-11-20T10:00:00+00:00", "gpu": []}
    answer = gpu.post("/workers/heartbeat", beat).json()
    assert (answer["directive"], answer["protocol"]) == ("continue", {"min": 1, "max": 1})
    assert answer["lease_seconds"] > answer["heartbeat_seconds"] > 0


def test_logs_sent_twice_are_stored_once(gpu: Caller, running_job: Job) -> None:
    batch = {"job_id": running_job.pk, "attempt": 1, "first_seq": 1, "lines": [line("a"), line("b")]}
    gpu.post("/logs/batch", batch)
    assert gpu.post("/logs/batch", batch).json()["next_seq"] == 3
    overlap = {**batch, "first_seq": 2, "lines": [line("other b"), line("c")]}
    assert gpu.post("/logs/batch", overlap).json()["next_seq"] == 4
    assert list(Log.objects.order_by("id").values_list("message", flat=True)) == ["a", "b", "c"]


def test_a_gap_is_refused_with_the_number_that_is_missing(gpu: Caller, running_job: Job) -> None:
    batch = {"job_id": running_job.pk, "attempt": 1, "first_seq": 5, "lines": [line()]}
    response = gpu.post("/logs/batch", batch)
    assert outcome_of(response) == (409, "stream_gap")
    assert response.json()["next_seq"] == 1
    points = {"job_id": running_job.pk, "attempt": 1, "first_seq": 2, "points": [point()]}
    assert outcome_of(gpu.post("/metrics", points)) == (409, "stream_gap")


def test_an_end_before_all_lines_is_refused(gpu: Caller, running_job: Job) -> None:
    response = gpu.post(f"/jobs/{running_job.pk}/complete", completed(log_seq=3))
    assert outcome_of(response) == (409, "stream_incomplete")
    assert (response.json()["log_seq"], response.json()["metric_seq"]) == (0, 0)
    assert Job.objects.get().status == JobStatus.RUNNING


def test_another_end_than_the_stored_one_is_refused(gpu: Caller, running_job: Job) -> None:
    gpu.post(f"/jobs/{running_job.pk}/complete", completed())
    failed = {"attempt": 1, "outcome": "failed", "log_seq": 0, "metric_seq": 0, "error": {"code": "crashed"}}
    response = gpu.post(f"/jobs/{running_job.pk}/complete", failed)
    assert outcome_of(response) == (409, "already_finished")
    assert response.json()["status"] == "completed"


def test_a_stale_attempt_changes_nothing(gpu: Caller, running_job: Job) -> None:
    gpu.post("/jobs/claim", {**CLAIM, "instance": "machine-1:2"})  # restarted: attempt 2
    response = gpu.post(f"/jobs/{running_job.pk}/complete", completed())
    assert outcome_of(response) == (409, "lease_lost")
    assert response.json()["attempt"] == 2


def test_a_copied_token_on_another_machine_is_refused_while_the_first_is_fresh(gpu: Caller, running_job: Job) -> None:
    response = gpu.post("/jobs/claim", {**CLAIM, "instance": "machine-2:1"})
    assert outcome_of(response) == (409, "instance_conflict")
    assert int(response.headers["Retry-After"]) > 0


def test_a_worker_cannot_see_the_job_of_another(stranger: Caller, running_job: Job, run: Run) -> None:
    job = {"job_id": running_job.pk, "attempt": 1}
    answers = [
        stranger.post(f"/jobs/{running_job.pk}/progress", {"attempt": 1, "phase": "training"}),
        stranger.post(f"/jobs/{running_job.pk}/complete", completed()),
        stranger.post("/logs", {**job, "seq": 1, **line()}),
        stranger.post("/logs/batch", {**job, "first_seq": 1, "lines": [line()]}),
        stranger.post("/metrics", {**job, "first_seq": 1, "points": [point()]}),
        stranger.get(f"/datasets/{run.dataset_id}/download?form=table"),
    ]
    assert [outcome_of(answer) for answer in answers] == [(404, "not_found")] * 6


def test_a_worker_reads_only_the_table_and_only_while_it_holds_the_job(gpu: Caller, running_job: Job, run: Run) -> None:
    path = f"/datasets/{run.dataset_id}/download"
    assert outcome_of(gpu.get(path)) == (403, "forbidden")
    assert gpu.get(f"{path}?form=table").status_code == 200
    gpu.post(f"/jobs/{running_job.pk}/complete", completed())
    assert outcome_of(gpu.get(f"{path}?form=table")) == (404, "not_found")


def test_a_table_download_says_the_protocol_too(api: Api, gpu: Caller, running_job: Job, run: Run) -> None:
    response = gpu.get(f"/datasets/{run.dataset_id}/download?form=table", x_worker_protocol="0")
    assert outcome_of(response) == (426, "protocol_too_old")


def test_strange_texts_in_a_log_never_block_the_stream(gpu: Caller, running_job: Job) -> None:
    messages = ["\ud800 half", "nul \x00 here", "\x1b[31mred\x1b[0m", "a\rb", "x" * 20_000, "<script>", "\u202e"]
    lines = [line(message, level="FATAL!!", ts="yesterday") for message in messages]
    batch = {"job_id": running_job.pk, "attempt": 1, "first_seq": 1, "lines": lines}
    assert gpu.post("/logs/batch", batch).json()["next_seq"] == len(messages) + 1
    stored = list(Log.objects.order_by("id").values_list("message", flat=True))
    assert len(stored) == len(messages)
    assert "\ufffd half" in stored[0]
    assert "\x00" not in stored[1]


def test_a_loss_that_is_not_finite_travels_as_null(gpu: Caller, running_job: Job) -> None:
    points = [point(values={"loss": None}, nonfinite=["loss"])]
    batch = {"job_id": running_job.pk, "attempt": 1, "first_seq": 1, "points": points}
    assert gpu.post("/metrics", batch).status_code == 200
    assert Metric.objects.get().values == {"loss": None}


def test_an_empty_batch_changes_nothing(gpu: Caller, running_job: Job) -> None:
    batch = {"job_id": running_job.pk, "attempt": 1, "first_seq": 1, "lines": []}
    assert gpu.post("/logs/batch", batch).json() == {"next_seq": 1, "directive": "continue"}


def test_unknown_fields_of_a_newer_worker_are_ignored(gpu: Caller, run: Run) -> None:
    assert gpu.post("/jobs/claim", {**CLAIM, "kinds": ["train"], "kept": [{"fingerprint": "x"}]}).status_code == 200


BAD_BODIES: dict[str, tuple[str, dict[str, Any]]] = {
    "attempt 0": ("/jobs/{job}/progress", {"attempt": 0, "phase": "training"}),
    "attempt is a text": ("/jobs/{job}/progress", {"attempt": "1", "phase": "training"}),
    "attempt is true": ("/jobs/{job}/progress", {"attempt": True, "phase": "training"}),
    "no attempt": ("/jobs/{job}/progress", {"phase": "training"}),
    "unknown phase": ("/jobs/{job}/progress", {"attempt": 1, "phase": "dreaming"}),
    "negative step": ("/jobs/{job}/progress", {"attempt": 1, "phase": "training", "step": -1}),
    "step is no whole number": ("/jobs/{job}/progress", {"attempt": 1, "phase": "training", "step": 1.5}),
    "unknown outcome": ("/jobs/{job}/complete", completed(outcome="done")),
    "lost is no report": ("/jobs/{job}/complete", completed(outcome="lost")),
    "completed without a result": ("/jobs/{job}/complete", completed(result=None)),
    "fingerprint too short": ("/jobs/{job}/complete", completed(result={**RESULT, "model_fingerprint": "abc"})),
    "metric name of another form": (
        "/jobs/{job}/complete",
        completed(result={**RESULT, "metrics": {"__proto__": 1.0}}),
    ),
    "seq 0": ("/logs", {"job_id": 0, "attempt": 1, "seq": 0, **line()}),
    "seq beyond all": ("/logs", {"attempt": 1, "seq": 2**63, **line()}),
    "first_seq is a text": ("/logs/batch", {"attempt": 1, "first_seq": "1", "lines": []}),
    "501 lines": ("/logs/batch", {"attempt": 1, "first_seq": 1, "lines": [line("x")] * 501}),
    "a line is a text": ("/logs/batch", {"attempt": 1, "first_seq": 1, "lines": ["x"]}),
    "message is a number": ("/logs/batch", {"attempt": 1, "first_seq": 1, "lines": [line(message=1)]}),
    "501 points": ("/metrics", {"attempt": 1, "first_seq": 1, "points": [point()] * 501}),
    "value is a text": ("/metrics", {"attempt": 1, "first_seq": 1, "points": [point(values={"loss": "high"})]}),
    "value is a list": ("/metrics", {"attempt": 1, "first_seq": 1, "points": [point(values={"loss": [1]})]}),
    "300 characters of name": ("/metrics", {"attempt": 1, "first_seq": 1, "points": [point(values={"a" * 300: 1.0})]}),
    "201 names": (
        "/metrics",
        {"attempt": 1, "first_seq": 1, "points": [point(values={f"m{number}": 1.0 for number in range(201)})]},
    ),
    "unknown split": ("/metrics", {"attempt": 1, "first_seq": 1, "points": [point(split="dev")]}),
    "claim without tasks": ("/jobs/claim", {"instance": "machine-1:1"}),
    "claim with tasks as text": ("/jobs/claim", {"instance": "machine-1:1", "tasks": "text-classification"}),
    "heartbeat of an unknown state": (
        "/workers/heartbeat",
        {"instance": "m:1", "state": "tired", "sent_at": "2026-11-20T10:00:00+00:00"},
    ),
    "heartbeat without a time": (
        "/workers/heartbeat",
        {"instance": "m:1", "state": "idle", "sent_at": "now"},
    ),
    "negative GPU memory": (
        "/workers/heartbeat",
        {
            "instance": "m:1",
            "state": "idle",
            "sent_at": "2026-11-20T10:00:00+00:00",
            "gpu": [{"name": "x", "memory_bytes": -1}],
        },
    ),
}


@pytest.mark.parametrize(("path", "body"), BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_a_wrong_body_is_refused_and_changes_nothing(
    gpu: Caller, running_job: Job, path: str, body: dict[str, Any]
) -> None:
    response = gpu.post(path.format(job=running_job.pk), {"job_id": running_job.pk, **body})
    assert outcome_of(response) == (400, "invalid_field")
    assert response.json()["errors"]
    assert (Log.objects.count(), Metric.objects.count(), Job.objects.get().step) == (0, 0, 0)


def test_an_attempt_of_the_future_is_refused(gpu: Caller, running_job: Job) -> None:
    response = gpu.post(f"/jobs/{running_job.pk}/progress", {"attempt": 7, "phase": "training"})
    assert outcome_of(response) == (409, "lease_lost")


def test_a_job_that_does_not_exist_is_404(gpu: Caller) -> None:
    assert outcome_of(gpu.post("/jobs/4711/progress", {"attempt": 1, "phase": "training"})) == (404, "not_found")
