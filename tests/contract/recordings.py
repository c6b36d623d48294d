"""The recorded exchanges of protocol 1, made ready to be played again to today's portal and today's worker."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bert_training.contract import messages, streams

FILE = Path(__file__).with_name("recorded") / "protocol_1.json"
JOB = "JOB"  # stands for the number of the job, which differs each time
# Which message a call carries there and back; the end of the path names the call.
MESSAGES: dict[str, tuple[type[messages.Message], type[messages.Message]]] = {
    "/workers/heartbeat": (messages.HeartbeatRequest, messages.HeartbeatAnswer),
    "/jobs/claim": (messages.ClaimRequest, messages.ClaimedJob),
    "/progress": (messages.ProgressRequest, messages.ProgressAnswer),
    "/complete": (messages.CompleteRequest, messages.CompleteAnswer),
    "/logs/batch": (streams.LogBatch, streams.StreamAnswer),
    "/metrics": (streams.MetricBatch, streams.StreamAnswer),
}
# Without a default in the message, but not needed by every form of it.
KEPT = frozenset({"result", "job_id"})
# What differs with every portal, data and moment; everything else of an answer is compared.
VARYING = frozenset(
    {
        *("server_time", "request_id", "message", "run_id", "id", "lease_seconds", "heartbeat_seconds", "retry_after"),
        *("sha256", "bytes", "table_sha256", "table_bytes", "rows", "split_digest", "hyperparameters"),
    }
)


@dataclass(frozen=True)
class Exchange:
    """One request and its answer (None = empty)."""

    name: str
    path: str
    body: dict[str, Any]
    status: int
    answer: dict[str, Any] | None
    retry_after: str | None = None

    @property
    def messages(self) -> tuple[type[messages.Message], type[messages.Message]]:
        """Return the types of the message and of its answer."""
        return next(types for end, types in MESSAGES.items() if self.path.endswith(end))


def exchanges(*, job: int) -> list[Exchange]:
    """Return the recorded story, in order, about a job of this number."""
    text = FILE.read_text(encoding="utf-8").replace(f'"{JOB}"', str(job)).replace(f"/{JOB}/", f"/{job}/")
    return [Exchange(**entry) for entry in json.loads(text)]


def without_newer_fields(body: dict[str, Any], message: type[BaseModel]) -> dict[str, Any]:
    """Return a body as the oldest speaker of protocol 1 would send it: without all that has a default."""
    required = {name for name, field in message.model_fields.items() if field.is_required()} | KEPT
    return {name: value for name, value in body.items() if name in required}


def differences(recorded: Any, actual: Any, place: str = "answer") -> list[str]:
    """Name where an answer is not what was recorded; more fields than then are welcome."""
    if isinstance(recorded, dict) and isinstance(actual, dict):
        missing = [f"{place}.{name} is missing" for name in recorded if name not in actual]
        both = [name for name in recorded if name in actual and name not in VARYING]
        return missing + [
            line for name in both for line in differences(recorded[name], actual[name], f"{place}.{name}")
        ]
    return [] if recorded == actual else [f"{place} was {recorded!r} and is {actual!r}"]
