"""Checks one file as the portal would: in this process, or in the child with its limits."""

from pathlib import Path
from typing import Any

import pytest

from bert_training.contract.enums import Split
from bert_training.data.splitting.manifest_sheet import check_manifest
from bert_training.tasks import rows_beside
from bert_training.tasks.findings import write_findings
from bert_training.tasks.intake import CheckRequest, Report, SourceFile, check_files, check_in_sandbox
from bert_training.tasks.rows_beside import write_beside

TEXT, TOKEN = "text-classification", "token-classification"


def check_file(
    path: Path, *, task: str = TEXT, display_name: str = "", table_path: Path | None = None, **asked: Any
) -> Report:
    """Check in this process. asked: sheet, columns, recipe."""
    files = {Split.TRAIN: SourceFile(path, display_name)}
    return check_files(files, CheckRequest(task, **asked), table_path=table_path)


def check_in_child(path: Path, *, task: str = TEXT, display_name: str = "", **options: Any) -> Report:
    """Check in the child process. options: table_path, limits."""
    files = {Split.TRAIN: SourceFile(path, display_name)}
    return check_in_sandbox(files, CheckRequest(task), **options)


def judge_manifests_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the child process around the judging of a user's own manifest (0.4 s of CPU)."""
    # By name: the child of other tests imports this module without Django.
    judge = "bert_training.services.manifests.run_in_sandbox"
    monkeypatch.setattr(judge, lambda _function, arguments: check_manifest(**arguments))


def make_workbooks_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the child processes around what workbooks are made of; tests/service_layer/test_workbooks.py has them."""

    def check_here(*files: Any, limits: Any = None, **paths: Any) -> Report:
        return check_files(*files, **paths)

    monkeypatch.setattr("bert_training.services.workbooks.check_in_sandbox", check_here)
    writers = {f"{writer.__module__}.{writer.__name__}": writer for writer in (write_findings, write_beside)}
    monkeypatch.setattr(rows_beside, "run_in_sandbox", lambda name, values, limits: writers[name](**values))
