"""From a person's spreadsheet to a checked table and its division, by the rules of the portal.

The check runs in the child process with limits that the portal uses, for the file may be a stranger's here too.
"""

import hashlib
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bert_training.contract.enums import Split
from bert_training.data.checks import Problem, ProblemGroup
from bert_training.data.digest import file_digest
from bert_training.data.parquet import read_table
from bert_training.data.process_limits import BACKGROUND_LIMITS
from bert_training.data.profiling.duplicates import near_groups
from bert_training.data.splitting.manifest import manifest_bytes
from bert_training.data.splitting.split import SMALLEST_STRATUM, Splits, divide_rows
from bert_training.data.splitting.units import units_of_rows
from bert_training.data.table import GROUP, ROW, SPLIT, Columns
from bert_training.tasks.hyperparameters.refusal import SettingRefused
from bert_training.tasks.hyperparameters.rules import check_against_rows
from bert_training.tasks.intake import Report, SourceFile, check_in_sandbox
from bert_training.worker.local.options import LocalOptions
from bert_training.worker.local.refusal import LocalRefused

SHOWN_PROBLEMS = 5  # of each kind


@dataclass(frozen=True)
class LocalData:
    """What is trained on: files of our own making, with what names them. rows: of each split."""

    table: Path
    table_sha256: str
    dataset_sha256: str
    manifest: Path
    split_digest: str
    rows: dict[str, int]


def take_spreadsheet(options: LocalOptions, folder: Path) -> LocalData:
    """Check and divide the spreadsheet into files of `folder`; says what was found. Raises LocalRefused."""
    table_path, manifest_path = folder / "table.parquet", folder / "manifest.tsv"
    sources = {split: SourceFile(path, path.name) for split, path in options.files.items()}
    report = check_in_sandbox(sources, options.request, table_path=table_path, limits=BACKGROUND_LIMITS)
    _tell(report)
    if not report.valid:
        raise LocalRefused("The spreadsheet cannot be used as it is: nothing was trained.")
    table = read_table(table_path)
    splits = _divide(options, table)
    manifest = manifest_bytes(table[ROW], splits)
    manifest_path.write_bytes(manifest)
    counts = Counter(splits)
    return LocalData(
        table=table_path,
        table_sha256=report.table_sha256,
        dataset_sha256=file_digest(options.files[Split.TRAIN]),
        manifest=manifest_path,
        split_digest=hashlib.sha256(manifest).hexdigest(),
        rows={split.value: counts[split] for split in Split},
    )


def _tell(report: Report) -> None:
    """Print what the check found: errors and warnings, each with its place and its repair."""
    lines = [line for group in report.groups for line in _group_lines(group)]
    columns = ", ".join(f"{name} = {header!r}" for name, header in report.columns.items())
    lines.append(f"Sheet {report.sheet!r}, columns {columns or 'not found'}: {report.rows:,} rows.")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _group_lines(group: ProblemGroup) -> list[str]:
    level = "ERROR" if group.is_error else "WARNING"
    repair = f" Or: --repair {group.fix}" if group.fix else ""
    lines = [f"{level} - {_describe(problem)}{repair}" for problem in group.problems[:SHOWN_PROBLEMS]]
    more = group.count - len(lines)
    return [*lines, f"{level} - ... and {more:,} more ({group.code})"] if more > 0 and group.problems else lines


def _describe(problem: Problem) -> str:
    """Say place, fault and repair in a line; never more of a cell than its sentence quotes."""
    row = f"row {problem.row}" if problem.row is not None else ""
    place = " ".join(filter(None, (problem.part, problem.cell or row or problem.column or problem.sheet)))
    words = " ".join(text % problem.values for text in (problem.message, problem.repair) if text)
    return f"{place}: {words}" if place else words


def _divide(options: LocalOptions, table: Columns) -> Splits:
    """Divide as the portal does: copies, near-copies and groups on one side, then refuse what could not be judged."""
    spec, settings = options.spec, options.settings
    strata, units = spec.strata(table), units_of_rows(near_groups(spec.texts(table)), table.get(GROUP, []))
    fixed = [Split(name) for name in table[SPLIT]] if SPLIT in table else None
    splits = divide_rows(strata, settings.shares, seed=settings.seed, units=units, fixed=fixed)
    counts = Counter(splits)
    empty = [split.value for split in Split if not counts[split]]
    if empty:
        raise LocalRefused(
            f"No row of {sum(counts.values()):,} is left for {', '.join(empty)}: give more rows or another train_split."
        )
    _require_trained(strata, splits)
    try:
        check_against_rows(settings, counts[Split.TRAIN])
    except SettingRefused as refusal:
        raise LocalRefused(str(refusal)) from refusal
    return splits


def _require_trained(strata: Sequence[str], splits: Splits) -> None:
    """Refuse a division in which a class has rows to be judged by and none to be learned from."""
    counts = Counter(strata)
    trained = {stratum for stratum, split in zip(strata, splits, strict=True) if split == Split.TRAIN}
    judged = {stratum for stratum, split in zip(strata, splits, strict=True) if split not in (Split.TRAIN, None)}
    missing = sorted(name for name in judged - trained if counts[name] >= SMALLEST_STRATUM)
    if missing:
        raise LocalRefused(
            f"No row of {', '.join(missing[:10])} is left for training: the rows that must stay together put all of "
            "them elsewhere. Choose another column of groups, or another split."
        )
