"""Checks a file and measures itself; runs in the child process, so it imports nothing of Django."""

import time
from pathlib import Path

from bert_training.contract.enums import Split
from bert_training.tasks.intake import CheckRequest, SourceFile, check_files


def check_and_measure(path: str) -> tuple[list[str], float, int]:
    """Check a file; returns the codes of its errors, the seconds it took and the most megabytes held so far."""
    start = time.monotonic()
    report = check_files({Split.TRAIN: SourceFile(Path(path), "a.xlsx")}, CheckRequest("text-classification"))
    # Not ru_maxrss: that counts what the parent held when it forked.
    peak = next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    return [problem.code for problem in report.errors], time.monotonic() - start, int(peak) // 1024
