"""The bodies of the worker protocol as pydantic models, used by the portal to parse and by the worker to build.

Strict types (true is no number, 123 no text). Unknown fields are ignored, so that protocol 1 can grow.
"""

from datetime import datetime
from itertools import pairwise
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from bert_training.contract.enums import (
    Directive,
    JobStatus,
    Outcome,
    Phase,
    WorkerState,
)
from bert_training.contract.later_hyperparameters import without_later_defaults
from bert_training.contract.limits import (
    CLASSES,
    FORGETS_PER_HEARTBEAT,
    HEARTBEAT_SECONDS,
    LENGTH_BARS,
    LENGTH_CLASSES,
    LONG_TEXT_WAYS,
    METRIC_NAME_CHARACTERS,
    METRIC_NAMES_PER_RUN,
    PACKAGES,
    REMAINING_SECONDS,
    RUNS_PER_FORGET,
)

Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
Identifier = Annotated[int, Field(ge=1, le=2**63 - 1)]
AttemptNumber = Annotated[int, Field(ge=1, le=2**31 - 1)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
ShortText = Annotated[str, Field(max_length=200)]
MetricName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]*$", max_length=METRIC_NAME_CHARACTERS)]
ClassName = Annotated[str, Field(max_length=1000)]
FiniteNumber = Annotated[float, Field(allow_inf_nan=False)]


class Message(BaseModel):
    """Base of every message: strict types, unknown fields ignored."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class Gpu(Message):
    """One GPU as the worker sees it now; memory in bytes, utilisation 0..1."""

    name: ShortText
    memory_bytes: Annotated[int, Field(ge=0, le=2**50)] = 0
    memory_used_bytes: Annotated[int, Field(ge=0, le=2**50)] = 0
    utilisation: Annotated[float, Field(ge=0, le=1)] | None = None
    temperature_celsius: Annotated[float, Field(ge=-50, le=200)] | None = None


class HeartbeatRequest(Message):
    instance: ShortText
    state: WorkerState
    sent_at: datetime
    job_id: Identifier | None = None
    attempt: AttemptNumber | None = None
    gpu: Annotated[list[Gpu], Field(max_length=64)] = []
    disk_free: Annotated[int, Field(ge=0, le=2**60)] | None = None  # bytes free under the models-dir
    disk_bytes: Annotated[int, Field(ge=0, le=2**60)] | None = None  # of the disk that holds it
    cpu: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None  # share of all cores that is busy
    memory_bytes: Annotated[int, Field(ge=0, le=2**50)] | None = None
    memory_used_bytes: Annotated[int, Field(ge=0, le=2**50)] | None = None
    forgotten: Annotated[list[Identifier], Field(max_length=FORGETS_PER_HEARTBEAT)] = []  # orders that are carried out

    @model_validator(mode="after")
    def _names_the_attempt(self) -> Self:
        if (self.job_id is None) != (self.attempt is None):
            raise ValueError("job_id and attempt belong together")
        return self


class ProtocolRange(Message):
    min: int
    max: int


class Forget(Message):
    """An order to delete every copy on this computer of what was deleted on the portal; it is repeated until confirmed.

    Two owners may hold the same bytes: what belongs to a job is of the dataset with this number and SHA-256. What
    is kept by digest goes too, for it is fetched again. runs: those alone, with their logs; empty = the whole dataset.
    """

    id: Identifier  # to be confirmed by
    dataset_id: Identifier
    sha256: Digest
    table_sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""  # empty: no table was ever made
    runs: Annotated[list[Identifier], Field(max_length=RUNS_PER_FORGET)] = []


class HeartbeatAnswer(Message):
    server_time: datetime
    directive: Directive
    lease_seconds: float
    heartbeat_seconds: float
    protocol: ProtocolRange
    forget: Annotated[list[Forget], Field(max_length=FORGETS_PER_HEARTBEAT)] = []


class ClaimRequest(Message):
    instance: ShortText
    tasks: Annotated[list[ShortText], Field(max_length=50)]
    versions: Annotated[dict[ShortText, ShortText], Field(max_length=50)] = {}
    simulate: bool = False
    features: Annotated[list[ShortText], Field(max_length=50)] = []  # of `Feature`; unknown ones are kept


class DatasetReference(Message):
    """The data of a claimed job. Digests name the original file (sha256) and the canonical table (table_sha256)."""

    id: Identifier
    sha256: Digest
    bytes: int
    table_sha256: Digest
    table_bytes: int
    rows: int


class ClaimedJob(Message):
    """What a worker needs to train; `held` says that it had this job already."""

    job_id: Identifier
    run_id: Identifier
    attempt: AttemptNumber
    held: bool
    task: str
    hyperparameters: dict[str, Any]
    base_model: str
    base_model_revision: str
    simulate: bool
    dataset: DatasetReference
    split_digest: str = ""  # of the manifest that the portal stored; empty = not stated
    initial_fingerprint: str = ""  # of the model to begin from, which this worker keeps; empty = the base model's own
    wants_predictions: bool = False  # whether this portal takes the stream of predictions
    wants_hardware: bool = False  # whether this portal takes metric points of the split `hardware`
    initial_run_id: Identifier | None = None  # of the run that made it, while that run is there
    resume_checkpoint_step: int = 0  # newest checkpoint that the portal heard of from this worker
    lease_seconds: float
    heartbeat_seconds: float = HEARTBEAT_SECONDS

    @field_validator("hyperparameters")
    @classmethod
    def _leave_out_later_defaults(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Not sent where they ask for what older workers do: these refuse names that they do not know."""
        return without_later_defaults(values)


