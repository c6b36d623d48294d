"""Closed lists of the contract. A value here is stored and sent: add, never rename."""

from enum import StrEnum
from typing import Literal


class JobStatus(StrEnum):
    """State of a job; a run mirrors the state of its job."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


TERMINAL_STATUSES = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED})


class Outcome(StrEnum):
    """How one attempt ended; RUNNING while it has not."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    RELEASED = "released"
    LOST = "lost"


class Directive(StrEnum):
    """The one word that the portal answers to a working worker."""

    CONTINUE = "continue"
    CANCEL = "cancel"
    FINISH = "finish"
    DRAIN = "drain"
    PAUSE = "pause"  # hand the job back at the next checkpoint, claim no more; only to those with Feature.PAUSE


class Phase(StrEnum):
    """What an attempt is doing, in the order in which it happens."""

    PREPARING = "preparing"
    DOWNLOADING = "downloading"
    TOKENIZING = "tokenizing"
    TRAINING = "training"
    EVALUATING = "evaluating"
    SAVING = "saving"


class LogLevel(StrEnum):
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class Split(StrEnum):
    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


# Beside the splits, what a metric point may be of: the computer that trains. It is no part of the data.
HARDWARE: Literal["hardware"] = "hardware"
POINT_SPLITS = (*(split.value for split in Split), HARDWARE)


class PredictionSource(StrEnum):
    """Who answered for a row. `suspect` holds only rows whose label a fitted model that had not seen them doubts."""

    NETWORK = "network"
    FREQUENT = "frequent"  # the majority class; for tokens the most frequent tag of each word form
    LINEAR = "linear"
    SUSPECT = "suspect"


class RepeatKind(StrEnum):
    """Why a run was repeated by child runs."""

    FOLD = "fold"  # each trains without one part of the training and validation rows, and is judged on it
    SEED = "seed"  # the same rows with other chance


class Verdict(StrEnum):
    """How a reproduction compares with the first run: services.reproduction says by which rule."""

    IDENTICAL = "identical"
    EQUIVALENT = "equivalent"
    DIFFERENT = "different"
    NOT_COMPARABLE = "not_comparable"


class Cause(StrEnum):
    """What two runs may differ in, the likeliest to explain another result first."""

    TABLE = "table"
    SPLIT = "split"
    HYPERPARAMETER = "hyperparameter"
    SEED = "seed"
    INITIAL_MODEL = "initial_model"
    BASE_MODEL = "base_model"
    BASE_MODEL_REVISION = "base_model_revision"
    DEVICE = "device"
    PRECISION = "precision"
    CODE = "code"
    THREADS = "threads"
    PACKAGE = "package"
    ENVIRONMENT = "environment"  # where the packages of one are not known
    PYTHON = "python"


class ProofStatus(StrEnum):
    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


class Feature(StrEnum):
    """What a worker says in its claim that it can do beyond the first workers; who does not say it never gets it."""

    INITIAL_WEIGHTS = "initial_weights"  # begin from a model that it keeps
    FORGET = "forget"  # delete its copies of what was deleted on the portal, and confirm it
    PAUSE = "pause"  # hand its job back when told so by a directive


class ShareLevel(StrEnum):
    """What a team may do with a row that is shared with it; each level holds those before it."""

    VIEW = "view"  # see it; of a dataset its texts too
    USE = "use"  # train on a dataset; repeat, reproduce or go on from a run
    MANAGE = "manage"  # rename, cancel, delete, share


class Role(StrEnum):
    """What somebody may do at all: codenames of permissions, held through groups. No role, no right."""

    READ = "read"  # see what is one's own or shared
    TRAIN = "train"  # upload spreadsheets, start runs, change one's own
    OPERATE = "operate"  # order the queue, mind the workers; sees no texts


class QuotaKind(StrEnum):
    """What a person or a team may have only so much of: columns of models.Quota, `quota` in the API."""

    DATASETS = "datasets"
    STORAGE_BYTES = "storage_bytes"
    QUEUED_RUNS = "queued_runs"
    GPU_MINUTES = "gpu_minutes"  # of the calendar month in TIME_ZONE


