"""From a file to a report and a canonical table."""

import json
from pathlib import Path

import pandas as pd
import pytest

from bert_training.contract.enums import Split
from bert_training.data.digest import file_digest
from bert_training.data.process_limits import ProcessLimits
from bert_training.tasks import TASKS
from bert_training.tasks.intake import CheckRequest, Report, SourceFile, check_files
from tests.checking import check_file, check_in_child
from tests.workbooks import CLAIM_WORDS, claim_of, workbook_bytes, workbook_of

TEXT, TOKEN = "text-classification", "token-classification"


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    (tmp_path / "upload").write_bytes(workbook_bytes(TEXT))
    return tmp_path / "upload"


def test_a_valid_file_becomes_a_table_with_its_digest(upload: Path, tmp_path: Path) -> None:
    report = check_in_child(upload, task=TEXT, display_name="dados.xlsx", table_path=tmp_path / "table")
    assert (report.valid, report.rows, report.sheet, report.errors) == (True, 12, "Dados", [])
    assert report.columns == {"text": "texto", "label": "label"}
    assert report.table_sha256 == file_digest(tmp_path / "table")
    assert report.table_bytes == (tmp_path / "table").stat().st_size
    frame = pd.read_parquet(tmp_path / "table")
    assert list(frame.columns) == ["row", "text", "label"]
    assert str(frame["row"].dtype) == "int32"
    assert frame["row"].tolist() == list(range(2, 14))


def test_child_and_own_process_come_to_the_same_bytes(upload: Path, tmp_path: Path) -> None:
    first = check_in_child(upload, task=TEXT, table_path=tmp_path / "a")
    second = check_file(upload, task=TEXT, table_path=tmp_path / "b")
    assert first == second
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("task", TASKS)
def test_a_frame_and_plain_columns_give_the_same_labels_and_strata(task: str, tmp_path: Path) -> None:
    (tmp_path / "upload").write_bytes(workbook_bytes(task))
    check_file(tmp_path / "upload", task=task, table_path=tmp_path / "table")
    frame = pd.read_parquet(tmp_path / "table")
    columns = {str(name): frame[name].tolist() for name in frame.columns}
    spec = TASKS[task]
    assert spec.label_names(frame) == spec.label_names(columns)
    assert spec.strata(frame) == spec.strata(columns)


def test_a_file_with_errors_leaves_no_table(tmp_path: Path) -> None:
    rows = [("texto", "label"), *((f"t{index}", "ab"[index % 2]) for index in range(8)), ("", "a")]
    (tmp_path / "upload").write_bytes(workbook_of(rows))
    report = check_in_child(tmp_path / "upload", task=TEXT, table_path=tmp_path / "table")
    assert (report.valid, report.rows, report.table_sha256) == (False, 8, "")
    assert not (tmp_path / "table").exists()


def test_a_file_that_breaks_the_limits_is_too_complex_and_leaves_nothing(upload: Path, tmp_path: Path) -> None:
    (tmp_path / "table").write_bytes(b"half a table")
    report = check_in_child(upload, task=TEXT, table_path=tmp_path / "table", limits=ProcessLimits(wall_seconds=0.01))
    assert [problem.code for problem in report.errors] == ["file_too_complex"]
    assert not (tmp_path / "table").exists()


def test_a_report_survives_json(upload: Path) -> None:
    report = check_file(upload, task=TEXT, sheet="nenhuma")
    assert report.errors
    assert Report.from_dict(report.as_dict()) == report


def test_warnings_stand_in_the_summary_too(tmp_path: Path) -> None:
    rows = [("texto", "label"), *((f"t{index // 2}", "ab"[index % 2]) for index in range(8)), ("t0", "a")]
    (tmp_path / "upload").write_bytes(workbook_of(rows))
    report = check_file(tmp_path / "upload", task=TEXT)
    codes = [warning["code"] for warning in report.summary["warnings"]]
    assert codes == ["conflicting_labels"] * 9 + ["duplicate_texts"]


