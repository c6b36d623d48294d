"""What a check found, as pages show it: verdict, problems, labels, first rows."""

from dataclasses import dataclass, field
from typing import Any

from bert_training.models import Dataset
from bert_training.pages.words import count_text, share_text
from bert_training.services.problem_words import ShownProblem, shown_problems
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
    """A report in words. `error_count` counts all errors, `errors` holds the first of them."""

    valid: bool
    rows: int
    errors: list[ShownProblem]
    warnings: list[ShownProblem]
    labels: list[LabelCount]
    error_count: int
    preview: list[dict[str, Any]] = field(default_factory=list)
    columns_found: list[str] = field(default_factory=list)
    column_is_missing: bool = False
    is_check_only: bool = False

    @property
    def hidden_errors(self) -> bool:
        """Tell whether there are more errors than are listed."""
        return self.error_count > len(self.errors)


def shown_report(report: Report, *, is_check_only: bool) -> ShownReport:
    """Put a fresh report into words."""
    values = report.as_dict()
    return ShownReport(
        valid=report.valid,
        rows=report.rows,
        errors=shown_problems(values["errors"]),
        warnings=shown_problems(values["warnings"]),
        labels=label_counts(report.summary),
        error_count=_count_errors(values["errors"], values["warnings"], report.counts),
        preview=[_preview_row(row) for row in report.preview] if report.valid else [],
        columns_found=report.columns_found,
        column_is_missing=MISSING_COLUMN in report.counts,
        is_check_only=is_check_only,
    )


def stored_report(dataset: Dataset) -> ShownReport:
    """Put into words what was stored with a dataset."""
    errors, warnings = dataset.report.get("errors", []), dataset.summary.get("warnings", [])
    return ShownReport(
        valid=dataset.is_ready,
        rows=dataset.rows,
        errors=shown_problems(errors),
        warnings=shown_problems(warnings),
        labels=label_counts(dataset.summary),
        error_count=_count_errors(errors, warnings, dataset.report.get("counts", {})),
    )


def label_counts(summary: dict[str, Any]) -> list[LabelCount]:
    """Return the labels, the most frequent first."""
    counts: dict[str, int] = summary.get("labels", {})
    total, most = sum(counts.values()), max(counts.values(), default=0)
    return [LabelCount(name, count, most, share_text(count / total)) for name, count in counts.items()]


def _count_errors(errors: list[dict[str, Any]], warnings: list[dict[str, Any]], counts: dict[str, int]) -> int:
    """Count all errors: `counts` holds those of the warnings too, told apart by their codes."""
    codes = {problem["code"] for problem in errors} - {problem["code"] for problem in warnings}
    return max(len(errors), sum(counts.get(code, 0) for code in codes))


def _preview_row(row: dict[str, Any]) -> dict[str, Any]:
    number, text, label = row.values()
    return {"row": number, "text": text, "label": label}
