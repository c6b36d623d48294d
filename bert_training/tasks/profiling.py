"""From a canonical table to its profile and its groups of near-duplicates, in a child process with limits.

The table is our own, but its texts are a stranger's: what they cost to compare must not harm the portal.
"""

import json
from pathlib import Path
from typing import Any

from bert_training.data.parquet import read_table
from bert_training.data.process_limits import BACKGROUND_LIMITS, UPLOAD_LIMITS
from bert_training.data.profiling.duplicates import near_groups, pack_groups, unpack_groups
from bert_training.data.profiling.profile import Examples, describe_examples
from bert_training.data.sandbox import run_in_sandbox
from bert_training.data.table import GROUP, ROW, Columns
from bert_training.tasks import TASKS

PROFILE_LIMITS = BACKGROUND_LIMITS  # 120 s of processor time, 1 GiB, 180 s in all


def profile_in_sandbox(table_path: Path, *, task: str, groups_path: Path) -> dict[str, Any]:
    """Return the profile of a stored table (profiling.profile); near-duplicates, if known, go packed to groups_path.

    Raises DatasetRefused when the child breaks a limit.
    """
    arguments = {"table_path": str(table_path.resolve()), "task": task, "groups_path": str(groups_path.resolve())}
    content: dict[str, Any] = run_in_sandbox(f"{__name__}.profile_table", arguments, limits=PROFILE_LIMITS)
    return content


def groups_in_sandbox(texts: list[str], folder: Path) -> list[int]:
    """Return the near-duplicates of texts, found in a child; folder: gets two files. Raises DatasetRefused."""
    texts_path, groups_path = folder / "texts.json", folder / "groups"
    texts_path.write_text(json.dumps(texts), encoding="utf-8")
    arguments = {"texts_path": str(texts_path.resolve()), "groups_path": str(groups_path.resolve())}
    run_in_sandbox(f"{__name__}.group_texts", arguments, limits=UPLOAD_LIMITS)
    return unpack_groups(groups_path.read_bytes(), len(texts))


def profile_table(table_path: str, task: str, groups_path: str) -> dict[str, Any]:
    """Run in the child: read the table, describe it, write its groups."""
    content, groups = describe_examples(examples_of(read_table(Path(table_path)), task))
    if groups is not None:
        Path(groups_path).write_bytes(pack_groups(groups))
    return content


def group_texts(texts_path: str, groups_path: str) -> None:
    """Run in the child: find the near-duplicates and write them."""
    texts = json.loads(Path(texts_path).read_text(encoding="utf-8"))
    Path(groups_path).write_bytes(pack_groups(near_groups(texts)))


def examples_of(table: Columns, task: str) -> Examples:
    """Return what a profile needs of a table, in the words of its task."""
    spec = TASKS[task]
    return Examples(
        rows=table[ROW],
        texts=spec.texts(table),
        answers=spec.answers(table),
        classes=spec.strata(table),
        summary=spec.summarize(table),
        groups=table.get(GROUP, []),
    )
