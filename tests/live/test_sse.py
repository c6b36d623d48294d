"""The log as server-sent events: the same lines as on the page, by cursor, until the run has ended."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import AsyncClient, Client

from bert_training.contract.enums import JobStatus
from bert_training.contract.limits import API_PREFIX
from bert_training.live import consumers, feed, viewers
from bert_training.live.publish import ring
from bert_training.models import Job, Run, Team
from bert_training.services.tokens import issue_user_token, revoke_token
from tests.live.conftest import WAIT_SECONDS, WITHDRAWALS, Change, in_database, play, write_lines
from tests.personas import share

pytestmark = pytest.mark.embedded

EVENT_STREAM = "text/event-stream"


@pytest.fixture
def ended_run(run: Run, running_job: Job) -> Run:
    """A run that was canceled after three lines."""
    write_lines(run, "um", "dois\nevent: forged", "três")
    Job.objects.get(pk=running_job.pk).transition(JobStatus.CANCELED, lease_until=None)
    return run


async def stream(token: str, run_id: int, **headers: str) -> Any:
    """Open the event stream with a person's token."""
    path = f"{API_PREFIX}/runs/{run_id}/logs"
    sent = {"accept": EVENT_STREAM, "authorization": f"Bearer {token}"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return await AsyncClient().get(path, headers=sent)


async def events_of(response: Any) -> AsyncIterator[dict[str, str]]:
    """Yield each event as its fields; comments are left out."""
    pending = ""
    async for piece in response.streaming_content:
        pending += piece.decode()
        while "\n\n" in pending:
            block, pending = pending.split("\n\n", 1)
            fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
            if fields:
                yield fields


def messages(events: list[dict[str, str]]) -> list[str]:
    """Return the texts of the `log` events."""
    return [json.loads(event["data"])["message"] for event in events if event["event"] == "log"]


def test_the_log_of_an_ended_run_comes_whole_with_an_end(ana: User, ended_run: Run) -> None:
    token = issue_user_token(ana, label="tests")[1]

    async def scenario() -> None:
        response = await stream(token, ended_run.pk)
        assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert response.headers["Cache-Control"] == "no-store"
        events = [event async for event in events_of(response)]
        assert messages(events) == ["um", "dois\nevent: forged", "três"]
        assert [event["id"] for event in events[:-1]] == [
            str(json.loads(event["data"])["cursor"]) for event in events[:-1]
        ]
        assert events[-1] == {"event": "end", "data": '{"status": "canceled"}'}

    play(scenario)


def test_a_reader_goes_on_after_its_last_event(ana: User, ended_run: Run) -> None:
    token = issue_user_token(ana, label="tests")[1]

    async def scenario() -> None:
        first = await anext(events_of(await stream(token, ended_run.pk)))
        rest = [event async for event in events_of(await stream(token, ended_run.pk, last_event_id=first["id"]))]
        assert messages(rest) == ["dois\nevent: forged", "três"]

    play(scenario)


@pytest.mark.parametrize("garbage", ["x", "-1", "1e3", "9" * 5000, "²", "1; DROP TABLE"])
def test_garbage_begins_at_the_start(ana: User, ended_run: Run, garbage: str) -> None:
    token = issue_user_token(ana, label="tests")[1]

    async def scenario() -> None:
        events = [event async for event in events_of(await stream(token, ended_run.pk, last_event_id=garbage))]
        assert len(messages(events)) == 3

    play(scenario)


def test_lines_arrive_while_the_run_goes_on(ana: User, run: Run, running_job: Job) -> None:
    token = issue_user_token(ana, label="tests")[1]
    write_lines(run, "um")

    async def scenario() -> None:
        events = events_of(await stream(token, run.pk))
        assert messages([await anext(events)]) == ["um"]
        await in_database(write_lines)(run, "dois")
        await in_database(ring)(run.pk)
        assert messages([await asyncio.wait_for(anext(events), WAIT_SECONDS)]) == ["dois"]
        await in_database(running_job.transition)(JobStatus.CANCELED, lease_until=None)
        await in_database(ring)(run.pk)
        assert (await asyncio.wait_for(anext(events), WAIT_SECONDS))["event"] == "end"
        assert [event async for event in events] == []

    play(scenario)


def test_the_stream_ends_when_the_token_is_revoked(
    ana: User, run: Run, running_job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bert_training.live.viewers.RECHECK_SECONDS", 0.0)  # asked with the frame of the ring
    row, token = issue_user_token(ana, label="tests")
    write_lines(run, "um")

    async def scenario() -> None:
        events = events_of(await stream(token, run.pk))
        await anext(events)
        await in_database(revoke_token)(row)
        await in_database(write_lines)(run, "not for you")
        await in_database(ring)(run.pk)
        assert [event async for event in events] == []

    play(scenario)


@pytest.mark.parametrize("change", WITHDRAWALS)
def test_a_quiet_stream_ends_by_itself_when_a_right_is_withdrawn(
    bruno: User, team: Team, run: Run, running_job: Job, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    """Nothing rings and nobody writes: the beat alone asks."""
    monkeypatch.setattr("bert_training.live.viewers.RECHECK_SECONDS", 0.02)
    share(run, team)
    token = issue_user_token(bruno, label="tests")[1]
    write_lines(run, "um")

    async def scenario() -> None:
        events = events_of(await stream(token, run.pk))
        assert messages([await anext(events)]) == ["um"]
        await in_database(change)(bruno, run)
        assert [event async for event in events] == []

    play(scenario)


def test_the_beat_of_a_quiet_stream_reads_nothing_of_the_run(
    ana: User, run: Run, running_job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bert_training.live.viewers.RECHECK_SECONDS", 0.02)
    reads: list[int] = []
    real = feed.read_frame

    def counted(run_id: int, cursor: feed.Cursor, language: str) -> feed.Frame:
        reads.append(run_id)
        return real(run_id, cursor, language)

    monkeypatch.setattr(feed, "read_frame", counted)
    token = issue_user_token(ana, label="tests")[1]

    async def scenario() -> None:
        pieces = aiter((await stream(token, run.pk)).streaming_content)
        assert [(await anext(pieces))[:1] for _beat in range(5)] == [b":"] * 5
        assert len(reads) == 1
        await pieces.aclose()

    play(scenario)


def test_what_the_program_asks_keeps_the_promise_of_five_seconds() -> None:
    """A frame may come just before the next question is due: then the one after it asks."""
    assert 2 * viewers.RECHECK_SECONDS < 5
    assert consumers.RECHECK_SECONDS < 5


def test_the_stream_ends_quietly_when_the_database_goes_away(
    ana: User, run: Run, running_job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = issue_user_token(ana, label="tests")[1]
    write_lines(run, "um")

    def away(*_arguments: Any) -> feed.Frame:
        raise OperationalError("server closed the connection")

    async def scenario() -> None:
        events = events_of(await stream(token, run.pk))
        assert messages([await anext(events)]) == ["um"]
        monkeypatch.setattr(feed, "read_frame", away)
        await in_database(ring)(run.pk)
        assert [event async for event in events] == []

    play(scenario)


def test_a_quiet_stream_says_that_it_lives(
    ana: User, run: Run, running_job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bert_training.live.feed.POLL_SECONDS", 0.02)
    token = issue_user_token(ana, label="tests")[1]

    async def scenario() -> None:
        pieces = aiter((await stream(token, run.pk)).streaming_content)
        assert [(await anext(pieces))[:1], (await anext(pieces))[:1]] == [b":", b":"]
        await pieces.aclose()

    play(scenario)


def test_a_stranger_gets_the_error_as_json(carla: User, run: Run) -> None:
    client = Client()
    client.force_login(carla)
    response = client.get(f"{API_PREFIX}/runs/{run.pk}/logs", headers={"accept": EVENT_STREAM})
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_a_server_that_cannot_stream_says_so(ana: User, run: Run) -> None:
    client = Client()
    client.force_login(ana)
    response = client.get(f"{API_PREFIX}/runs/{run.pk}/logs", headers={"accept": EVENT_STREAM})
    assert (response.status_code, response.json()["code"]) == (406, "not_acceptable")


def test_a_reader_who_leaves_ends_the_feed(ana: User, run: Run, running_job: Job) -> None:
    token = issue_user_token(ana, label="tests")[1]
    write_lines(run, "um")

    async def scenario() -> None:
        pieces = aiter((await stream(token, run.pk)).streaming_content)
        await anext(pieces)
        feeds = feed._feeds[asyncio.get_running_loop()]
        assert set(feeds) == {run.pk}
        waiting = asyncio.ensure_future(anext(pieces))
        await asyncio.wait({waiting}, timeout=0.05)
        waiting.cancel()  # what the server does when the connection is closed
        await asyncio.wait({waiting})
        assert not feeds

    play(scenario)
