"""Judges a recorded history by the invariants I1 to I10: each check returns what it found wrong, one sentence each.

Knows nothing of processes: it can be tried on a forged history (test_checker.py).
"""

import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator

from bert_training.contract.enums import TERMINAL_STATUSES, JobStatus, Outcome
from tests.faults.history import Attempt, Call, Change, Content, History, Job, Key, Sample

Check = Callable[[History], Iterator[str]]

QUEUED, RUNNING = JobStatus.QUEUED.value, JobStatus.RUNNING.value
COMPLETED, CANCELED = JobStatus.COMPLETED.value, JobStatus.CANCELED.value
# The arrows of protocol section 3: status before and after, and by how much the attempt's number grows.
LEGAL_EDGES = {
    (QUEUED, RUNNING, 1),  # claim
    (QUEUED, RUNNING, 0),  # revive
    (RUNNING, RUNNING, 1),  # the worker was restarted
    (RUNNING, QUEUED, 0),  # lost or released
    (QUEUED, CANCELED, 0),
    *((RUNNING, end, 0) for end in TERMINAL_STATUSES),
}
FENCED = ("/progress", "/complete", "/heartbeat")
SETTLED_SECONDS = 5.0  # after its start a web server opens its connections
MORE_FILES, MORE_BYTES = 60, 64 * 1024 * 1024


def violations(history: History, *, database_may_be_away: bool = False) -> list[str]:
    """Return all that is wrong with a history."""
    checks: list[Check] = [legal_states, one_completion, whole_streams, fenced_effects, kept_promises, shown_in_full]
    found = [sentence for check in checks for sentence in check(history)]
    return [*found, *server_errors(history, database_may_be_away=database_may_be_away), *flat_resources(history)]


def legal_states(history: History) -> Iterator[str]:
    """I1 and I7: only legal edges, one terminal state in the end, and the run and the attempts tell the same."""
    at: dict[int, tuple[str, int]] = {}
    for change in history.changes:
        if change.kind == "job":
            yield from _edge(change, at.get(change.job, (QUEUED, 0)))
            at[change.job] = (change.after, change.current)
    attempts = _attempts_by_job(history)
    for job in history.jobs:
        if (job.status, job.attempt) != at.get(job.number, (QUEUED, 0)):
            yield f"I1: job {job.number} is {job.status} at attempt {job.attempt}, its changes led elsewhere"
        if job.status != job.run_status:
            yield f"I1: job {job.number} is {job.status}, its run {job.run_status}"
        if job.status not in TERMINAL_STATUSES:
            yield f"I7: job {job.number} is still {job.status}"
        yield from _attempts_fit(job, attempts[job.number])


def _edge(change: Change, before: tuple[str, int]) -> Iterator[str]:
    edge = (change.before, change.after, change.current - change.attempt)
    if edge not in LEGAL_EDGES:
        yield f"I1: job {change.job} went from {change.before} to {change.after}, attempts {edge[2]:+d}"
    if (change.before, change.attempt) != before:
        yield f"I1: job {change.job} left {change.before} at attempt {change.attempt}, but it was in {before}"


def _attempts_fit(job: Job, attempts: list[Attempt]) -> Iterator[str]:
    if [attempt.number for attempt in attempts] != list(range(1, job.attempt + 1)):
        yield f"I1: job {job.number} at attempt {job.attempt} has {[attempt.number for attempt in attempts]}"
    for attempt in attempts:
        may_be = {Outcome.LOST, Outcome.RELEASED}
        if attempt.number == job.attempt and job.status in TERMINAL_STATUSES:
            may_be = {Outcome(job.status)} if job.status == COMPLETED else {*may_be, Outcome(job.status)}
        elif attempt.number == job.attempt and job.status == RUNNING:
            may_be = {Outcome.RUNNING}
        if attempt.outcome not in may_be:
            yield f"I1: attempt {attempt.number} of {job.status} job {job.number} is {attempt.outcome}"


