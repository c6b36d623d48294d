"""The exit codes of `run_worker`, which a service manager may act on, and of `train_local`."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Why the supervisor ended."""

    STOPPED = 0  # asked to stop; a held job was handed back
    CHECK_FAILED = 1  # --dry-run found that no job could ever be taken
    WRONG_OPTIONS = 2
    INACTIVE = 3  # an administrator switched this worker off
    TOO_OLD = 4  # the portal no longer speaks this version of the protocol
    CONFLICT = 5  # another supervisor works with this token or in this folder


class LocalExit(IntEnum):
    """How a training at a terminal ended."""

    COMPLETED = 0
    FAILED = 1
    REFUSED = 2  # an option or the spreadsheet is wrong
    STOPPED = 130  # as a shell reports who was interrupted; the same command goes on
