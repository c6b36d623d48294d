"""A worker whose token is rotated while it trains: it takes the new one from its file and loses nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bert_training.contract.tokens import WORKER_PREFIX, make_token
from bert_training.worker.options import TokenSource
from bert_training.worker.simulation import SPEED_VARIABLE
from tests.worker.fake_portal import FakePortal
from tests.worker.supervisors import LocalSupervisor, RealSupervisor


@pytest.fixture
def file(portal: FakePortal, tmp_path: Path) -> Path:
    """The token file of the worker."""
    file = tmp_path / "token.txt"
    file.write_text(portal.token)
    return file


def tokens_sent(portal: FakePortal) -> list[str]:
    return [request.headers["authorization"].removeprefix("Bearer ") for request in portal.requests]


def test_a_token_that_ends_at_once_costs_a_running_job_nothing(
    portal: FakePortal, file: Path, start_process: Callable[..., RealSupervisor]
) -> None:
    job = portal.enqueue(hyperparameters={"epochs": 6})
    settings = {"BERT_TOKEN": "", "BERT_TOKEN_FILE": str(file), SPEED_VARIABLE: "200"}  # a second of training
    worker = start_process(**settings)
    portal.wait_for(lambda: portal.points)
    old, portal.token = portal.token, make_token(WORKER_PREFIX)
    before = len(portal.requests)
    portal.wait_for(lambda: len(portal.requests) > before)  # is refused
    file.write_text("half of a token")
    file.write_text(portal.token + "\n")
    portal.wait_for(lambda: portal.ends)
    end = portal.ends[0]
    assert (end["outcome"], end["attempt"], end["job_id"]) == ("completed", 1, job.job_id)
    assert (len(portal.messages(job)), len(portal.points[job.job_id, 1])) == (end["log_seq"], end["metric_seq"])
    for token in (old, portal.token):
        assert token not in worker.output


def test_during_an_overlap_a_worker_changes_over_and_no_call_is_refused(
    portal: FakePortal, file: Path, start_worker: Callable[..., LocalSupervisor]
) -> None:
    start_worker(token=TokenSource("", file))
    portal.wait_for(lambda: portal.sent_to("/workers/heartbeat"))
    portal.new_token = make_token(WORKER_PREFIX)
    file.write_text(portal.new_token)
    portal.wait_for(lambda: tokens_sent(portal)[-1] == portal.new_token)
    portal.token = ""  # the overlap is over
    before = len(portal.requests)
    portal.wait_for(lambda: len(portal.requests) > before + 2)
    sent = tokens_sent(portal)
    assert sent == sorted(sent, key=lambda token: token == portal.new_token)


def test_a_damaged_token_file_changes_nothing(portal: FakePortal, file: Path) -> None:
    token = TokenSource("", file)
    for content in ("", "bertw_", portal.token[:-1], "bertu_" + portal.token[6:], "\x00", portal.token * 2):
        file.write_text(content)
        assert not token.reload()
    file.unlink()
    assert not token.reload()
    assert token.current == portal.token
