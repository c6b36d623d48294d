"""The parts of a running supervisor, made once and handed to whoever carries a job."""

from dataclasses import dataclass

from bert_training.worker.client import PortalClient
from bert_training.worker.heartbeat import Heartbeat
from bert_training.worker.model_store import ModelStore
from bert_training.worker.options import Options
from bert_training.worker.orders import WorkerOrders
from bert_training.worker.retry import Retrier
from bert_training.worker.timing import Timing


@dataclass(frozen=True)
class WorkerContext:
    """One supervisor."""

    options: Options
    instance: str
    store: ModelStore
    client: PortalClient
    retrier: Retrier
    heartbeat: Heartbeat
    orders: WorkerOrders
    timing: Timing
