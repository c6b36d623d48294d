"""The closed lists with words for people: callables, so that a new entry needs no migration."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from bert_training.contract.enums import (
    HARDWARE,
    CopyState,
    DatasetStatus,
    DispatchFailure,
    DispatchState,
    ErasureKind,
    JobStatus,
    NoticeKind,
    Outcome,
    Phase,
    ProfileStatus,
    ProofStatus,
    RepeatKind,
    ShareLevel,
    Split,
    TokenScope,
    WorkerState,
)
from bert_training.tasks import TASKS

Label = str | Promise

STATUS_LABELS: dict[str, Label] = {
    JobStatus.QUEUED: _("in the queue"),
    JobStatus.RUNNING: _("running"),
    JobStatus.COMPLETED: _("completed"),
    JobStatus.FAILED: _("failed"),
    JobStatus.CANCELED: _("canceled"),
}
OUTCOME_LABELS: dict[str, Label] = {
    Outcome.RUNNING: _("running"),
    Outcome.COMPLETED: _("completed"),
    Outcome.FAILED: _("failed"),
    Outcome.CANCELED: _("canceled"),
    Outcome.RELEASED: _("released by the computer"),
    Outcome.LOST: _("lost"),
}
PHASE_LABELS: dict[str, Label] = {
    Phase.PREPARING: _("preparing"),
    Phase.DOWNLOADING: _("downloading the data"),
    Phase.TOKENIZING: _("reading the texts"),
    Phase.TRAINING: _("training"),
    Phase.EVALUATING: _("evaluating"),
    Phase.SAVING: _("saving the model"),
}
SPLIT_LABELS: dict[str, Label] = {
    Split.TRAIN: _("training"),
    Split.VALIDATION: _("validation"),
    Split.TEST: _("test"),
}
DATASET_STATUS_LABELS: dict[str, Label] = {
    DatasetStatus.CHECKING: _("being checked"),
    DatasetStatus.READY: _("ready"),
    DatasetStatus.REFUSED: _("refused"),
}
PROFILE_STATUS_LABELS: dict[str, Label] = {
    ProfileStatus.PENDING: _("being made"),
    ProfileStatus.READY: _("ready"),
    ProfileStatus.FAILED: _("could not be made"),
}
PROOF_STATUS_LABELS: dict[str, Label] = {
    ProofStatus.PENDING: _("being computed"),
    ProofStatus.READY: _("ready"),
    ProofStatus.FAILED: _("could not be computed"),
}
REPEAT_LABELS: dict[str, Label] = {
    RepeatKind.FOLD: _("cross-validation"),
    RepeatKind.SEED: _("other seed"),
}
SHARE_LEVEL_LABELS: dict[str, Label] = {
    ShareLevel.VIEW: _("view"),
    ShareLevel.USE: _("use"),
    ShareLevel.MANAGE: _("manage"),
}
TOKEN_SCOPE_LABELS: dict[str, Label] = {
    TokenScope.READ: _("read only"),
    TokenScope.RUN: _("read and run"),
    TokenScope.MANAGE: _("read, run and manage"),
}
ERASURE_LABELS: dict[str, Label] = {
    ErasureKind.DATASET: _("dataset"),
    ErasureKind.RUN: _("run"),
}
COPY_STATE_LABELS: dict[str, Label] = {
    CopyState.CONFIRMED: _("gone, confirmed by the computer"),
    CopyState.SETTLED: _("gone, settled by hand"),
    CopyState.ASKED: _("asked, has not confirmed yet"),
    CopyState.SILENT: _("silent: is asked as soon as it is heard of"),
    CopyState.TOO_OLD: _("its program is too old to delete copies: update it"),
    CopyState.SWITCHED_OFF: _("switched off: is asked when it is switched on again"),
    CopyState.REPLACED: _("set up anew or replaced since: the old disk cannot be asked"),
    CopyState.REMOVED: _("removed from the portal: it cannot be asked any more"),
}
WORKER_STATE_LABELS: dict[str, Label] = {
    WorkerState.IDLE: _("waiting for work"),
    WorkerState.BUSY: _("working"),
    WorkerState.DRAINING: _("finishing its last job"),
    WorkerState.STOPPED: _("stopped"),
}

NOTICE_LABELS: dict[str, Label] = {
    NoticeKind.RUN_COMPLETED: _("run completed"),
    NoticeKind.RUN_DECISION: _("run completed that needs a decision"),
    NoticeKind.RUN_FAILED: _("run failed"),
    NoticeKind.RUN_CANCELED: _("run canceled by somebody else"),
    NoticeKind.REPEATS_ENDED: _("all repeats of a run ended"),
    NoticeKind.DATASET_READY: _("large dataset ready"),
    NoticeKind.DATASET_REFUSED: _("large dataset refused"),
    NoticeKind.TOKEN_EXPIRING: _("API token about to expire"),
    NoticeKind.WORKER_SILENT: _("computer silent"),
    NoticeKind.WORKER_TOKEN_EXPIRING: _("token of a computer about to expire"),
    NoticeKind.DISK_FULL: _("disk full"),
    NoticeKind.ERASURE_WAITING: _("deletion waiting for a computer"),
    NoticeKind.WEBHOOK_OFF: _("webhook switched off"),
    NoticeKind.TEST: _("test message"),
}
DISPATCH_STATE_LABELS: dict[str, Label] = {
    DispatchState.PENDING: _("on its way"),
    DispatchState.SENT: _("delivered"),
    DispatchState.FAILED: _("given up"),
}
DISPATCH_FAILURE_LABELS: dict[str, Label] = {
    DispatchFailure.ADDRESS_REFUSED: _("the host leads to a private address"),
    DispatchFailure.BROKEN_OFF: _("the portal was stopped meanwhile"),
    DispatchFailure.CONNECTION: _("no connection"),
    DispatchFailure.HOST_NOT_ALLOWED: _("the host is not on the list of WEBHOOK_HOSTS"),
    DispatchFailure.MAIL_SERVER: _("the mail server refused it or did not answer"),
    DispatchFailure.NO_ADDRESS: _("there is no e-mail address or no mail server"),
    DispatchFailure.REDIRECT: _("it answered with a redirect, which is not followed"),
    DispatchFailure.SECRET_UNREADABLE: _("its secret cannot be read: make a new one"),
    DispatchFailure.STATUS: _("it answered with an error"),
    DispatchFailure.SWITCHED_OFF: _("it is switched off"),
    DispatchFailure.TIMEOUT: _("it did not answer in time"),
    DispatchFailure.TLS: _("its certificate is not valid"),
    DispatchFailure.UNKNOWN_HOST: _("the host's name is not known"),
}


def notice_choices() -> list[tuple[str, Label]]:
    """List what people may be told about."""
    return [(str(value), label) for value, label in NOTICE_LABELS.items()]


def dispatch_state_choices() -> list[tuple[str, Label]]:
    """List how far an e-mail or a call of a webhook is."""
    return [(str(value), label) for value, label in DISPATCH_STATE_LABELS.items()]


def status_choices() -> list[tuple[str, Label]]:
    """List the states of a job and of a run."""
    return [(str(value), label) for value, label in STATUS_LABELS.items()]


def outcome_choices() -> list[tuple[str, Label]]:
    """List how an attempt can end."""
    return [(str(value), label) for value, label in OUTCOME_LABELS.items()]


def phase_choices() -> list[tuple[str, Label]]:
    """List what an attempt does, in order."""
    return [(str(value), label) for value, label in PHASE_LABELS.items()]


def split_choices() -> list[tuple[str, Label]]:
    """List what a metric point may be of: the parts of a dataset, and the computer."""
    return [*((str(value), label) for value, label in SPLIT_LABELS.items()), (HARDWARE, _("hardware"))]


def dataset_status_choices() -> list[tuple[str, Label]]:
    """List the states of a dataset."""
    return [(str(value), label) for value, label in DATASET_STATUS_LABELS.items()]


def profile_status_choices() -> list[tuple[str, Label]]:
    """List the states of a dataset's profile."""
    return [(str(value), label) for value, label in PROFILE_STATUS_LABELS.items()]


def proof_status_choices() -> list[tuple[str, Label]]:
    """List the states of a run's proof."""
    return [(str(value), label) for value, label in PROOF_STATUS_LABELS.items()]


def repeat_choices() -> list[tuple[str, Label]]:
    """List why a run is repeated."""
    return [(str(value), label) for value, label in REPEAT_LABELS.items()]


def share_level_choices() -> list[tuple[str, Label]]:
    """List what a team may do with what is shared with it, the least first."""
    return [(str(value), label) for value, label in SHARE_LEVEL_LABELS.items()]


def token_scope_choices() -> list[tuple[str, Label]]:
    """List what a token of a person may do, the least first."""
    return [(str(value), label) for value, label in TOKEN_SCOPE_LABELS.items()]


def erasure_kind_choices() -> list[tuple[str, Label]]:
    """List what can be deleted for good."""
    return [(str(value), label) for value, label in ERASURE_LABELS.items()]


def worker_state_choices() -> list[tuple[str, Label]]:
    """List what a worker says that it does."""
    return [(str(value), label) for value, label in WORKER_STATE_LABELS.items()]


def task_choices() -> list[tuple[str, Label]]:
    """List what can be trained."""
    return [(task.name, _(task.label)) for task in TASKS.values()]
