"""What a check found, as pages show it: verdict, problems, labels, first rows."""

from dataclasses import dataclass, field
from typing import Any

from bert_training.charts.bars import most_frequent_first
from bert_training.models import Dataset
from bert_training.services.problem_words import ShownGroup, grouped, shown_groups, shown_repairs
from bert_training.services.proving.figure_words import count_text, share_text
from bert_training.tasks.intake import Report

MISSING_COLUMN = "missing_column"


@dataclass(frozen=True)
class LabelCount:
    """One label with its number of examples; `most` is that of the most frequent label, the longest bar."""

    name: str
    count: int
    most: int
    share: str

    @property
    def text(self) -> str:
        """The count for people."""
        return count_text(self.count)


@dataclass(frozen=True)
class ShownReport:
    """A report in words. done: what the repairs of the recipe did."""

    valid: bool
    rows: int
    errors: list[ShownGroup]
    warnings: list[ShownGroup]
    done: list[str]
    labels: list[LabelCount]
    preview: list[dict[str, Any]] = field(default_factory=list)
    columns_found: list[str] = field(default_factory=list)
    first_rows: list[list[str]] = field(default_factory=list)
    column_is_missing: bool = False
    is_check_only: bool = False
    is_stored: bool = False

    @property
    def most_found(self) -> int:
        """Return how often the most frequent kind of finding was found: the longest bar."""
        return max((group.count for group in [*self.errors, *self.warnings]), default=0)

    @property
    def error_count(self) -> int:
        """Count all errors, also those that are not listed."""
        return sum(group.count for group in self.errors)


def shown_report(report: Report, *, is_check_only: bool) -> ShownReport:
    """Put a fresh report into words."""
    return _with_groups(
        [group.as_dict() for group in report.groups],
        valid=report.valid,
        rows=report.rows,
        labels=label_counts(report.summary),
        preview=[_preview_row(row) for row in report.preview] if report.valid else [],
        columns_found=report.columns_found,
        first_rows=report.first_rows,
        column_is_missing=MISSING_COLUMN in report.counts,
        is_check_only=is_check_only,
    )


def stored_report(dataset: Dataset) -> ShownReport:
    """Put into words what was stored with a dataset."""
    return _with_groups(
        stored_groups(dataset),
        valid=dataset.is_ready,
        rows=dataset.rows,
        labels=label_counts(dataset.summary),
        is_stored=True,
    )


def stored_groups(dataset: Dataset) -> list[dict[str, Any]]:
    """Return the groups of findings that were stored with a dataset."""
    stored = dataset.report
    if "groups" in stored:
        return list(stored["groups"])
    return grouped(stored.get("errors", []), dataset.summary.get("warnings", []), stored.get("counts", {}))


def _with_groups(groups: list[dict[str, Any]], **facts: Any) -> ShownReport:
    shown = shown_groups(groups)
    return ShownReport(
        errors=[group for group in shown if group.is_error],
        warnings=[group for group in shown if not group.is_error],
        done=shown_repairs(groups),
        **facts,
    )


def label_counts(summary: dict[str, Any]) -> list[LabelCount]:
    """Return the labels, the most frequent first."""
    counts: dict[str, int] = summary.get("labels", {})
    total, most = sum(counts.values()), max(counts.values(), default=0)
    return [LabelCount(name, count, most, share_text(count / total)) for name, count in most_frequent_first(counts)]


def _preview_row(row: dict[str, Any]) -> dict[str, Any]:
    """Return what is read and what is learned from it; columns that only steer the split stand behind them."""
    number, text, label, *_steering = row.values()
    return {"row": number, "text": text, "label": label}
