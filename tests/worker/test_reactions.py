"""Protocol section 7, worker side: answers that decide nothing cost no line and no training, whichever call they meet.

Those that decide stand elsewhere: lost, canceled, gone, switched off and too old in test_jobs.py and test_loop.py;
gaps, guilty lines and halved batches in test_sender.py; waits and refused tokens in test_retry.py.
"""

from collections.abc import Callable
from typing import Any

import pytest

from bert_training.worker import retry, sender
from tests.worker.fake_portal import Answer, FakePortal, error
from tests.worker.supervisors import LocalSupervisor

Start = Callable[..., LocalSupervisor]
CALLS = ("/workers/heartbeat", "/jobs/claim", "/progress", "/logs/batch", "/metrics")


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again soon after a refusal for no known reason, and after a refused token."""
    monkeypatch.setattr(sender, "STUCK_SECONDS", 1.0)
    monkeypatch.setattr(retry, "TOKEN_RETRY_SECONDS", 1.0)


def wait(answer: Answer, retry_after: str) -> Answer:
    answer.headers["Retry-After"] = retry_after
    return answer


HARMLESS = {
    "400": error(400, "invalid_field"),
    "401": error(401, "token_unknown"),
    "405": error(405, "method_not_allowed"),
    "406": error(406, "not_acceptable"),
    "408 of a server in front": Answer(408, "<html>timeout</html>"),
    "409 of a later portal": error(409, "not_in_the_mood"),
    "413 of a proxy": Answer(413, "<html>too large</html>"),
    "414": error(414, "too_large"),
    "415": error(415, "unsupported_media_type"),
    "418, a bug": error(418, "teapot"),
    "429": wait(error(429, "rate_limited"), "1"),
    "431": error(431, "too_large"),
    "500": error(500, "internal"),
    "501, as 503": error(501, "not_implemented"),
    "503": wait(error(503, "unavailable"), "1"),
    "503 with a date long past": wait(error(503, "unavailable"), "Wed, 21 Oct 2015 07:28:00 GMT"),
    "503, no room": wait(error(503, "storage_full"), "1"),
}

# The others take the same ways through the worker as one of these.
SHORT = {"400", "405", "408 of a server in front", "409 of a later portal", "413 of a proxy", "429", "500"}


def cases(*names: str) -> list[Any]:
    """Return the answers as parameters, each named; what is not in SHORT is long."""
    return [
        pytest.param(HARMLESS[name], id=name, marks=[] if name in SHORT else pytest.mark.long)
        for name in names or HARMLESS
    ]


@pytest.mark.parametrize("answer", cases())
def test_an_answer_that_decides_nothing_costs_nothing(portal: FakePortal, start_worker: Start, answer: Answer) -> None:
    job = portal.enqueue()
    for call in CALLS:
        portal.inject(call, answer, times=2)
    start_worker()
    portal.wait_for(lambda: portal.ends)
    end = portal.ends[0]
    assert (end["outcome"], end["attempt"]) == ("completed", 1)
    assert (len(portal.messages(job)), len(portal.points[job.job_id, 1])) == (end["log_seq"], end["metric_seq"])
    assert len([line for line in portal.messages(job) if "took simulated run" in line]) == 1


@pytest.mark.parametrize("answer", cases("401", "408 of a server in front", "429", "503", "503, no room"))
def test_the_end_is_reported_until_it_is_taken(portal: FakePortal, start_worker: Start, answer: Answer) -> None:
    portal.enqueue()
    portal.inject("/complete", answer, times=3)
    start_worker()
    portal.wait_for(lambda: portal.ends)
    reports = portal.sent_to("/complete")
    assert (len(reports), {report.body for report in reports}) == (4, {reports[0].body})


@pytest.mark.parametrize(
    "answer",
    [
        error(409, "already_finished", status="canceled"),
        error(409, "lease_lost", attempt=2),
        error(404, "not_found"),
    ],
    ids=["ended otherwise", "taken by another", "deleted"],
)
def test_an_end_that_the_portal_knows_better_is_accepted(
    portal: FakePortal, start_worker: Start, answer: Answer
) -> None:
    portal.enqueue()
    portal.inject("/complete", answer)
    start_worker()
    portal.wait_for(lambda: portal.sent_to("/complete"))
    portal.held = None
    next_job = portal.enqueue()
    portal.wait_for(lambda: portal.ends)
    assert [end["job_id"] for end in portal.ends] == [next_job.job_id]
    assert len(portal.sent_to("/complete")) == 2