class AuditKind(StrEnum):
    """What the audit keeps for ever: who did what to which row, and who was refused."""

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    LOCKED_OUT = "locked_out"
    SIGNED_OUT = "signed_out"
    SESSIONS_ENDED = "sessions_ended"  # other sessions of a person, or all of them
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a kind, not a secret
    PASSWORD_RESET = "password_reset"  # noqa: S105
    RESET_LINK_MADE = "reset_link_made"
    TWO_FACTOR_ON = "two_factor_on"
    TWO_FACTOR_OFF = "two_factor_off"
    TWO_FACTOR_RESET = "two_factor_reset"  # by staff, for somebody who lost the second factor
    RECOVERY_CODES_MADE = "recovery_codes_made"
    IDENTITY_LINKED = "identity_linked"  # an account of an OpenID Connect provider
    INVITATION_MADE = "invitation_made"
    INVITATION_ACCEPTED = "invitation_accepted"
    INVITATION_REVOKED = "invitation_revoked"
    ACCESS_DENIED = "access_denied"
    TOKEN_REFUSED = "token_refused"  # noqa: S105
    RATE_LIMITED = "rate_limited"
    TOKEN_MADE = "token_made"  # noqa: S105
    TOKEN_FIRST_USED = "token_first_used"  # noqa: S105
    TOKEN_ROTATED = "token_rotated"  # noqa: S105
    TOKEN_REVOKED = "token_revoked"  # noqa: S105
    WORKER_REGISTERED = "worker_registered"
    WORKER_CHANGED = "worker_changed"
    WORKER_ACTIVATED = "worker_activated"
    WORKER_DEACTIVATED = "worker_deactivated"
    WORKER_DRAINING = "worker_draining"
    WORKER_DRAINING_ENDED = "worker_draining_ended"
    WORKER_PAUSED = "worker_paused"
    USER_CREATED = "user_created"
    USER_CHANGED = "user_changed"
    USER_DELETED = "user_deleted"
    ROLE_CREATED = "role_created"  # a group with its permissions
    ROLE_CHANGED = "role_changed"
    ROLE_DELETED = "role_deleted"
    TEAM_CREATED = "team_created"
    TEAM_CHANGED = "team_changed"
    TEAM_DELETED = "team_deleted"
    SHARED = "shared"  # for the first time, or at another level
    UNSHARED = "unshared"
    QUOTA_CHANGED = "quota_changed"
    DATASET_UPLOADED = "dataset_uploaded"
    DATASET_CHANGED = "dataset_changed"
    DATASET_DELETED = "dataset_deleted"
    COPIES_FORGOTTEN = "copies_forgotten"  # a worker confirms that it keeps nothing of a dataset any more
    MANIFEST_UPLOADED = "manifest_uploaded"
    MANIFEST_FORGOTTEN = "manifest_forgotten"
    RUN_CREATED = "run_created"
    RUN_CHANGED = "run_changed"
    RUN_REPRODUCED = "run_reproduced"
    RUN_REPEATED = "run_repeated"
    RUN_CANCELED = "run_canceled"
    RUN_FINISHED_EARLY = "run_finished_early"
    RUN_DELETED = "run_deleted"
    QUEUE_REORDERED = "queue_reordered"
    EXPORTED = "exported"
    GRADES_CHANGED = "grades_changed"
    BASE_MODEL_CHANGED = "base_model_changed"
    WEBHOOK_CHANGED = "webhook_changed"


class TokenScope(StrEnum):
    """What a person's token may do of what the person may do; each scope holds those before it."""

    READ = "read"  # see, download, follow
    RUN = "run"  # upload, start, cancel, reproduce
    MANAGE = "manage"  # rename, share, change settings, delete


class InvitationState(StrEnum):
    """What became of an invitation."""

    OPEN = "open"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    ACCEPTED = "accepted"


class ErasureKind(StrEnum):
    """What was deleted for good."""

    DATASET = "dataset"
    RUN = "run"


class CopyState(StrEnum):
    """How far a computer is with deleting its copies of what was deleted on the portal."""

    CONFIRMED = "confirmed"
    SETTLED = "settled"  # staff said that it was cleaned or destroyed
    ASKED = "asked"
    SILENT = "silent"  # is asked when it is heard of again
    TOO_OLD = "too_old"  # its program cannot do this yet
    SWITCHED_OFF = "switched_off"
    REPLACED = "replaced"  # the worker runs on another computer, or was set up anew: the old disk cannot be asked
    REMOVED = "removed"  # the worker was deleted


class NoticeKind(StrEnum):
    """What people may be told about; who is told stands in services.notifying.recipients."""

    RUN_COMPLETED = "run_completed"
    RUN_DECISION = "run_decision"  # completed, and somebody must decide: its verdict is not simply "use"
    RUN_FAILED = "run_failed"
    RUN_CANCELED = "run_canceled"  # by somebody else
    REPEATS_ENDED = "repeats_ended"
    DATASET_READY = "dataset_ready"  # after a check in the background
    DATASET_REFUSED = "dataset_refused"
    TOKEN_EXPIRING = "token_expiring"  # noqa: S105 - a kind, not a secret
    WORKER_SILENT = "worker_silent"
    WORKER_TOKEN_EXPIRING = "worker_token_expiring"  # noqa: S105
    DISK_FULL = "disk_full"
    ERASURE_WAITING = "erasure_waiting"
    WEBHOOK_OFF = "webhook_off"
    TEST = "test"  # what staff send to see whether a webhook arrives