def test_the_ids_of_rows_reach_the_table_and_are_no_column_to_choose(tmp_path: Path) -> None:
    rows = [
        ("texto", "label", "bert_row_id", "Portal: problemas"),
        *((f"texto {at}", "ab"[at % 2], f"id {at}", "x") for at in range(6)),
    ]
    (tmp_path / "upload").write_bytes(workbook_of(rows))
    report = check_file(tmp_path / "upload", task=TEXT, table_path=tmp_path / "table")
    frame = pd.read_parquet(tmp_path / "table")
    assert list(frame.columns) == ["row", "text", "label", "row_id"]
    assert frame["row_id"].tolist() == [f"id {at}" for at in range(6)]
    assert report.columns_found == ["texto", "label"]


def test_the_preview_is_short_text(tmp_path: Path) -> None:
    (tmp_path / "upload").write_bytes(workbook_bytes(TOKEN, rows=30))
    report = check_file(tmp_path / "upload", task=TOKEN)
    assert len(report.preview) == 20
    assert report.preview[0] == {
        "row": 2,
        "tokens": f"Maria mora em Dourados 0 {claim_of(0)}",
        "tags": "B-PESSOA O O B-LOCAL O" + " O" * CLAIM_WORDS,
    }


def test_the_file_is_found_from_any_folder(upload: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(upload.parent)
    assert check_in_child(Path("upload"), task=TEXT).valid


def test_all_problems_go_to_a_file_of_their_own(tmp_path: Path) -> None:
    rows = [("texto", "label"), *((f"t{index}", "ab"[index % 2]) for index in range(8)), *[("", "a")] * 80]
    (tmp_path / "upload").write_bytes(workbook_of(rows))
    report = check_in_child(tmp_path / "upload", task=TEXT, problems_path=tmp_path / "problems")
    lines = [json.loads(line) for line in (tmp_path / "problems").read_text(encoding="utf-8").splitlines()]
    assert [line["cell"] for line in lines if line["is_error"]] == [f"A{row}" for row in range(10, 90)]
    assert [problem.cell for problem in report.groups[0].problems] == [f"A{row}" for row in range(10, 60)]
    assert (report.groups[0].code, report.groups[0].count, report.groups[0].is_error) == ("empty_cell", 80, True)


def test_a_child_that_dies_leaves_its_one_problem_in_the_file(upload: Path, tmp_path: Path) -> None:
    lines = tmp_path / "problems"
    report = check_in_child(upload, task=TEXT, problems_path=lines, limits=ProcessLimits(wall_seconds=0.01))
    assert json.loads(lines.read_text(encoding="utf-8"))["code"] == report.groups[0].code == "file_too_complex"


def test_what_is_wrong_with_a_further_file_is_said_of_that_file(upload: Path, tmp_path: Path) -> None:
    rows = [("texto", "label"), ("É a a\u00e7\u00e3o".encode().decode("latin-1"), "cobrança"), ("", "saúde")]
    (tmp_path / "validation").write_bytes(workbook_of(rows))
    files = {Split.TRAIN: SourceFile(upload), Split.VALIDATION: SourceFile(tmp_path / "validation")}
    report = check_files(files, CheckRequest(TEXT))
    places = [(problem.code, problem.part, problem.cell) for problem in (*report.errors, *report.warnings)]
    assert places == [("empty_cell", "validation", "A3"), ("mojibake", "validation", "A2")]


def test_a_further_file_may_call_its_sheet_otherwise(upload: Path, tmp_path: Path) -> None:
    rows = [("texto", "label"), ("uma cobrança em dobro", "cobrança")]
    (tmp_path / "test").write_bytes(workbook_of(rows, title="Prova"))
    files = {Split.TRAIN: SourceFile(upload), Split.TEST: SourceFile(tmp_path / "test")}
    report = check_files(files, CheckRequest(TEXT, sheet="Dados"))
    assert (report.valid, report.rows, report.sheet) == (True, 13, "Dados")
    assert [problem.code for problem in check_files(files, CheckRequest(TEXT, sheet="Prova")).errors] == [
        "sheet_not_found"
    ]
