"""One job from claim to end report, against a portal that answers well, badly or not at all."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bert_training.contract.tokens import WORKER_PREFIX, make_token
from bert_training.worker import sender
from bert_training.worker.cleanup import Cleaner
from bert_training.worker.exits import ExitCode
from bert_training.worker.options import TokenSource
from bert_training.worker.simulation import SPEED_VARIABLE
from bert_training.worker.trainer_process import SIMULATION_VARIABLE
from tests.worker import faulty_trainer as faulty_trainer_module
from tests.worker.fake_portal import Answer, FakePortal, error
from tests.worker.supervisors import LocalSupervisor

Start = Callable[..., LocalSupervisor]
STEPS = 40


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let simulations last: 0.4 s an epoch."""
    monkeypatch.setenv(SPEED_VARIABLE, "100")


@pytest.fixture
def faulty_trainer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use trainers with a fault; the job's hyperparameters say which."""
    monkeypatch.setenv(SIMULATION_VARIABLE, faulty_trainer_module.MODULE)


def test_a_simulated_job_arrives_whole_and_is_completed(portal: FakePortal, start_worker: Start) -> None:
    job = portal.enqueue(hyperparameters={"epochs": 2})
    start_worker()
    portal.wait_for(lambda: portal.ends)
    messages, points = portal.messages(job), portal.points[job.job_id, 1]
    assert messages[0] == f"Worker took simulated run {job.run_id}: job {job.job_id}, attempt 1."
    assert [line for line in messages if line.startswith("step ")][-1].startswith("step 80 of 80")
    assert [point["step"] for point in points if point["split"] == "train"] == [10, 20, 30, 40, 50, 60, 70, 80]
    end = portal.ends[0]
    assert (end["outcome"], end["log_seq"], end["metric_seq"]) == ("completed", len(messages), len(points))
    assert set(end["result"]["metrics"]) == {"loss", "accuracy", "f1", "f1_macro"}


def test_the_last_progress_names_the_last_step_and_its_checkpoint(portal: FakePortal, start_worker: Start) -> None:
    portal.enqueue()
    start_worker()
    portal.wait_for(lambda: portal.ends)
    last = portal.progress[-1]
    assert (last["phase"], last["step"], last["total_steps"], last["checkpoint_step"]) == (
        "training",
        STEPS,
        STEPS,
        STEPS,
    )


def test_where_the_figures_come_from_is_told_once(portal: FakePortal, start_worker: Start, slow: None) -> None:
    portal.enqueue(split_digest="d" * 64)
    start_worker()
    portal.wait_for(lambda: portal.ends)
    told = [entry["reproducibility"] for entry in portal.progress if entry["reproducibility"]]
    assert [origin["split_digest"] for origin in told] == ["d" * 64]


def test_a_second_attempt_says_that_it_starts_from_the_beginning(portal: FakePortal, start_worker: Start) -> None:
    portal.enqueue(attempt=2)
    start_worker()
    portal.wait_for(lambda: portal.ends)
    assert [entry["resumed_from_step"] for entry in portal.progress] == [0] + [None] * (len(portal.progress) - 1)


def test_jobs_follow_each_other_without_a_pause(portal: FakePortal, start_worker: Start) -> None:
    jobs = [portal.enqueue() for _ in range(3)]
    start_worker()
    portal.wait_for(lambda: len(portal.ends) == 3)
    assert [end["job_id"] for end in portal.ends] == [job.job_id for job in jobs]