def one_completion(history: History) -> Iterator[str]:
    """I2: a job is completed once, by the attempt that was current."""
    times = Counter(change.job for change in history.changes if change.kind == "job" and change.after == COMPLETED)
    by_whom = defaultdict(set)
    for call in history.calls:
        if call.path.endswith("/complete") and call.answer.get("status") == call.body.get("outcome") == COMPLETED:
            by_whom[int(call.path.split("/")[2])].add(call.body["attempt"])
    for job in history.jobs:
        if times[job.number] != (job.status == COMPLETED):
            yield f"I2: job {job.number}, {job.status}, was completed {times[job.number]} times"
        if by_whom[job.number] - {job.attempt}:
            yield f"I2: job {job.number}: completed by {sorted(by_whom[job.number])}, current is {job.attempt}"


def whole_streams(history: History) -> Iterator[str]:
    """I3: what is stored of an attempt is what its spool holds, in order, numbered 1..n."""
    yield from _compare("line", history.lines, history.spooled_lines)
    yield from _compare("point", history.points, history.spooled_points)
    for attempt in history.attempts:
        stored = len(history.lines.get(attempt.key, [])), len(history.points.get(attempt.key, []))
        if stored != (attempt.log_seq, attempt.metric_seq):
            counters = (attempt.log_seq, attempt.metric_seq)
            yield f"I3: attempt {attempt.key} counts {counters} lines and points, {stored} are stored"


def _compare(
    what: str, stored: dict[Key, list[tuple[int, Content]]], spooled: dict[Key, list[Content]]
) -> Iterator[str]:
    for key in sorted({*stored, *spooled}):
        numbers = [seq for seq, _content in stored.get(key, [])]
        there, here = [content for _seq, content in stored.get(key, [])], spooled.get(key, [])
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"I3: the {what}s of {key} are numbered {_first_difference(numbers, range(1, len(numbers) + 1))}"
        if there != here:
            difference = _first_difference(there, here)
            yield f"I3: {len(there)} {what}s of {key} are stored, {len(here)} in its spool: {difference}"


def _first_difference(found: Iterable[object], expected: Iterable[object]) -> str:
    pairs = enumerate(zip(found, expected, strict=False), start=1)
    different = (f"at {place} {one!r} instead of {other!r}" for place, (one, other) in pairs if one != other)
    return next(different, "the end")


def fenced_effects(history: History) -> Iterator[str]:
    """I4: an attempt has no effect any more once the next one was issued, and hears so."""
    for change in history.changes:
        if change.kind == "attempt" and change.attempt < change.current:
            yield f"I4: attempt {change.attempt} of job {change.job} changed while {change.current} was current"
    issued: dict[Key, float] = {}
    for call in history.calls:
        if call.path == "/jobs/claim" and call.status == 200:
            given = call.answer["job_id"], call.answer["attempt"]
            issued[given] = min(call.answered_at, issued.get(given, call.answered_at))
    for call in history.calls:
        key = _attempt_of(call) if call.path.endswith(FENCED) else None
        after = issued.get((key[0], key[1] + 1)) if key else None
        if after is not None and call.started_at > after and call.is_done:
            yield f"I4: {call.path} of {key} was taken although the next attempt had been issued"


def kept_promises(history: History) -> Iterator[str]:
    """I5: what was answered with 2xx is in the database."""
    attempts = {attempt.key: attempt for attempt in history.attempts}
    for call in history.calls:
        if call.is_done:
            yield from _promise(call, attempts)


def _promise(call: Call, attempts: dict[Key, Attempt]) -> Iterator[str]:
    """Look up what one call was promised; streams are kept up to their counter, whose rows I3 counts."""
    if call.path == "/jobs/claim" and call.status == 200:
        row = attempts.get((call.answer["job_id"], call.answer["attempt"]))
        if row is None or row.worker != call.worker:
            yield f"I5: {call.answer['job_id'], call.answer['attempt']} was given to worker {call.worker}, not stored"
        return
    key = _attempt_of(call)
    if key is None:
        return
    if key not in attempts:
        yield f"I5: {call.path} of {key} was taken, but there is no such attempt"
        return
    told, stored = _told_and_stored(call, attempts[key])
    if told != stored and not (isinstance(told, int) and isinstance(stored, int) and told < stored):
        yield f"I5: {call.path} of {key} was taken with {told}, {stored} is stored"


