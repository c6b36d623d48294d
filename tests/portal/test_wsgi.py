"""The portal under gunicorn, which takes the calls of many workers beside the ASGI server (README)."""

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bert_training.contract.limits import API_PREFIX
from bert_training.demo import processes
from bert_training.demo.children import Child
from bert_training.tasks import TASKS
from tests.janitor import the_janitor
from tests.processes import Product, wait_until

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(importlib.util.find_spec("gunicorn") is None, reason="gunicorn is not installed here"),
]

COMMAND = (sys.executable, "-m", "gunicorn", "--threads", "4", "portal.wsgi", "--bind")
LONG_BODY = 2 * 2**20
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """A worker's client of a portal under gunicorn."""
    folder: Path = tmp_path_factory.mktemp("wsgi")
    product = Product(folder)
    address = f"127.0.0.1:{product.port}"
    child = Child("gunicorn", [*COMMAND, address], environment=product.environment, log=folder / "gunicorn.log")
    the_janitor().watch(child.process)
    try:
        wait_until(lambda: processes.is_ready(product.base_url), child=child)
        headers = {"Authorization": f"Bearer {product.accounts['worker_token']}", "X-Worker-Protocol": "1"}
        with httpx2.Client(base_url=product.base_url + API_PREFIX, headers=headers, trust_env=False) as client:
            yield client
    finally:
        child.ask_to_stop()
        child.stop()
        the_janitor().forget(child.process)


def error(answer: httpx2.Response) -> tuple[int, str]:
    body: dict[str, Any] = answer.json()
    return answer.status_code, body["code"]


def test_a_worker_is_served(worker: httpx2.Client) -> None:
    beat = {"instance": "pc:1", "state": "idle", "sent_at": "2026-11-20T10:00:00+00:00"}
    assert worker.post("/workers/heartbeat", json=beat).json()["directive"] == "continue"
    assert worker.post("/jobs/claim", json={"instance": "pc:1", "tasks": list(TASKS)}).status_code == 204
    lines = {"job_id": 1, "attempt": 1, "first_seq": 1, "lines": []}
    assert error(worker.post("/logs/batch", json=lines)) == (404, "not_found")


@pytest.mark.parametrize("in_chunks", [False, True])
def test_a_body_that_is_too_long_is_not_read(worker: httpx2.Client, in_chunks: bool) -> None:
    body = json.dumps({"padding": "x" * LONG_BODY}).encode()
    pieces = (body[start : start + 2**16] for start in range(0, len(body), 2**16))
    try:
        answer = worker.post("/logs/batch", content=pieces if in_chunks else body, headers=JSON)
    except httpx2.TransportError:
        return  # gunicorn closes on a caller that still sends; the proxy in front would have said 413
    # A body in chunks, which no worker sends, Django takes for an empty one under WSGI.
    assert error(answer) == ((400, "invalid_json") if in_chunks else (413, "too_large"))
