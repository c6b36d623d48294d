"""Why training could not go on: one class per decision that the worker can take."""


class TrainingError(Exception):
    """Base; the message names what was wrong and what to do, and is shown to the user."""


class BaseModelUnavailable(TrainingError):
    """The base model is not on this machine, cannot be fetched, or cannot be used for this task."""


class SettingsUnusable(TrainingError):
    """A hyperparameter does not fit this base model."""


class GpuNotFound(TrainingError):
    """A GPU was asked for by name and this machine has none, or not that one."""


class GpuOutOfMemory(TrainingError):
    """The GPU's memory is too small for these settings."""


class HostOutOfMemory(TrainingError):
    """The machine's memory is too small for these settings."""


class DiskTooSmall(TrainingError):
    """The disk has no room for the checkpoints and the model of this run."""


class LabelsUnusable(TrainingError):
    """The labels of the rows are not those of the run."""


class NonFiniteLoss(TrainingError):
    """The loss became infinite or not a number: nothing can be learned from there on."""
