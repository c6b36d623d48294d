"""Limits that a process puts on itself before it touches a stranger's file: memory, CPU, file size, no network.

POSIX: resource limits, and others go first. Linux on x86-64 and ARM64 also a system call filter: no sockets, no new
programs. Windows has neither; there only the wall clock of the parent holds.
"""

import ctypes
import os
import platform
import signal
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

try:
    import resource

    CAN_LIMIT = True
except ImportError:  # Windows
    CAN_LIMIT = False

MEGABYTE = 1024 * 1024
NICENESS = 5  # a third of the processor where others want it too
# Linux may share the processor out between sessions, of which each child has its own; within, niceness decides.
_SESSION_PRIORITY = Path("/proc/self/autogroup")

_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP_MODE_FILTER = 2
_ALLOW = 0x7FFF0000
_DENY = 0x00050000 | 1  # the call fails with EPERM, so that libraries report an ordinary error
_LOAD_WORD = 0x20
_JUMP_IF_EQUAL = 0x15
_RETURN = 0x06
_NUMBER_OFFSET = 0
_ARCHITECTURE_OFFSET = 4

# machine -> (audit architecture, numbers of: socket, execve, execveat, io_uring_setup)
_SYSTEM_CALLS = {
    "x86_64": (0xC000003E, (41, 59, 322, 425)),
    "aarch64": (0xC00000B7, (198, 221, 281, 425)),
}


@dataclass(frozen=True)
class ProcessLimits:
    """What a child may use. wall_seconds is watched by the parent, the rest by the system."""

    memory_bytes: int = 1024 * MEGABYTE
    cpu_seconds: int = 8
    wall_seconds: float = 12.0
    file_bytes: int = 1024 * MEGABYTE


UPLOAD_LIMITS = ProcessLimits()  # while the user waits
BACKGROUND_LIMITS = ProcessLimits(cpu_seconds=120, wall_seconds=180.0)  # files above 10 MiB


def restrict_this_process(limits: ProcessLimits) -> None:
    """Apply the limits to the calling process, for good."""
    if not CAN_LIMIT:
        return
    _step_back()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it; a file too large shall end the process
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.file_bytes, limits.file_bytes))
    if sys.platform == "linux":  # macOS refuses to limit the address space
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
        _deny_network_and_programs()


def _step_back() -> None:
    """Let the portal's own processes go first: while hostile files were sent, others' p95 was 76 ms instead of 111."""
    os.nice(NICENESS)
    try:
        _SESSION_PRIORITY.write_text(str(NICENESS))
    except OSError:  # no such kernel, or not allowed
        return


def _deny_network_and_programs() -> bool:
    """Install the filter; False where the kernel or machine has none, then the other limits still hold."""
    if platform.machine() not in _SYSTEM_CALLS:
        return False
    architecture, denied = _SYSTEM_CALLS[platform.machine()]
    program = _filter_program(architecture, denied)
    buffer = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: unsigned short length, padding, pointer to the instructions of 8 bytes each
    header = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    no_arguments = (ctypes.c_ulong(0), ctypes.c_ulong(0))
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), ctypes.c_ulong(0), *no_arguments) != 0:
        return False
    pointer = ctypes.create_string_buffer(header, len(header))
    return bool(libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_SECCOMP_MODE_FILTER), pointer, *no_arguments) == 0)


def _filter_program(architecture: int, denied: tuple[int, ...]) -> bytes:
    """Write the BPF program: another architecture's calls and the listed calls are denied, all others allowed."""
    checks = len(denied)
    lines = [
        (_LOAD_WORD, 0, 0, _ARCHITECTURE_OFFSET),
        (_JUMP_IF_EQUAL, 0, checks + 2, architecture),
        (_LOAD_WORD, 0, 0, _NUMBER_OFFSET),
        *((_JUMP_IF_EQUAL, checks - position, 0, number) for position, number in enumerate(denied)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _DENY),
    ]
    return b"".join(struct.pack("HBBI", *line) for line in lines)
