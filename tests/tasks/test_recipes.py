"""One-click repairs on whole files: found before, gone after, and the same table each time."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from bert_training.data.parquet import read_table
from bert_training.data.repairs import Fix
from bert_training.tasks.intake import Report
from tests.checking import check_file
from tests.workbooks import workbook_bytes, workbook_of

GARBLED = "Ação de cobrança".encode().decode("cp1252")


@dataclass(frozen=True)
class Fault:
    """What is done to a clean sheet, which code names it, and what the repair makes of it."""

    code: str
    fix: Fix
    plant: Callable[[Worksheet], None]
    is_mended: Callable[[dict[str, list[str]]], bool]


def put(**cells: str) -> Callable[[Worksheet], None]:
    def plant(sheet: Worksheet) -> None:
        for name, value in cells.items():
            sheet[name] = value

    return plant


def copy(of: str, to: str) -> Callable[[Worksheet], None]:
    def plant(sheet: Worksheet) -> None:
        sheet[to] = sheet[of].value

    return plant


def merge(sheet: Worksheet) -> None:
    sheet.merge_cells("B3:B4")


def hide(sheet: Worksheet) -> None:
    sheet.row_dimensions[5].hidden = True


def swap(sheet: Worksheet) -> None:
    sheet["A1"], sheet["B1"] = "label", "texto"


FAULTS = [
    Fault("mojibake", Fix.MEND_MOJIBAKE, put(A6=GARBLED), lambda table: "Ação de cobrança" in table["text"]),
    Fault("similar_labels", Fix.UNIFY_LABELS, put(B2="COBRANÇA "), lambda table: len(set(table["label"])) == 3),
    Fault("empty_cell", Fix.LEAVE_OUT_BAD_ROWS, put(A6=" "), lambda table: len(table["text"]) == 11),
    Fault("error_cell", Fix.LEAVE_OUT_BAD_ROWS, put(A6="#N/A"), lambda table: len(table["text"]) == 11),
    Fault("formula_without_value", Fix.LEAVE_OUT_BAD_ROWS, put(B6="=1+1"), lambda table: len(table["text"]) == 11),
    Fault("duplicate_texts", Fix.LEAVE_OUT_DUPLICATES, copy("A2", "A5"), lambda table: len(table["text"]) == 11),
    Fault("conflicting_labels", Fix.LEAVE_OUT_CONTRADICTIONS, copy("A2", "A3"), lambda table: len(table["text"]) == 10),
    Fault("class_too_small", Fix.LEAVE_OUT_RARE_CLASSES, put(B6="rara"), lambda table: "rara" not in table["label"]),
    Fault("merged_cells", Fix.FILL_MERGED, merge, lambda table: table["label"][2] == table["label"][1]),
    Fault("hidden_row", Fix.LEAVE_OUT_HIDDEN, hide, lambda table: len(table["text"]) == 11),
    Fault("swapped_columns", Fix.SWAP_COLUMNS, swap, lambda table: table["text"][0].startswith("O autor 0")),
]


@pytest.fixture(params=FAULTS, ids=lambda fault: f"{fault.fix}-{fault.code}")
def fault(request: pytest.FixtureRequest) -> Fault:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def planted(fault: Fault, tmp_path: Path) -> Path:
    path = tmp_path / "planted.xlsx"
    path.write_bytes(workbook_bytes("text-classification"))
    book = load_workbook(path)
    fault.plant(book.worksheets[0])
    book.save(path)
    return path


def codes(report: Report) -> set[str]:
    return {group.code for group in report.groups}


def test_the_fault_is_found_alone_and_its_repair_offered(fault: Fault, planted: Path) -> None:
    report = check_file(planted)
    assert [(group.code, group.fix) for group in report.groups] == [(fault.code, fault.fix)]


def test_repaired_it_is_gone_and_said_so(fault: Fault, planted: Path, tmp_path: Path) -> None:
    report = check_file(planted, recipe=[fault.fix], table_path=tmp_path / "table")
    assert report.valid
    assert fault.fix not in {group.fix for group in report.groups if group.code != "repaired"}
    assert [problem.fix for problem in report.warnings if problem.code == "repaired"] == [fault.fix]
    assert fault.is_mended(read_table(tmp_path / "table"))


def test_the_same_recipe_in_any_order_gives_the_same_table(planted: Path, tmp_path: Path) -> None:
    recipe = [fix for fix in Fix if fix != Fix.SWAP_COLUMNS]
    digests = {
        check_file(planted, recipe=order, table_path=tmp_path / "table").table_sha256
        for order in (recipe, recipe[::-1], recipe * 2)
    }
    assert len(digests) == 1


def test_a_file_of_which_nothing_is_left_is_refused(tmp_path: Path) -> None:
    (tmp_path / "blank.csv").write_text("texto,label\n-,\n,a\n", encoding="utf-8")
    report = check_file(tmp_path / "blank.csv", display_name="blank.csv", recipe=[Fix.LEAVE_OUT_BAD_ROWS])
    assert (report.valid, [problem.code for problem in report.errors]) == (False, ["no_rows"])


def test_numbers_of_a_column_are_stated_once_with_the_rule(tmp_path: Path) -> None:
    labels = [1.0, True, datetime.date(2026, 11, 20), "sim", 2.5] * 3
    rows = [("texto", "label"), *((f"o texto {index}", label) for index, label in enumerate(labels))]
    (tmp_path / "notas.xlsx").write_bytes(workbook_of(rows))
    report = check_file(tmp_path / "notas.xlsx")
    assert report.summary["labels"] == {"1": 3, "2.5": 3, "2026-11-20": 3, "sim": 3, "verdadeiro": 3}
    assert [(problem.code, problem.values["count"]) for problem in report.warnings] == [("turned_into_text", 12)]
    named = 'B2 "1", B3 "verdadeiro", B4 "2026-11-20", B6 "2.5", B7 "1"'
    assert report.warnings[0].values["examples"] == named


def test_a_decimal_comma_of_a_text_file_is_the_point_of_a_workbook(tmp_path: Path) -> None:
    rows = "".join(f"o texto {index};{label}\n" for index, label in enumerate(["1,5", "1", "2,0"] * 3))
    (tmp_path / "notas.csv").write_text("texto;label\n" + rows, encoding="utf-8")
    report = check_file(tmp_path / "notas.csv", display_name="notas.csv")
    assert report.summary["labels"] == {"1": 3, "1.5": 3, "2": 3}
    assert {"decimal_comma", "turned_into_text"} <= set(report.counts)
