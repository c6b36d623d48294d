"""The checker itself: it finds nothing in a sound history, and each kind of violation in a forged one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.faults.checker import MORE_BYTES, MORE_FILES, secrets_in, violations
from tests.faults.history import Attempt, Call, Change, Content, History, Job, Sample

JOB, RUN, WORKER = 7, 70, 3
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def line(message: str) -> Content:
    return NOON, "INFO", message


def point(step: int) -> Content:
    return 1, step, "train", {"loss": 0.5}


def call(path: str, at: float, answer: dict[str, Any] | None = None, *, status: int = 200, **body: Any) -> Call:
    answered = answer or {}
    return Call(WORKER, path, body, status=status, answer=answered, started_at=at, answered_at=at + 0.1)


def batch(at: float, attempt: int, first: int, lines: int) -> Call:
    return call("/logs/batch", at, job_id=JOB, attempt=attempt, first_seq=first, lines=[{}] * lines)


def sound() -> History:
    """Return the history of one job: lost once at step 5, then completed; its late line came afterwards."""
    first, second = (JOB, 1), (JOB, 2)
    return History(
        jobs=[Job(JOB, RUN, "completed", "completed", 2)],
        attempts=[Attempt(JOB, 1, WORKER, "lost", 5, 3, 0), Attempt(JOB, 2, WORKER, "completed", 40, 2, 1)],
        changes=[
            Change("job", JOB, 0, 1, "queued", "running"),
            Change("attempt", JOB, 1, 1, "running", "running"),
            Change("attempt", JOB, 1, 1, "running", "lost"),
            Change("job", JOB, 1, 1, "running", "queued"),
            Change("job", JOB, 1, 2, "queued", "running"),
            Change("attempt", JOB, 2, 2, "running", "completed"),
            Change("job", JOB, 2, 2, "running", "completed"),
        ],
        lines={
            first: [(1, line("one")), (2, line("two")), (3, line("late"))],
            second: [(1, line("three")), (2, line("end"))],
        },
        points={second: [(1, point(40))]},
        spooled_lines={first: [line("one"), line("two"), line("late")], second: [line("three"), line("end")]},
        spooled_points={first: [], second: [point(40)]},
        calls=[
            call("/jobs/claim", 0, {"job_id": JOB, "attempt": 1}),
            batch(1, 1, 1, 2),
            call(f"/jobs/{JOB}/progress", 2, attempt=1, step=5),
            call("/jobs/claim", 10, {"job_id": JOB, "attempt": 2}),
            batch(11, 2, 1, 2),
            batch(11.5, 1, 3, 1),
            call("/metrics", 12, job_id=JOB, attempt=2, first_seq=1, points=[{}]),
            call("/workers/heartbeat", 13, job_id=JOB, attempt=1, status=409),
            call(f"/jobs/{JOB}/complete", 14, {"status": "completed"}, attempt=2, outcome="completed"),
        ],
        stored_cursors={RUN: ([1, 2, 3, 4, 5], [1])},
        shown_cursors={RUN: ([1, 2, 3, 4, 5], [1])},
        samples=[Sample(1, age, 50, 10**8) for age in range(20)],
    )


def test_a_sound_history_has_no_violations() -> None:
    assert violations(sound()) == []


def attempt(history: History, number: int, **changes: Any) -> None:
    history.attempts[number - 1] = replace(history.attempts[number - 1], **changes)


def job(history: History, **changes: Any) -> None:
    history.jobs[0] = replace(history.jobs[0], **changes)


def forge_a_way_back(history: History) -> None:
    history.changes.append(Change("job", JOB, 2, 2, "completed", "running"))


def forge_a_skipped_change(history: History) -> None:
    del history.changes[3]


def forge_another_state_of_the_run(history: History) -> None:
    job(history, run_status="running")


def forge_a_job_without_end(history: History) -> None:
    job(history, status="running", run_status="running")


def forge_a_missing_attempt(history: History) -> None:
    del history.attempts[0]


def forge_two_live_attempts(history: History) -> None:
    attempt(history, 1, outcome="running")


def forge_two_completions(history: History) -> None:
    history.changes += history.changes[-1:]


def forge_a_completion_by_the_stale_attempt(history: History) -> None:
    history.calls.append(
        call(f"/jobs/{JOB}/complete", 9, {"status": "completed"}, attempt=1, outcome="completed"),
    )


def forge_a_lost_line(history: History) -> None:
    history.lines[JOB, 2].pop()
    attempt(history, 2, log_seq=1)


def forge_a_doubled_line(history: History) -> None:
    history.lines[JOB, 2].append((3, line("end")))
    attempt(history, 2, log_seq=3)


def forge_swapped_lines(history: History) -> None:
    one, two = history.lines[JOB, 2]
    history.lines[JOB, 2] = [(1, two[1]), (2, one[1])]


def forge_a_gap(history: History) -> None:
    history.lines[JOB, 2][1] = (3, line("end"))


def forge_a_changed_point(history: History) -> None:
    history.points[JOB, 2] = [(1, point(39))]


def forge_lines_of_nobody(history: History) -> None:
    del history.spooled_lines[JOB, 1]


def forge_a_counter_ahead(history: History) -> None:
    attempt(history, 2, log_seq=9)


def forge_a_late_effect(history: History) -> None:
    history.changes.append(Change("attempt", JOB, 1, 2, "lost", "lost"))


def forge_a_heartbeat_of_the_past(history: History) -> None:
    history.calls.append(call("/workers/heartbeat", 13, job_id=JOB, attempt=1))


def forge_a_forgotten_claim(history: History) -> None:
    history.calls.append(call("/jobs/claim", 20, {"job_id": JOB, "attempt": 3}))


def forge_a_forgotten_batch(history: History) -> None:
    history.calls.append(batch(15, 2, 3, 1))


def forge_forgotten_points(history: History) -> None:
    history.calls.append(call("/metrics", 15, job_id=JOB, attempt=2, first_seq=2, points=[{}]))


def forge_a_forgotten_step(history: History) -> None:
    attempt(history, 1, last_step=4)


def forge_a_forgotten_end(history: History) -> None:
    history.calls.append(call(f"/jobs/{JOB}/complete", 3, {"status": "queued"}, attempt=1, outcome="released"))


def forge_a_call_of_no_attempt(history: History) -> None:
    history.calls.append(batch(15, 4, 1, 1))


def forge_a_page_with_a_gap(history: History) -> None:
    history.shown_cursors[RUN] = ([1, 2, 4, 5], [1])


def forge_a_page_that_shows_twice(history: History) -> None:
    history.shown_cursors[RUN] = ([1, 2, 3, 3, 4, 5], [1])


def forge_an_internal_error(history: History) -> None:
    history.calls.append(call("/jobs/claim", 3, {"code": "internal"}, status=500))


def forge_an_unpromised_absence(history: History) -> None:
    away = call("/jobs/claim", 3, {"code": "unavailable"}, status=503)
    history.calls.append(replace(away, retry_after="5"))


def forge_growing_memory(history: History) -> None:
    history.samples += [Sample(1, 30 + age, 50, 10**8 + 2 * MORE_BYTES) for age in range(30)]


def forge_files_left_open(history: History) -> None:
    history.samples += [Sample(1, 30 + age, 51 + MORE_FILES, 10**8) for age in range(30)]


def forge_a_temporary_file(history: History) -> None:
    history.leftovers.append("tmpabc")


FORGERIES = {
    "I1": (
        forge_a_way_back,
        forge_a_skipped_change,
        forge_another_state_of_the_run,
        forge_a_missing_attempt,
        forge_two_live_attempts,
    ),
    "I2": (forge_two_completions, forge_a_completion_by_the_stale_attempt),
    "I3": (
        forge_a_lost_line,
        forge_a_doubled_line,
        forge_swapped_lines,
        forge_a_gap,
        forge_a_changed_point,
        forge_lines_of_nobody,
        forge_a_counter_ahead,
    ),
    "I4": (forge_a_late_effect, forge_a_heartbeat_of_the_past),
    "I5": (
        forge_a_forgotten_claim,
        forge_a_forgotten_batch,
        forge_forgotten_points,
        forge_a_forgotten_step,
        forge_a_forgotten_end,
        forge_a_call_of_no_attempt,
    ),
    "I6": (forge_a_page_with_a_gap, forge_a_page_that_shows_twice),
    "I7": (forge_a_job_without_end,),
    "I8": (forge_an_internal_error, forge_an_unpromised_absence),
    "I10": (forge_growing_memory, forge_files_left_open, forge_a_temporary_file),
}
CASES = [(invariant, forge) for invariant, forges in FORGERIES.items() for forge in forges]


@pytest.mark.parametrize(("invariant", "forge"), CASES, ids=[forge.__name__ for _invariant, forge in CASES])
def test_a_forged_history_is_found_out(invariant: str, forge: Callable[[History], None]) -> None:
    history = sound()
    forge(history)
    assert [sentence for sentence in violations(history) if sentence.startswith(f"{invariant}:")]


def test_an_absence_is_allowed_where_the_database_may_be_away_but_only_with_retry_after() -> None:
    history = sound()
    forge_an_unpromised_absence(history)
    assert violations(history, database_may_be_away=True) == []
    history.calls[-1] = replace(history.calls[-1], retry_after=None)
    assert len(violations(history, database_may_be_away=True)) == 1


def test_a_secret_is_found_and_not_repeated() -> None:
    places = [("table bert_logs", b"nothing"), ("web.log", b"token bertw_secret refused")]
    (sentence,) = secrets_in(places, ["bertw_secret"])
    assert "web.log" in sentence
    assert "bertw_secret" not in sentence
