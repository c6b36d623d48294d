"""Actions of the benchmark `import`: what the portal does with an upload, in its child processes with their limits."""

from pathlib import Path
from unittest.mock import patch

from bert_training.contract.enums import Split
from bert_training.data.parquet import read_table
from bert_training.data.process_limits import BACKGROUND_LIMITS, UPLOAD_LIMITS, ProcessLimits
from bert_training.data.profiling import profile
from bert_training.data.profiling.duplicates import exact_groups, near_groups, pack_groups
from bert_training.data.sandbox import run_in_sandbox
from bert_training.tasks import TASKS
from bert_training.tasks.intake import CheckRequest, SourceFile, check_in_sandbox
from bert_training.tasks.profiling import examples_of
from tests.bench.import_measure import Measured, answer, of_children

TASK = "text-classification"
MODULE = "tests.bench.import_ours"  # in the child this module has its own name


def check_large(path: str, table: str) -> Measured:
    """Check a large file and write its table, as the background does; says how many rows it has, or what is wrong."""
    return of_children(lambda: _check(path, BACKGROUND_LIMITS, table))


def check_hostile(path: str, task: str) -> Measured:
    """Check a file as an upload is while somebody waits; says `valid` or the first code."""
    return of_children(lambda: _check(path, UPLOAD_LIMITS, None, task=task))


def check_and_describe(path: str, table: str) -> Measured:
    """Check a large file, then make its profile without near-duplicates; says the number of repeated texts."""

    def work() -> object:
        _check(path, BACKGROUND_LIMITS, table)
        return run_in_sandbox(f"{MODULE}.describe_table", {"table": table}, limits=BACKGROUND_LIMITS)

    return of_children(work)


def find_near(table: str, groups: str) -> Measured:
    """Find the near-duplicates of a table and write them to `groups`, packed."""
    arguments = {"table": table, "groups": groups}
    return of_children(lambda: run_in_sandbox(f"{MODULE}.group_table", arguments, limits=BACKGROUND_LIMITS))


def describe_table(table: str) -> int:
    """Run in the child: the whole profile, with exact duplicates in the place of near ones."""
    with patch.object(profile, "near_groups", exact_groups):
        content, _groups = profile.describe_examples(examples_of(read_table(Path(table)), TASK))
    return int(content["exact"]["repeated"])


def group_table(table: str, groups: str) -> int:
    """Run in the child: read the texts, group them, write the groups."""
    found = near_groups(TASKS[TASK].texts(read_table(Path(table))))
    Path(groups).write_bytes(pack_groups(found))
    return len(found)


def _check(path: str, limits: ProcessLimits, table: str | None, *, task: str = TASK) -> str:
    files = {Split.TRAIN: SourceFile(Path(path), Path(path).name)}
    report = check_in_sandbox(files, CheckRequest(task), table_path=table, limits=limits)
    if report.valid:
        return str(report.rows)
    return report.errors[0].code


if __name__ == "__main__":
    answer(
        {
            "check_large": check_large,
            "check_hostile": check_hostile,
            "check_and_describe": check_and_describe,
            "find_near": find_near,
        }
    )
