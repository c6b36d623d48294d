"""Why runs end badly, in words, with advice for the usual cases (S0.70-S0.73)."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from bert_training.contract.enums import Reason

Words = str | Promise


@dataclass(frozen=True)
class Explanation:
    """What happened, and what the user can do; advice may be empty."""

    sentence: Words
    advice: Words = ""


EXPLANATIONS: dict[Reason, Explanation] = {
    Reason.BASE_MODEL_UNAVAILABLE: Explanation(
        _("The worker could not load the base model."),
        _("Put it into the worker's --base-models-dir, or let the worker reach the model hub once."),
    ),
    Reason.CANCELED_BY_USER: Explanation(_("Canceled on request.")),
    Reason.CRASHED: Explanation(
        _("The training program ended with an error."),
        _("The last lines of the log say where. Reproduce the run to retry."),
    ),
    Reason.DATASET_CORRUPT: Explanation(
        _("The data arrived damaged three times."),
        _("Check the network between worker and portal, then reproduce the run."),
    ),
    Reason.DATASET_GONE: Explanation(
        _("The file of the dataset is missing on the portal, or was changed there."),
        _("Upload the spreadsheet again and create a new run."),
    ),
    Reason.DISK_FULL: Explanation(
        _("The worker's disk is full."), _("Free some space in its models folder, then reproduce the run.")
    ),
    Reason.GPU_NOT_FOUND: Explanation(
        _("The worker found no GPU."),
        _(
            "Run nvidia-smi on that PC; then python -c 'import torch; print(torch.cuda.is_available())'. "
            "If it prints False, install the CUDA build of PyTorch."
        ),
    ),
    Reason.GPU_OUT_OF_MEMORY: Explanation(
        _("The GPU ran out of memory."),
        _("Halve the batch size and double the gradient accumulation, or reduce the maximum length."),
    ),
    Reason.INITIAL_WEIGHTS_MISSING: Explanation(
        _("The trained model to begin from is not on the PC that trained it any more, or was changed there."),
        _("Put its folder back into the models folder of that PC, or begin from the base model."),
    ),
    Reason.KILLED: Explanation(
        _("The training program was killed on the worker."),
        _("Often the PC was short of memory: reduce the batch size or the maximum length, or close other programs."),
    ),
    Reason.LEASE_EXPIRED: Explanation(_("The worker was not heard of for too long; the job went back to the queue.")),
    Reason.NONFINITE_LOSS: Explanation(
        _("The loss became infinite or undefined."), _("Use a smaller learning rate, or some warm-up steps.")
    ),
    Reason.OUT_OF_MEMORY: Explanation(
        _("The worker ran out of memory."),
        _("Reduce the batch size or the maximum length, or close other programs on that PC."),
    ),
    Reason.PAUSED: Explanation(
        _("The worker was paused: it gave the job back at a checkpoint."),
        _("The run goes on from there when that PC takes runs again."),
    ),
    Reason.RELEASED_BY_WORKER: Explanation(_("The worker was stopped in an orderly way and gave the job back.")),
    Reason.SPLIT_MISMATCH: Explanation(
        _("The worker divided the data differently from the portal."),
        _("Update the worker to the portal's version, then reproduce the run."),
    ),
    Reason.STALLED: Explanation(
        _("Training showed no sign of progress for a long time."), _("Restart the worker's PC, then reproduce the run.")
    ),
    Reason.WORKER_INACTIVE: Explanation(_("The worker was deactivated.")),
    Reason.WORKER_LOST: Explanation(
        _("Three workers in a row were lost while training this run."),
        _("The run itself may bring the PC down: reduce the batch size or the maximum length."),
    ),
    Reason.WORKER_RESTARTED: Explanation(_("The worker was restarted; it took the job up again.")),
}


def explain(code: str) -> Explanation:
    """Return the words for a reason; an unknown code is explained as a crash."""
    known = code if code in EXPLANATIONS else Reason.CRASHED
    return EXPLANATIONS[Reason(known)]