class Reproducibility(Message):
    """Where a figure comes from, measured on the machine that trains. What older workers do not tell is empty."""

    code_commit: ShortText
    environment_fingerprint: ShortText
    base_model_revision: ShortText
    split_digest: ShortText
    device: ShortText
    table_sha256: ShortText = ""
    python: ShortText = ""
    precision: ShortText = ""  # that was really used
    threads: Count = 0
    packages: Annotated[dict[ShortText, ShortText], Field(max_length=PACKAGES)] = {}  # name -> version, all installed


class TokenLengths(Message):
    """How long a dataset's texts are in the tokens of the base model, before any cut; see profiling.token_lengths."""

    max_length: Count
    edges: Annotated[list[Count], Field(min_length=2, max_length=LENGTH_BARS + 1)]
    counts: Annotated[list[Count], Field(max_length=LENGTH_BARS)]
    classes: Annotated[dict[ClassName, list[Count]], Field(max_length=LENGTH_CLASSES)] = {}

    @model_validator(mode="after")
    def _bars_fit(self) -> Self:
        if any(low >= high for low, high in pairwise(self.edges)):
            raise ValueError("edges must rise")
        if any(len(bars) != len(self.edges) - 1 for bars in (self.counts, *self.classes.values())):
            raise ValueError("there must be one count between two edges")
        return self


class ProgressRequest(Message):
    attempt: AttemptNumber
    phase: Phase
    epoch: Count = 0
    step: Count = 0
    total_steps: Count = 0
    checkpoint_step: Count = 0
    resumed_from_step: Count | None = None
    reproducibility: Reproducibility | None = None
    # At most, as the worker forecasts it; absent until it can be told.
    remaining_seconds: Annotated[float, Field(ge=0, le=REMAINING_SECONDS, allow_inf_nan=False)] | None = None
    token_lengths: TokenLengths | None = None  # told once an attempt, when the texts have been read


class ProgressAnswer(Message):
    directive: Directive
    lease_seconds: float


class FailureReport(Message):
    """Why a job failed: a code of `Reason` (an unknown one is shown as `crashed`) and one sentence."""

    code: ShortText
    message: Annotated[str, Field(max_length=4000)] = ""


class ClassFigures(Message):
    """Test figures of one class; null = the class has no example there."""

    name: ClassName
    precision: FiniteNumber | None
    recall: FiniteNumber | None
    f1: FiniteNumber | None
    support: Count


class LongTextWay(Message):
    """How the network judges long rows when they are read in one way; null = not defined, or not judged.

    way: as truncation_side.  unseen_share: share of their tokens that is cut off.  on_long, on_all: the metric on the
    compared long rows and on the whole test split.
    """

    way: ShortText
    unseen_share: Annotated[float, Field(ge=0, le=1)]
    on_long: FiniteNumber | None
    on_all: FiniteNumber | None


class LongText(Message):
    """What each way of reading the test rows that are longer than max_length loses; the network is the same in all.

    truncation_side: the way that the network was trained with.  compared_rows: of the long rows, a sample of them all.
    """

    truncation_side: ShortText
    max_length: Count
    window_overlap: Count
    metric: MetricName
    test_rows: Count
    long_rows: Count
    compared_rows: Count
    ways: Annotated[list[LongTextWay], Field(min_length=1, max_length=LONG_TEXT_WAYS)]


class Calibration(Message):
    """What was folded into the last layer of the kept network: logits / temperature + biases.

    Fitted by log-loss on the validation split, never on test. biases: one a class, [] without class weights.
    loss_before, loss_after: mean log-loss of the rows (or words) that it was fitted on.
    """

    temperature: Annotated[float, Field(ge=1e-6, allow_inf_nan=False)]  # OpenAPI 3.0 has no "greater than 0"
    biases: Annotated[list[FiniteNumber], Field(max_length=CLASSES)] = []
    rows: Count
    loss_before: FiniteNumber
    loss_after: FiniteNumber


class Result(Message):
    """Final figures, always of the test split. long_text: absent with few long rows, and of older workers.

    prediction_digest: of data.predictions, over all that was sent; "" of older workers.
    """

    metrics: Annotated[dict[MetricName, FiniteNumber | None], Field(max_length=METRIC_NAMES_PER_RUN)]
    model_fingerprint: Digest
    best_step: Count
    classes: Annotated[list[ClassFigures], Field(max_length=CLASSES)]
    long_text: LongText | None = None
    prediction_digest: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    calibration: Calibration | None = None


class CompleteRequest(Message):
    attempt: AttemptNumber
    outcome: Outcome
    log_seq: Count
    metric_seq: Count
    prediction_seq: Count = 0
    error: FailureReport | None = None
    result: Result | None = None

    @model_validator(mode="after")
    def _outcome_fits(self) -> Self:
        if self.outcome in (Outcome.RUNNING, Outcome.LOST):
            raise ValueError(f"outcome {self.outcome.value!r} is not an end that a worker can report")
        if self.outcome is Outcome.COMPLETED and self.result is None:
            raise ValueError("a completed job needs its result")
        return self


class CompleteAnswer(Message):
    status: JobStatus


class RegisterRequest(Message):
    name: Annotated[str, Field(min_length=1, max_length=100)]
    description: Annotated[str, Field(max_length=1000)] = ""
    days: Annotated[int, Field(ge=1, le=3650)] | None = None  # how long the token is valid; None until it is revoked


class RegisteredWorker(Message):
    id: int
    name: str
    token: str
    prefix: str


class ErrorBody(BaseModel):
    """The one shape of an error under /api; some codes add fields (next_seq, limit, status ...)."""

    model_config = ConfigDict(extra="allow")

    code: str
    message: str
    errors: list[dict[str, Any]] = []
    request_id: str = ""