class DispatchState(StrEnum):
    """How far an e-mail or a call of a webhook is."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


class DispatchFailure(StrEnum):
    """Why an attempt to send was in vain."""

    ADDRESS_REFUSED = "address_refused"  # the host's address is private, or of this computer
    BROKEN_OFF = "broken_off"  # the portal was stopped in the middle of it
    CONNECTION = "connection"
    HOST_NOT_ALLOWED = "host_not_allowed"
    MAIL_SERVER = "mail_server"
    NO_ADDRESS = "no_address"  # the person has no e-mail, or the portal no mail server
    REDIRECT = "redirect"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105
    STATUS = "status"  # answered, with other than 2xx
    SWITCHED_OFF = "switched_off"
    TIMEOUT = "timeout"
    TLS = "tls"
    UNKNOWN_HOST = "unknown_host"


class WorkerState(StrEnum):
    IDLE = "idle"
    BUSY = "busy"
    DRAINING = "draining"
    STOPPED = "stopped"  # the last word of a worker that ends


class DatasetStatus(StrEnum):
    CHECKING = "checking"
    READY = "ready"
    REFUSED = "refused"


class WorkbookKind(StrEnum):
    """What is made of the findings of a check; the values stand in addresses and in the form's `action`."""

    PROBLEMS = "problems"  # one row a problem
    FINDINGS = "workbook"  # the user's own file with added columns


class ProfileStatus(StrEnum):
    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


class Reason(StrEnum):
    """Why an attempt or a run ended other than as planned. The portal has a sentence and advice for each."""

    BASE_MODEL_UNAVAILABLE = "base_model_unavailable"
    CANCELED_BY_USER = "canceled_by_user"
    CRASHED = "crashed"
    DATASET_CORRUPT = "dataset_corrupt"
    DATASET_GONE = "dataset_gone"
    DISK_FULL = "disk_full"
    GPU_NOT_FOUND = "gpu_not_found"
    GPU_OUT_OF_MEMORY = "gpu_out_of_memory"
    INITIAL_WEIGHTS_MISSING = "initial_weights_missing"
    KILLED = "killed"
    LEASE_EXPIRED = "lease_expired"
    NONFINITE_LOSS = "nonfinite_loss"
    OUT_OF_MEMORY = "out_of_memory"
    PAUSED = "paused"
    RELEASED_BY_WORKER = "released_by_worker"
    SPLIT_MISMATCH = "split_mismatch"
    STALLED = "stalled"
    WORKER_INACTIVE = "worker_inactive"
    WORKER_LOST = "worker_lost"
    WORKER_RESTARTED = "worker_restarted"


class ErrorCode(StrEnum):
    """Codes of an error answer of the API (protocol section 7)."""

    ALREADY_FINISHED = "already_finished"
    CSRF_FAILED = "csrf_failed"
    DATASET_GONE = "dataset_gone"
    DATASET_NOT_READY = "dataset_not_ready"
    DUPLICATE_KEY = "duplicate_key"
    FORBIDDEN = "forbidden"
    IDEMPOTENCY_CONFLICT = "idempotency_conflict"
    IN_USE = "in_use"
    INSTANCE_CONFLICT = "instance_conflict"
    INTERNAL = "internal"
    INVALID_DATASET = "invalid_dataset"
    INVALID_FIELD = "invalid_field"
    INVALID_JSON = "invalid_json"
    INVALID_MANIFEST = "invalid_manifest"
    LEASE_LOST = "lease_lost"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    MODEL_NOT_ALLOWED = "model_not_allowed"
    NOT_ACCEPTABLE = "not_acceptable"
    NOT_COMPLETED = "not_completed"
    NOT_FOUND = "not_found"
    NOT_RUNNING = "not_running"
    PROTOCOL_TOO_OLD = "protocol_too_old"
    QUOTA_EXCEEDED = "quota_exceeded"
    RANGE_NOT_SATISFIABLE = "range_not_satisfiable"
    RATE_LIMITED = "rate_limited"
    SCOPE_MISSING = "scope_missing"
    STORAGE_FULL = "storage_full"
    STREAM_GAP = "stream_gap"
    STREAM_INCOMPLETE = "stream_incomplete"
    TOKEN_MALFORMED = "token_malformed"  # noqa: S105 - a code, not a secret
    TOKEN_MISSING = "token_missing"  # noqa: S105
    TOKEN_REPLACED = "token_replaced"  # noqa: S105
    TOKEN_UNKNOWN = "token_unknown"  # noqa: S105
    TOO_DEEP = "too_deep"
    TOO_LARGE = "too_large"
    TOO_MANY_TOKENS = "too_many_tokens"
    TOO_SLOW = "too_slow"
    UNAVAILABLE = "unavailable"
    UNKNOWN_FIELD = "unknown_field"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    WORKER_INACTIVE = "worker_inactive"