def test_a_claimed_job_does_not_wait_for_the_cleaning(
    portal: FakePortal, start_worker: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it begins no heartbeat speaks for it, and old checkpoints can be many."""
    cleaned: list[tuple[int | None, int]] = []

    def clean(_cleaner: Cleaner, *, held_job: int | None) -> None:
        cleaned.append((held_job, len(portal.ends)))

    monkeypatch.setattr(Cleaner, "clean_when_due", clean)
    job = portal.enqueue()
    start_worker()
    portal.wait_for(lambda: cleaned)
    assert cleaned[0] == (job.job_id, 1)


def test_a_worker_names_its_tasks_versions_and_instance(portal: FakePortal, start_worker: Start) -> None:
    start_worker()
    portal.wait_for(lambda: portal.sent_to("/jobs/claim"))
    claim = portal.sent_to("/jobs/claim")[0]
    assert claim.json()["tasks"] == ["text-classification", "token-classification"]
    assert claim.json()["simulate"] is True
    assert claim.json()["instance"] == claim.headers["x-worker-instance"]
    assert claim.json()["instance"].endswith(":1")
    assert claim.headers["x-worker-protocol"] == "1"


@pytest.mark.parametrize("calls", ["/logs/batch", "/metrics", "/progress", "/heartbeat"])
def test_a_cancel_reaches_the_trainer_by_any_answer(
    portal: FakePortal, start_worker: Start, slow: None, calls: str
) -> None:
    answers = {
        "/logs/batch": {"next_seq": 1, "directive": "cancel"},
        "/metrics": {"next_seq": 1, "directive": "cancel"},
        "/progress": {"directive": "cancel", "lease_seconds": 60.0},
        "/heartbeat": {
            "server_time": "2026-01-01T00:00:00Z",
            "directive": "cancel",
            "lease_seconds": 60.0,
            "heartbeat_seconds": 15.0,
            "protocol": {"min": 1, "max": 1},
        },
    }
    job = portal.enqueue(hyperparameters={"epochs": 50})
    worker = start_worker()
    portal.wait_for(lambda: portal.lines.get((job.job_id, 1)))
    portal.inject(calls, Answer(200, answers[calls]))
    portal.wait_for(lambda: portal.ends)
    assert portal.ends[0]["outcome"] == "canceled"
    portal.wait_for(lambda: "The attempt ended: canceled." in portal.messages(job))
    worker.stop()


def test_finish_ends_the_training_early_with_a_result(portal: FakePortal, start_worker: Start, slow: None) -> None:
    job = portal.enqueue(hyperparameters={"epochs": 50})
    start_worker()
    portal.wait_for(lambda: portal.points.get((job.job_id, 1)))
    portal.directive = "finish"
    portal.wait_for(lambda: portal.ends)
    assert portal.ends[0]["outcome"] == "completed"
    assert portal.ends[0]["result"]["best_step"] < 50 * STEPS


def test_drain_finishes_the_job_and_takes_no_other(portal: FakePortal, start_worker: Start, slow: None) -> None:
    first, second = portal.enqueue(hyperparameters={"epochs": 3}), portal.enqueue()
    start_worker()
    portal.wait_for(lambda: portal.points.get((first.job_id, 1)))
    portal.directive = "drain"
    portal.wait_for(lambda: portal.ends)
    assert (portal.ends[0]["job_id"], portal.ends[0]["outcome"]) == (first.job_id, "completed")
    portal.wait_for(lambda: portal.sent_to("heartbeat")[-1].json()["state"] == "draining")
    assert second in portal.queue
    portal.directive = "continue"
    portal.wait_for(lambda: len(portal.ends) == 2)


def test_paused_a_worker_hands_its_job_back_and_later_goes_on_where_it_stopped(
    portal: FakePortal, start_worker: Start, slow: None
) -> None:
    job = portal.enqueue(hyperparameters={"epochs": 5})
    worker = start_worker()
    portal.wait_for(lambda: portal.points.get((job.job_id, 1)))
    portal.directive = "pause"
    portal.wait_for(lambda: portal.ends)
    assert (portal.ends[0]["outcome"], portal.ends[0]["error"]["code"]) == ("released", "paused")
    stopped_at = portal.progress[-1]["checkpoint_step"]
    assert 0 < stopped_at == portal.progress[-1]["step"] < 5 * STEPS
    portal.wait_for(lambda: portal.sent_to("heartbeat")[-1].json()["state"] == "draining")
    asked = len(portal.sent_to("/jobs/claim"))
    portal.queue.append(job.model_copy(update={"attempt": 2, "resume_checkpoint_step": stopped_at}))
    portal.wait_for(lambda: len(portal.sent_to("heartbeat")) > 3)
    assert len(portal.sent_to("/jobs/claim")) == asked
    portal.directive = "continue"
    portal.wait_for(lambda: len(portal.ends) == 2)
    assert portal.ends[1]["outcome"] == "completed"
    assert next(each for each in portal.progress if each["attempt"] == 2)["resumed_from_step"] == stopped_at
    steps = [
        point["step"] for number in (1, 2) for point in portal.points[job.job_id, number] if point["split"] == "train"
    ]
    assert steps == sorted(set(steps))
    assert worker.context.orders.exit_code is None


def test_asked_to_stop_the_worker_hands_its_job_back(portal: FakePortal, start_worker: Start, slow: None) -> None:
    job = portal.enqueue(hyperparameters={"epochs": 50})
    worker = start_worker()
    portal.wait_for(lambda: portal.points.get((job.job_id, 1)))
    worker.context.orders.request_stop()
    assert worker.wait() is ExitCode.STOPPED
    assert portal.ends[0]["outcome"] == "released"
    assert portal.messages(job)[-1] == "The attempt ended: released."


def test_a_lost_lease_stops_the_trainer_sends_the_tail_and_claims_again(
    portal: FakePortal, start_worker: Start, slow: None
) -> None:
    job = portal.enqueue(hyperparameters={"epochs": 50})
    start_worker()
    portal.wait_for(lambda: portal.points.get((job.job_id, 1)))
    claims = len(portal.sent_to("/jobs/claim"))
    portal.held = None
    portal.inject("/progress", error(409, "lease_lost", attempt=2))
    portal.wait_for(lambda: len(portal.sent_to("/jobs/claim")) > claims)
    assert portal.sent_to("/complete") == []
    assert portal.messages(job)[-1] == "The attempt ended: released."


@pytest.mark.parametrize(("status", "code"), [(404, "not_found"), (409, "already_finished")])
def test_a_job_that_is_no_longer_ours_is_dropped(
    portal: FakePortal, start_worker: Start, slow: None, status: int, code: str
) -> None:
    portal.enqueue(hyperparameters={"epochs": 50})
    start_worker()
    portal.wait_for(lambda: portal.progress)
    claims = len(portal.sent_to("/jobs/claim"))
    portal.held = None
    portal.inject("/progress", error(status, code, status="canceled"))
    portal.wait_for(lambda: len(portal.sent_to("/jobs/claim")) > claims)
    assert portal.sent_to("/complete") == []


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (error(403, "worker_inactive"), ExitCode.INACTIVE),
        (error(426, "protocol_too_old", min=2, max=3), ExitCode.TOO_OLD),
    ],
)
def test_a_worker_that_may_not_go_on_leaves_its_job_and_ends(
    portal: FakePortal, start_worker: Start, slow: None, answer: Answer, code: ExitCode
) -> None:
    portal.enqueue(hyperparameters={"epochs": 50})
    worker = start_worker()
    portal.wait_for(lambda: portal.progress)
    portal.inject("", answer, times=10_000)
    assert worker.wait() is code


def test_a_refused_token_stops_no_training_and_a_new_token_file_is_found(
    portal: FakePortal, start_worker: Start, slow: None, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(portal.token)
    job = portal.enqueue(hyperparameters={"epochs": 2})
    start_worker(token=TokenSource("", file))
    portal.wait_for(lambda: portal.points.get((job.job_id, 1)))
    portal.token = make_token(WORKER_PREFIX)
    before = len(portal.requests)
    portal.wait_for(lambda: len(portal.requests) > before)
    file.write_text(portal.token)
    portal.wait_for(lambda: portal.ends)
    assert portal.ends[0]["outcome"] == "completed"
    assert len(portal.messages(job)) == portal.ends[0]["log_seq"]


def test_nothing_is_lost_while_the_portal_is_away_for_half_the_job(
    portal: FakePortal, start_worker: Start, slow: None
) -> None:
    job = portal.enqueue(hyperparameters={"epochs": 2})
    start_worker()
    portal.wait_for(lambda: portal.points.get((job.job_id, 1)))
    portal.inject("", Answer(502, "<html>bad gateway</html>"), times=100_000)
    seen = len(portal.requests)
    portal.wait_for(lambda: len(portal.requests) > seen + 10)
    portal.heal()
    portal.wait_for(lambda: portal.ends)
    steps = [message for message in portal.messages(job) if message.startswith("step ")]
    assert len(steps) == 2 * STEPS
    assert portal.ends[0]["outcome"] == "completed"


@pytest.mark.parametrize("call", ["/jobs/claim", "/logs/batch", "/metrics", "/progress", "/complete"])
def test_a_lost_answer_is_harmless(portal: FakePortal, start_worker: Start, call: str) -> None:
    job = portal.enqueue()
    portal.inject(call, Answer(200, drop=True), times=2)
    start_worker()
    portal.wait_for(lambda: portal.ends and len(portal.sent_to("/jobs/claim")) >= 2)
    assert len(portal.ends) == 1
    assert portal.ends[0]["outcome"] == "completed"
    assert len(portal.messages(job)) == portal.ends[0]["log_seq"]
    assert len(set(portal.messages(job))) == len(portal.messages(job))


def test_a_job_is_put_away_also_when_a_heartbeat_hears_of_its_end_first(
    portal: FakePortal, start_worker: Start
) -> None:
    """F-12: otherwise its checkpoints, ten times the weights, stay for ever."""
    job = portal.enqueue()
    portal.inject("/complete", Answer(200, drop=True), times=1000)
    portal.inject(
        "/heartbeat", lambda _: error(409, "already_finished", status="completed") if portal.ends else None, times=1
    )
    worker = start_worker()
    portal.wait_for(lambda: portal.ends and portal.sent_to("/jobs/claim")[1:])
    assert not (worker.store.folder / "jobs" / str(job.job_id) / "checkpoints").exists()


def test_an_incomplete_stream_is_sent_again_from_where_the_portal_is(portal: FakePortal, start_worker: Start) -> None:
    job = portal.enqueue()

    def forget_lines(_request: object) -> Answer:
        kept = portal.lines[job.job_id, 1]
        del kept[5:]
        return error(409, "stream_incomplete", log_seq=5, metric_seq=len(portal.points[job.job_id, 1]))

    portal.inject("/complete", forget_lines)
    start_worker()
    portal.wait_for(lambda: portal.ends)
    assert len(portal.sent_to("/complete")) == 2
    assert len(portal.messages(job)) == portal.ends[0]["log_seq"]


def test_a_log_that_nobody_takes_does_not_hold_up_the_end_for_ever(
    portal: FakePortal, start_worker: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "STUCK_SECONDS", 1.0)
    monkeypatch.setattr(sender, "GIVEN_UP_SECONDS", 20.0)
    portal.enqueue()
    portal.inject("/logs/batch", error(422, "unheard_of"), times=10**6)
    start_worker()
    portal.wait_for(lambda: portal.ends)
    assert (portal.ends[0]["outcome"], portal.ends[0]["log_seq"]) == ("completed", 0)


def test_a_result_that_the_portal_refuses_is_reported_as_a_failure(portal: FakePortal, start_worker: Start) -> None:
    portal.enqueue()
    portal.inject("/complete", error(400, "invalid_field"))
    start_worker()
    portal.wait_for(lambda: portal.ends)
    assert (portal.ends[0]["outcome"], portal.ends[0]["error"]["code"]) == ("failed", "crashed")


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ("exit", "crashed", "exit code 1"),
        ("segfault", "killed", "signal 11 (SIGSEGV)"),
        ("kill", "killed", "signal 9 (SIGKILL)"),
        ("memory-error", "out_of_memory", "ran out of memory"),
        ("exception", "crashed", "ValueError: seven"),
    ],
)
def test_a_dead_trainer_is_a_failure_with_its_last_lines(
    portal: FakePortal, start_worker: Start, faulty_trainer: None, fault: str, code: str, words: str
) -> None:
    """F-04: exit code or signal, and what it printed last."""
    job = portal.enqueue(hyperparameters={"fault": fault})
    start_worker()
    portal.wait_for(lambda: portal.ends)
    assert (portal.ends[0]["outcome"], portal.ends[0]["error"]["code"]) == ("failed", code)
    assert words in portal.ends[0]["error"]["message"]
    assert "  line 59 before the end" in portal.messages(job)
    assert "  line 5 before the end" not in portal.messages(job)


def test_a_torn_last_line_of_a_dead_trainer_is_cut(
    portal: FakePortal, start_worker: Start, faulty_trainer: None
) -> None:
    job = portal.enqueue(hyperparameters={"fault": "torn"})
    start_worker()
    portal.wait_for(lambda: portal.ends)
    assert len(portal.messages(job)) == portal.ends[0]["log_seq"]
    assert not any("half a li" in message for message in portal.messages(job))


def test_a_trainer_that_ignores_cancel_is_killed(portal: FakePortal, start_worker: Start, faulty_trainer: None) -> None:
    portal.enqueue(hyperparameters={"fault": "hang"})
    portal.directive = "cancel"
    start_worker()
    portal.wait_for(lambda: portal.ends)
    assert portal.ends[0]["outcome"] == "canceled"


def test_a_canceled_trainer_that_hangs_leaves_time_to_report_before_the_grace_ends(
    portal: FakePortal, start_worker: Start, faulty_trainer: None
) -> None:
    portal.enqueue(hyperparameters={"fault": "hang@15"})
    worker = start_worker(grace=20.0)
    portal.wait_for(lambda: portal.points)
    portal.directive = "cancel"
    worker.context.orders.request_stop()
    assert worker.wait() is ExitCode.STOPPED
    assert [end["outcome"] for end in portal.ends] == ["canceled"]


def test_a_trainer_without_a_sign_of_life_is_ended_and_one_that_downloads_is_not(
    portal: FakePortal, start_worker: Start, faulty_trainer: None
) -> None:
    portal.enqueue(hyperparameters={"fault": "hang"})
    portal.enqueue(hyperparameters={"fault": "download"})
    start_worker(stall_seconds=40.0)  # 2 s on this clock; the download takes 4
    portal.wait_for(lambda: len(portal.ends) == 2)
    stalled, busy = (end["error"] for end in portal.ends)
    assert stalled["code"] == "stalled"
    assert "no sign of life" in stalled["message"]
    assert busy["message"].endswith("ValueError: seven")


def test_a_mistake_of_the_worker_itself_is_reported_and_the_next_job_runs(
    portal: FakePortal, start_worker: Start, tmp_path: Path
) -> None:
    broken, good = portal.enqueue(), portal.enqueue()
    (tmp_path / "models" / "jobs").mkdir(parents=True)
    (tmp_path / "models" / "jobs" / str(broken.job_id)).write_text("a file where a folder should be")
    start_worker()
    portal.wait_for(lambda: len(portal.ends) == 2)
    assert [(end["job_id"], end["outcome"]) for end in portal.ends] == [
        (broken.job_id, "failed"),
        (good.job_id, "completed"),
    ]


def test_a_job_of_the_wrong_kind_is_handed_back_untouched(portal: FakePortal, start_worker: Start) -> None:
    portal.held = portal.enqueue(simulate=False)
    start_worker()
    portal.wait_for(lambda: portal.ends)
    assert portal.ends[0]["outcome"] == "released"
    assert portal.sent_to("/download") == []


@pytest.mark.parametrize(
    ("facts", "code"),
    [({"table_bytes": -5}, "dataset_corrupt"), ({"table_bytes": 10**15}, "disk_full"), ({"id": 99}, "dataset_gone")],
)
def test_data_that_cannot_be_fetched_fail_the_job_and_start_no_trainer(
    portal: FakePortal, start_worker: Start, facts: dict[str, int], code: str
) -> None:
    job = portal.enqueue(simulate=False)
    portal.queue[0] = job.model_copy(update={"dataset": job.dataset.model_copy(update=facts)})
    start_worker(dry_run=False)
    portal.wait_for(lambda: portal.ends)
    assert (portal.ends[0]["outcome"], portal.ends[0]["error"]["code"]) == ("failed", code)
    assert not any("trainer starts" in message for message in portal.messages(job))


def test_nonsense_from_the_portal_fails_its_job_and_not_the_worker(portal: FakePortal, start_worker: Start) -> None:
    portal.enqueue(hyperparameters={"epochs": "many"})
    portal.enqueue(task="../../etc", base_model="$(reboot)")
    start_worker()
    portal.wait_for(lambda: len(portal.ends) == 2)
    assert [end["outcome"] for end in portal.ends] == ["failed", "completed"]
