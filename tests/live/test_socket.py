"""The websocket of a run's page: who gets in, what comes, in which order, and when it is closed."""

import asyncio
import contextlib
import json
from typing import Any

import pytest
from channels.layers import BaseChannelLayer, get_channel_layer
from django.contrib.auth.models import User
from django.db import InterfaceError
from redis import Redis

from bert_training.live import feed
from bert_training.live.publish import GROUP, ring
from bert_training.models import AuditEvent, Job, Run, Team
from bert_training.services.runs import cancel_run, delete_run
from tests.live.conftest import (
    NEVER_SECONDS,
    WAIT_SECONDS,
    WITHDRAWALS,
    Change,
    close_code,
    in_database,
    is_redis,
    leave,
    messages_of,
    next_frame,
    open_socket,
    play,
    signed_in,
    socket_of,
    write_lines,
    write_point,
)
from tests.personas import make_run, share

pytestmark = pytest.mark.embedded

NOBODY_LISTENS = "redis://127.0.0.1:9"  # the discard port
GROUP_EXPIRY_SECONDS = 1


@pytest.fixture
def live_run(run: Run, running_job: Job) -> Run:
    """Ana's run in training."""
    return run


def test_a_viewer_gets_what_is_there_and_then_what_comes(ana: User, live_run: Run) -> None:
    client = signed_in(ana)
    write_lines(live_run, "um", "dois")
    write_point(live_run, 1)

    async def scenario() -> None:
        socket = await open_socket(client, live_run.pk)
        first = await next_frame(socket)
        assert messages_of(first) == ["um", "dois"]
        assert [point["step"] for point in first["metrics"]] == [1]
        assert (first["run"]["status"], first["run"]["finished"]) == ("running", False)
        await in_database(write_lines)(live_run, "três")
        await in_database(ring)(live_run.pk)
        second = await next_frame(socket)
        assert (messages_of(second), second["metrics"]) == (["três"], [])
        await leave(socket)

    play(scenario)


def test_a_viewer_goes_on_where_it_was(ana: User, live_run: Run) -> None:
    client = signed_in(ana)
    cursors = write_lines(live_run, "um", "dois", "três")
    point = write_point(live_run, 1)

    async def scenario() -> None:
        socket = await open_socket(client, live_run.pk, logs=cursors[1], metrics=point)
        frame = await next_frame(socket)
        assert (messages_of(frame), frame["metrics"]) == (["três"], [])
        await leave(socket)

    play(scenario)


def test_much_comes_in_frames_of_at_most_500_in_order(ana: User, live_run: Run) -> None:
    client = signed_in(ana)
    texts = [f"linha {number}" for number in range(1200)]
    write_lines(live_run, *texts)

    async def scenario() -> None:
        socket = await open_socket(client, live_run.pk)
        frames = [messages_of(await next_frame(socket)) for _number in range(3)]
        assert [len(frame) for frame in frames] == [500, 500, 200]
        assert [text for frame in frames for text in frame] == texts
        await leave(socket)

    play(scenario)


def test_a_change_of_state_comes_without_lines(ana: User, live_run: Run) -> None:
    client = signed_in(ana)

    async def scenario() -> None:
        socket = await open_socket(client, live_run.pk)
        await next_frame(socket)
        await in_database(cancel_run)(live_run)
        await in_database(ring)(live_run.pk)
        frame = await next_frame(socket)
        assert (frame["logs"], frame["run"]["canceling"]) == ([], True)
        await leave(socket)

    play(scenario)


def test_a_lost_ring_costs_only_time(ana: User, live_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "POLL_SECONDS", 0.05)
    client = signed_in(ana)

    async def scenario() -> None:
        socket = await open_socket(client, live_run.pk)
        await next_frame(socket)
        await in_database(write_lines)(live_run, "nobody rang")
        assert messages_of(await next_frame(socket)) == ["nobody rang"]
        await leave(socket)

    play(scenario)


@pytest.mark.skipif(not is_redis(), reason="the in-memory layer has no other processes")
def test_a_ring_in_another_process_is_heard(ana: User, live_run: Run) -> None:
    client = signed_in(ana)

    async def scenario() -> None:
        socket = await open_socket(client, live_run.pk)
        await next_frame(socket)
        layer = await layer_that_is_heard()
        await in_database(write_lines)(live_run, "from afar")
        await layer.group_send(GROUP, {"type": "runs.changed", "runs": [live_run.pk]})
        assert messages_of(await next_frame(socket)) == ["from afar"]
        await leave(socket)

    play(scenario)


