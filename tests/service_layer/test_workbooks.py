"""Workbooks of findings, made in real child processes, and what comes back: rows are known again."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.translation import override
from openpyxl import load_workbook

from bert_training.contract.enums import Split, WorkbookKind
from bert_training.data.process_limits import ProcessLimits
from bert_training.models import Dataset, DatasetProfile
from bert_training.services.continuations import continuation_of, corrected_in
from bert_training.services.datasets import register_upload
from bert_training.services.errors import ServiceError
from bert_training.services.profiles import make_profile
from bert_training.services.stored_files import stored_copy
from bert_training.services.workbooks import MadeWorkbook, workbook_of_dataset, workbook_of_upload
from bert_training.tasks.intake import CheckRequest
from tests.personas import ready_dataset
from tests.workbooks import workbook_bytes, workbook_of

TEXT = CheckRequest("text-classification")
LONG = "O Município requer a reforma da sentença que o condenou a pagar indenização por danos morais e materiais"


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with override("en"):
        yield


def upload(content: bytes, name: str = "pedidos.xlsx") -> dict[Split, Any]:
    return {Split.TRAIN: SimpleUploadedFile(name, content)}


def sheet_of(made: MadeWorkbook) -> Any:
    with made.file as file:
        sheet = load_workbook(io.BytesIO(file.read())).active
    assert sheet is not None
    return sheet


def findings_of(content: bytes, request: CheckRequest = TEXT) -> Any:
    return sheet_of(workbook_of_upload(WorkbookKind.FINDINGS, upload(content), request))


def column(sheet: Any, header: str) -> list[Any]:
    """Return what stands below a header."""
    headers = [cell.value for cell in sheet[1]]
    return [row[headers.index(header)].value for row in sheet.iter_rows(min_row=2)]


def register(owner: User, content: bytes) -> Dataset:
    return register_upload(owner=owner, uploads=upload(content), request=TEXT).dataset


def test_repeated_and_similar_rows_are_named_beside_the_problems() -> None:
    rows = [(f"{LONG} 1", "a"), (f"{LONG} 2", "b"), ("curto", "a"), ("curto", "a"), ("", "b"), ("x y", "b")]
    sheet = findings_of(workbook_of([("texto", "label"), *rows]))
    assert column(sheet, "Portal: repeats row") == [None, None, None, "4", None, None]
    assert column(sheet, "Portal: group of similar texts") == ["1", "1", "2", "2", None, None]
    assert "A6: The cell is empty." in column(sheet, "Portal: problems")[4]
    assert "Leave out the rows that have an error" in column(sheet, "Portal: repair")[4]


@pytest.mark.parametrize("kind", WorkbookKind)
def test_a_file_that_takes_too_long_gives_a_clear_answer(ana: User, kind: WorkbookKind) -> None:
    dataset = ready_dataset(ana)
    with pytest.raises(ServiceError, match="more time or memory"):
        workbook_of_dataset(kind, dataset, ProcessLimits(wall_seconds=0.01))


def test_a_spreadsheet_that_was_sorted_cut_and_mended_is_known_again(ana: User) -> None:
    first = register(ana, workbook_bytes(TEXT.task, rows=24))
    sheet = sheet_of(workbook_of_dataset(WorkbookKind.FINDINGS, first))
    header, *rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    rows = rows[::-1][2:]  # sorted the other way round; two rows deleted
    rows[0][0] = "Um texto que foi corrigido."
    rows[1][1] = "cobrança"  # instead of saúde
    rows[2][-1] = None  # a program lost the id: the text tells
    rows += [["Um pedido novo.", "cobrança", *[None] * 5], rows[3][:]]  # one typed in, one copied
    rows[-1][0] = "Uma cópia que virou outro texto."
    second = register(ana, workbook_of([header, *rows]))
    make_profile(second.pk)
    expected = {"kept": 22, "text_changed": 1, "answer_changed": 1, "deleted": 2, "added": 2, "by_id": 21, "by_text": 1}
    assert DatasetProfile.objects.get(dataset=second).content["continues"] == {"dataset": first.pk, **expected}
    assert corrected_in(second.pk) == [1]
    assert corrected_in(first.pk) is None


def test_nobody_continues_what_belongs_to_others(ana: User, carla: User) -> None:
    first = ready_dataset(ana)
    own = ready_dataset(ana, request_digest="another", summary={"continues": first.sha256[:12]})
    foreign = ready_dataset(carla, summary={"continues": first.sha256[:12]})
    with stored_copy(own.table_key, own.table_sha256) as table:
        found = continuation_of(own, table)
        assert found is not None
        assert found.counts["dataset"] == first.pk
        assert continuation_of(foreign, table) is None
