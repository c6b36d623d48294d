"""What the client makes of answers: messages, or one of four errors."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from bert_training.contract.enums import Outcome, Reason
from bert_training.contract.messages import ClaimRequest, CompleteRequest, FailureReport
from bert_training.contract.streams import LogBatch, LogLine
from bert_training.worker.client import (
    NothingToDo,
    NotOurPortal,
    PortalClient,
    PortalError,
    Refused,
    Unauthorized,
    Unavailable,
    read_retry_after,
)
from bert_training.worker.options import TokenSource
from tests.worker.fake_portal import Answer, FakePortal, error

CLAIM = ClaimRequest(instance="machine:1", tasks=["text-classification"])


@pytest.fixture
def client(portal: FakePortal) -> Iterator[PortalClient]:
    client = make_client(portal.url, portal.token)
    yield client
    client.close()


def make_client(url: str, token: str) -> PortalClient:
    api_url = f"{url}/bert-training/api"
    return PortalClient(api_url, TokenSource(token), instance="machine:1", version="9", is_loopback=True)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(502, "<html>bad gateway</html>"), Unavailable),
        (Answer(503, {"code": "unavailable", "message": "the database is away"}), Unavailable),
        (error(500, "internal"), Unavailable),
        (error(429, "rate_limited"), Unavailable),
        (Answer(408, "timeout"), Unavailable),
        (Answer(200, "<html>please sign in</html>"), NotOurPortal),
        (Answer(200, {"job_id": "seven"}), NotOurPortal),
        (Answer(200, b"x" * 2_000_000), NotOurPortal),
        (Answer(404, "<html>not found</html>"), NotOurPortal),
        (Answer(403, "<html>blocked by policy</html>"), NotOurPortal),
        (Answer(401, "<html>who are you</html>"), NotOurPortal),
        (Answer(302, "", {"Location": "https://login.example.org/"}), NotOurPortal),
        (error(401, "token_unknown"), Unauthorized),
        (error(403, "worker_inactive"), Refused),
        (error(404, "not_found"), Refused),
        (error(409, "lease_lost", attempt=3), Refused),
        (error(426, "protocol_too_old", min=2, max=3), Refused),
        (Answer(413, "<html>too large</html>"), Refused),
        (Answer(200, drop=True), Unavailable),
    ],
)
def test_every_answer_is_one_decision(
    portal: FakePortal, client: PortalClient, answer: Answer, kind: type[PortalError]
) -> None:
    portal.inject("/jobs/claim", answer)
    with pytest.raises(PortalError) as caught:
        client.claim(CLAIM)
    assert type(caught.value) is kind


def test_a_refusal_carries_code_and_details(portal: FakePortal, client: PortalClient) -> None:
    portal.inject("/logs/batch", error(409, "stream_gap", next_seq=7))
    with pytest.raises(Refused) as caught:
        client.post_logs(LogBatch(job_id=1, attempt=1, first_seq=9, lines=[]))
    assert (caught.value.status, caught.value.code, caught.value.details["next_seq"]) == (409, "stream_gap", 7)


def test_a_full_disk_of_the_portal_is_no_outage(portal: FakePortal, client: PortalClient) -> None:
    portal.inject("/jobs/claim", Answer(503, error(503, "storage_full").body, {"Retry-After": "20"}))
    with pytest.raises(Unavailable) as caught:
        client.claim(CLAIM)
    assert (caught.value.is_outage, caught.value.retry_after) == (False, 20.0)


def test_a_redirect_is_not_followed_and_the_token_not_sent_on(portal: FakePortal) -> None:
    with FakePortal() as elsewhere:
        portal.inject("/jobs/claim", Answer(307, "", {"Location": f"{elsewhere.url}/bert-training/api/jobs/claim"}))
        client = make_client(portal.url, portal.token)
        with pytest.raises(NotOurPortal, match="Redirects are refused"):
            client.claim(CLAIM)
        assert elsewhere.requests == []


def test_a_portal_that_is_not_there_is_unavailable(portal: FakePortal) -> None:
    with FakePortal() as gone:
        url = gone.url
    with pytest.raises(Unavailable, match="cannot be reached"):
        make_client(url, portal.token).claim(CLAIM)


def test_no_job_comes_with_a_wait(portal: FakePortal, client: PortalClient) -> None:
    portal.retry_after = "7"
    assert client.claim(CLAIM) == NothingToDo(7.0)
    portal.retry_after = None
    assert client.claim(CLAIM) == NothingToDo(5.0)


def test_every_call_says_who_calls(portal: FakePortal, client: PortalClient) -> None:
    client.claim(CLAIM)
    client.claim(CLAIM)
    first, second = portal.requests
    assert first.headers["authorization"] == f"Bearer {portal.token}"
    assert first.headers["user-agent"] == "bert-worker/9"
    assert first.headers["x-worker-protocol"] == "1"
    assert first.headers["x-worker-instance"] == "machine:1"
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert first.headers["content-type"] == "application/json"


def test_text_that_is_no_utf8_is_still_sent(portal: FakePortal, client: PortalClient) -> None:
    client.post_logs(LogBatch(job_id=1, attempt=1, first_seq=1, lines=[LogLine(ts="", message="ação <b> \U0001f600")]))
    assert portal.lines[1, 1][0]["message"] == "ação <b> \U0001f600"


def test_no_token_is_sent_in_a_body(portal: FakePortal, client: PortalClient) -> None:
    failure = FailureReport(code=Reason.CRASHED, message=f'refused: "Bearer {portal.token}"')
    client.complete(1, CompleteRequest(attempt=1, outcome=Outcome.FAILED, log_seq=0, metric_seq=0, error=failure))
    assert portal.token[:20] not in portal.requests[0].body.decode()
    assert portal.requests[0].json()["error"]["message"] == f'refused: "Bearer {portal.token[:14]}[hidden]"'


@pytest.mark.parametrize(("value", "seconds"), [("12", 12.0), ("soon", None), (None, None), ("-3", None)])
def test_retry_after_is_read_leniently(value: str | None, seconds: float | None) -> None:
    assert read_retry_after(value) == seconds


def test_retry_after_may_be_a_date() -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    assert 38 <= (read_retry_after(moment) or 0) <= 40


@pytest.mark.parametrize("days_off", [1, -1])
def test_a_date_to_wait_for_is_read_on_the_clock_of_who_said_it(days_off: int) -> None:
    """F-38, F-45: this computer's clock may be a day off."""
    said_at = datetime.now(UTC) + timedelta(days=days_off)
    until = format_datetime(said_at + timedelta(seconds=40), usegmt=True)
    assert read_retry_after(until, said_at=format_datetime(said_at, usegmt=True)) == 40


def test_a_portal_elsewhere_is_reached_through_the_proxy_of_the_environment(
    portal: FakePortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", portal.url)
    monkeypatch.setenv("http_proxy", portal.url)
    api_url = "http://portal.example/bert-training/api"
    client = PortalClient(api_url, TokenSource(portal.token), instance="m:1", version="9", is_loopback=False)
    client.claim(CLAIM)
    assert portal.requests[0].headers["host"] == "portal.example"


def test_a_portal_on_this_computer_is_never_asked_for_at_a_proxy(
    portal: FakePortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    make_client(portal.url, portal.token).claim(CLAIM)
    assert len(portal.requests) == 1


def test_no_method_of_the_client_sends_a_file() -> None:
    public = {name for name in vars(PortalClient) if not name.startswith("_")}
    posts = {"heartbeat", "claim", "post_progress", "complete", "post_logs", "post_metrics", "post_predictions"}
    assert public == posts | {"close", "download_table", "download_manifest"}