async def layer_that_is_heard() -> Any:
    """Return the channel layer once the feed, which subscribes beside its first read, hears it."""
    layer: Any = get_channel_layer()
    while not any(GROUP in group for group in layer._get_layer().groups):
        await asyncio.sleep(0.01)
    return layer


def test_many_rings_at_once_become_few_frames(ana: User, live_run: Run) -> None:
    client = signed_in(ana)

    async def scenario() -> None:
        socket = await open_socket(client, live_run.pk)
        await next_frame(socket)
        for number in range(40):
            await in_database(write_lines)(live_run, f"linha {number}")
            await in_database(ring)(live_run.pk)
        seen: list[str] = []
        frames = 0
        while len(seen) < 40:
            seen += messages_of(await next_frame(socket))
            frames += 1
        assert seen == [f"linha {number}" for number in range(40)]
        assert frames < 20
        await leave(socket)

    play(scenario)


def test_one_read_serves_all_viewers_at_the_same_place(
    ana: User, root: User, live_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[feed.Cursor] = []
    real = feed.read_frame

    def counted(run_id: int, cursor: feed.Cursor, language: str) -> feed.Frame:
        reads.append(cursor)
        return real(run_id, cursor, language)

    monkeypatch.setattr(feed, "read_frame", counted)
    clients = [signed_in(ana), signed_in(root)]

    async def scenario() -> None:
        sockets = [await open_socket(client, live_run.pk) for client in clients * 5]
        for socket in sockets:
            await next_frame(socket)
        reads.clear()
        await in_database(write_lines)(live_run, "para todos")
        await in_database(ring)(live_run.pk)
        frames = await asyncio.gather(*map(next_frame, sockets))
        assert [messages_of(frame) for frame in frames] == [["para todos"]] * 10
        assert len(set(reads)) == len(reads)  # the same ring by way of Redis may cause a second one, from the new place
        await leave(*sockets)

    play(scenario)


def test_a_feed_ends_with_its_last_viewer(ana: User, live_run: Run) -> None:
    client = signed_in(ana)

    async def scenario() -> None:
        first, second = [await open_socket(client, live_run.pk) for _number in range(2)]
        await next_frame(first)
        await next_frame(second)
        feeds = feed._feeds[asyncio.get_running_loop()]
        await leave(first)
        assert set(feeds) == {live_run.pk}
        await leave(second)
        assert not feeds

    play(scenario)


def break_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the database be away for every read of a feed."""

    def away(*_arguments: Any) -> feed.Frame:
        raise InterfaceError("connection already closed")

    monkeypatch.setattr(feed, "read_frame", away)


def test_without_a_database_the_page_is_asked_to_come_back(
    ana: User, live_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(ana)
    real = feed.read_frame

    async def scenario() -> int:
        staying = await open_socket(client, live_run.pk)
        await next_frame(staying)
        break_reads(monkeypatch)
        leaving = await open_socket(client, live_run.pk, metrics=1)
        code = await close_code(leaving)
        monkeypatch.setattr(feed, "read_frame", real)
        again = await open_socket(client, live_run.pk, metrics=1)
        assert (await next_frame(again))["run"]["status"] == "running"
        await leave(again, staying)
        return code

    assert play(scenario) == 1013


def test_a_page_whose_frames_fail_is_closed_and_comes_back(
    ana: User, live_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(ana)

    def fail(*_arguments: Any) -> feed.Frame:
        raise ValueError("our own mistake")

    monkeypatch.setattr(feed, "read_frame", fail)

    async def scenario() -> int:
        return await close_code(await open_socket(client, live_run.pk))

    assert play(scenario) == 1011


def test_a_page_opens_and_lives_while_redis_is_away(ana: User, live_run: Run, settings: Any) -> None:
    """F-23: a page needs Redis neither to open nor to hear of what this process took."""
    layer = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [NOBODY_LISTENS]}}
    settings.CHANNEL_LAYERS = {"default": layer}
    client = signed_in(ana)

    async def scenario() -> None:
        socket = await open_socket(client, live_run.pk)
        await next_frame(socket)
        await in_database(write_lines)(live_run, "without Redis")
        await in_database(ring)(live_run.pk)
        assert messages_of(await next_frame(socket)) == ["without Redis"]
        await leave(socket)

    play(scenario)


class SwallowingLayer(BaseChannelLayer):
    """A channel layer that swallows a cancel while it subscribes, as the Redis client does now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.is_left = asyncio.Event()

    async def new_channel(self, prefix: str = "specific") -> str:
        return prefix

    async def group_add(self, group: str, channel: str) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(NEVER_SECONDS)

    async def group_discard(self, group: str, channel: str) -> None:
        self.is_left.set()

    async def receive(self, channel: str) -> Any:
        await asyncio.sleep(NEVER_SECONDS)


def test_a_page_that_leaves_while_its_feed_subscribes_leaves_no_subscription(
    ana: User, live_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(ana)

    async def scenario() -> None:
        layer = SwallowingLayer()
        monkeypatch.setattr(feed, "get_channel_layer", lambda: layer)
        socket = await open_socket(client, live_run.pk)
        await next_frame(socket)
        await leave(socket)
        await asyncio.wait_for(layer.is_left.wait(), WAIT_SECONDS)

    play(scenario)


@pytest.mark.skipif(not is_redis(), reason="the in-memory layer has no other processes")
def test_a_page_hears_other_processes_longer_than_a_group_lives(ana: User, live_run: Run, settings: Any) -> None:
    """F-26: with the usual layer a page left its group in silence after group_expiry; here nothing expires."""
    layer = settings.CHANNEL_LAYERS["default"]
    settings.CHANNEL_LAYERS = {
        "default": {**layer, "CONFIG": {**layer["CONFIG"], "group_expiry": GROUP_EXPIRY_SECONDS}}
    }
    client = signed_in(ana)

    async def scenario() -> None:
        socket = await open_socket(client, live_run.pk)
        await next_frame(socket)
        layer = await layer_that_is_heard()
        await asyncio.sleep(GROUP_EXPIRY_SECONDS + 0.2)
        await in_database(write_lines)(live_run, "much later")
        await layer.group_send(GROUP, {"type": "runs.changed", "runs": [live_run.pk]})
        assert messages_of(await next_frame(socket)) == ["much later"]
        await leave(socket)

    play(scenario)


@pytest.mark.skipif(not is_redis(), reason="the in-memory layer has nothing to flush")
def test_a_page_hears_other_processes_after_a_flush(ana: User, live_run: Run, settings: Any) -> None:
    """F-24: FLUSHALL with open pages, which lose no subscription by it."""
    client = signed_in(ana)

    async def scenario() -> None:
        socket = await open_socket(client, live_run.pk)
        await next_frame(socket)
        layer = await layer_that_is_heard()
        with Redis.from_url(settings.REDIS_URL) as redis:
            redis.flushall()
        await in_database(write_lines)(live_run, "after the flush")
        await layer.group_send(GROUP, {"type": "runs.changed", "runs": [live_run.pk]})
        assert messages_of(await next_frame(socket)) == ["after the flush"]
        await leave(socket)

    play(scenario)


def test_a_ring_for_a_loop_that_has_ended_harms_nobody(live_run: Run) -> None:
    async def scenario() -> feed.Feed:
        abandoned = feed.Feed(live_run.pk)
        abandoned.start()
        return abandoned

    abandoned = play(scenario)
    ring(live_run.pk)
    abandoned.stop()


def test_words_come_in_the_language_of_the_page(ana: User, live_run: Run) -> None:
    client = signed_in(ana)

    async def scenario() -> None:
        socket = await open_socket(client, live_run.pk, language="en")
        assert (await next_frame(socket))["run"]["status_label"] == "running"
        await leave(socket)

    play(scenario)


@pytest.mark.parametrize("who", ["nobody", "a stranger", "the owner of a run that is not there"])
def test_who_may_not_see_the_run_is_sent_away(who: str, ana: User, carla: User, live_run: Run) -> None:
    user = {"nobody": None, "a stranger": carla}.get(who, ana)
    run_id = 4711 if user is ana else live_run.pk
    client = signed_in(user)

    async def scenario() -> int:
        socket = socket_of(client, run_id)
        await socket.connect()
        return await close_code(socket)

    assert play(scenario) == (4401 if who == "nobody" else 4404)
    noted = AuditEvent.objects.filter(kind="access_denied").values_list("actor_name", "target_kind", "target_id")
    assert list(noted) == ([("carla", "run", live_run.pk)] if who == "a stranger" else [])


@pytest.mark.parametrize("origin", [b"http://evil.example", b"null", b"http://testserver.evil.example", b""])
def test_a_page_of_another_site_is_not_let_in(ana: User, live_run: Run, origin: bytes) -> None:
    client = signed_in(ana)

    async def scenario() -> bool:
        connected, _code = await socket_of(client, live_run.pk, origin=origin).connect()
        return bool(connected)

    assert play(scenario) is False


BAD_MESSAGES = [
    "",
    "{}",
    "[]",
    "null",
    "hello",
    '{"after": 1}',
    '{"after": {}}',
    '{"after": {"logs": 0}}',
    '{"after": {"logs": -1, "metrics": 0}}',
    '{"after": {"logs": 1e30, "metrics": 0}}',
    '{"after": {"logs": 1000000000000000000000000000000, "metrics": 0}}',
    '{"after": {"logs": "1", "metrics": 0}}',
    '{"after": {"logs": true, "metrics": 0}}',
    '{"after": {"logs": 0, "metrics": 0, "x": 0}}',
    '{"after": {"logs": 0, "metrics": 0}, "x": 0}',
    '{"after": {"logs": 0, "metrics": 0}}' + " " * 5000,
    "[" * 4000,
]


@pytest.mark.parametrize("text", BAD_MESSAGES)
def test_any_other_message_closes_the_socket(ana: User, live_run: Run, text: str) -> None:
    client = signed_in(ana)

    async def scenario() -> int:
        socket = socket_of(client, live_run.pk)
        await socket.connect()
        await socket.send_input({"type": "websocket.receive", "text": text})
        return await close_code(socket)

    assert play(scenario) == 4400


def test_bytes_and_a_second_message_close_the_socket(ana: User, live_run: Run) -> None:
    client = signed_in(ana)

    async def scenario() -> list[int]:
        greeted = await open_socket(client, live_run.pk)
        await greeted.send_json_to({"after": {"logs": 0, "metrics": 0}})
        binary = socket_of(client, live_run.pk)
        await binary.connect()
        await binary.send_to(bytes_data=json.dumps({"after": {"logs": 0, "metrics": 0}}).encode())
        return [await close_code(greeted), await close_code(binary)]

    assert play(scenario) == [4400, 4400]


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask anew for the permission every few milliseconds."""
    monkeypatch.setattr("bert_training.live.consumers.RECHECK_SECONDS", 0.02)


def close_code_after(run: Run, user: User, change: Any) -> int:
    """Open a page, change something in the database and return the code with which the page is closed."""
    client = signed_in(user)

    async def scenario() -> int:
        socket = await open_socket(client, run.pk)
        await next_frame(socket)
        await in_database(change)(client)
        return await close_code(socket)

    code: int = play(scenario)
    return code


@pytest.mark.usefixtures("soon")
def test_signing_out_closes_the_page(ana: User, live_run: Run) -> None:
    assert close_code_after(live_run, ana, lambda client: client.logout()) == 4401


@pytest.mark.usefixtures("soon")
def test_a_new_password_closes_the_page(ana: User, live_run: Run) -> None:
    def change(_client: Any) -> None:
        ana.set_password("another-long-password")
        ana.save(update_fields=["password"])

    assert close_code_after(live_run, ana, change) == 4401


@pytest.mark.usefixtures("soon")
def test_deactivating_a_person_closes_the_page(ana: User, live_run: Run) -> None:
    def change(_client: Any) -> None:
        User.objects.filter(pk=ana.pk).update(is_active=False)

    assert close_code_after(live_run, ana, change) == 4401


@pytest.mark.usefixtures("soon")
def test_losing_sight_of_the_run_closes_the_page(root: User, live_run: Run) -> None:
    def change(_client: Any) -> None:
        User.objects.filter(pk=root.pk).update(is_staff=False)

    assert close_code_after(live_run, root, change) == 4404


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("change", WITHDRAWALS)
def test_a_right_that_is_withdrawn_closes_the_page(bruno: User, team: Team, live_run: Run, change: Change) -> None:
    share(live_run, team)
    assert close_code_after(live_run, bruno, lambda _client: change(bruno, live_run)) in (4401, 4404)


def test_the_page_of_a_deleted_run_is_closed(ana: User, dataset: Any) -> None:
    run = make_run(ana, dataset)
    cancel_run(run)

    def change(_client: Any) -> None:
        run_id = run.pk
        delete_run(run)
        ring(run_id)

    assert close_code_after(run, ana, change) == 4404


def test_a_person_has_at_most_20_pages_open(ana: User, live_run: Run) -> None:
    client = signed_in(ana)

    async def scenario() -> int:
        sockets = [await open_socket(client, live_run.pk) for _number in range(20)]
        refused = socket_of(client, live_run.pk)
        await refused.connect()
        code = await close_code(refused)
        await leave(sockets.pop())
        again = await open_socket(client, live_run.pk)
        await next_frame(again)
        await leave(again, *sockets)
        return code

    assert play(scenario) == 4429