def _attempt_of(call: Call) -> Key | None:
    """Return the attempt that a call speaks for; None for a claim, a download or an idle heartbeat."""
    if call.path.endswith("/manifest"):
        return None
    if call.path.startswith("/jobs/") and call.path != "/jobs/claim":
        return int(call.path.split("/")[2]), int(call.body["attempt"])
    job = call.body.get("job_id")
    return None if job is None else (int(job), int(call.body["attempt"]))


def _told_and_stored(call: Call, row: Attempt) -> tuple[object, object]:
    if call.path == "/logs/batch":
        return last_number(call), row.log_seq
    if call.path == "/metrics":
        return last_number(call), row.metric_seq
    if call.path.endswith("/progress"):
        return call.body["step"], row.last_step
    if call.path.endswith("/complete"):
        return call.body["outcome"], row.outcome
    return None, None


def last_number(batch: Call) -> int:
    """Return the number of the last line or point of a batch."""
    return int(batch.body["first_seq"]) + len(batch.body.get("lines", batch.body.get("points", []))) - 1


def shown_in_full(history: History) -> Iterator[str]:
    """I6: a page showed what is stored, in order, without gap or duplicate."""
    for run, shown in history.shown_cursors.items():
        for what, seen, stored in zip(
            ("lines", "points"), shown, history.stored_cursors.get(run, ([], [])), strict=True
        ):
            if seen != stored:
                difference = _first_difference(seen, stored)
                yield f"I6: the page of run {run} showed {len(seen)} of {len(stored)} {what}: {difference}"


def server_errors(history: History, *, database_may_be_away: bool) -> Iterator[str]:
    """I8: no 5xx, except 503 with Retry-After where the database may be away."""
    for call in history.calls:
        if call.status is None or call.status < 500:
            continue
        if not (database_may_be_away and call.status == 503 and call.retry_after and call.answer.get("code")):
            yield f"I8: {call.path} was answered {call.status} (Retry-After {call.retry_after}): {dict(call.answer)}"


def secrets_in(places: Iterable[tuple[str, bytes]], secrets: Iterable[str]) -> Iterator[str]:
    """I9: a secret is found nowhere. The sentence names the place, never the secret."""
    needles = [secret.encode() for secret in secrets]
    for name, content in places:
        if any(needle in content for needle in needles):
            yield f"I9: {name} holds a secret"


def flat_resources(history: History) -> Iterator[str]:
    """I10: no web server grew: open files, memory, temporary files."""
    by_process: dict[int, list[Sample]] = defaultdict(list)
    for sample in history.samples:
        if sample.age >= SETTLED_SECONDS:
            by_process[sample.process].append(sample)
    for process, samples in by_process.items():
        early, late = samples[: len(samples) // 2 or 1], samples[len(samples) // 2 :]
        files = _median(late, "files") - _median(early, "files")
        grown = _median(late, "resident") - _median(early, "resident")
        if files > MORE_FILES or grown > MORE_BYTES:
            yield f"I10: web server {process} grew by {files:.0f} open files and {grown / 1e6:.0f} MB"
    if history.leftovers:
        yield f"I10: {len(history.leftovers)} temporary files are left: {history.leftovers[:5]}"


def _median(samples: list[Sample], name: str) -> float:
    return float(statistics.median(getattr(sample, name) for sample in samples))


def _attempts_by_job(history: History) -> dict[int, list[Attempt]]:
    found: dict[int, list[Attempt]] = defaultdict(list)
    for attempt in sorted(history.attempts, key=lambda attempt: attempt.key):
        found[attempt.job].append(attempt)
    return found
