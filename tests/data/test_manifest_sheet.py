"""Manifests that people write: names as they write them, checked in both directions, each fault with its line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bert_training.contract.enums import Split
from bert_training.data.parquet import write_table
from bert_training.data.splitting.manifest_sheet import check_manifest, write_manifest
from bert_training.data.table import PART_STRIDE
from tests.workbooks import workbook_of

Check = Callable[..., dict[str, Any]]
ROWS = [2, 3, 5, 6, 7]  # row 4 was blank
FIRST_ALONE = ["dados.xlsx", "", ""]
GOOD = "linha,conjunto\n2,treino\n3,treino\n5,validacao\n6,teste\n7,nenhum\n"


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Check a manifest, text or the bytes of a workbook, against a table of these rows."""

    def check(content: str | bytes, *, rows: list[int] = ROWS, files: list[str] = FIRST_ALONE) -> dict[str, Any]:
        path, table = tmp_path / "upload", tmp_path / "table.parquet"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        write_table({"row": rows}, table)
        name = "divisao.csv" if isinstance(content, str) else "divisao.xlsx"
        return check_manifest(str(path), name, str(table), files)

    return check


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        "Linha;Conjunto\r\n7;-\r\n6;Teste\r\n5;Validação\r\n3;TREINO\r\n2;treino\r\n",
        "row\tsplit\ttext\n2\ttrain\ta\n3\ttraining\tb\n5\tvalidation\tc\n6\ttest\td\n7\tnone\te\n",
        workbook_of(
            [("linha", "conjunto"), (2, "treino"), (3.0, "treino"), ("5", "validação"), (6, "teste"), (7, "-")]
        ),
    ],
    ids=["ours", "brazilian", "english", "workbook"],
)
def test_a_manifest_is_read_as_people_write_it(check: Check, content: str | bytes) -> None:
    assert check(content) == {"letters": "ttve-", "errors": [], "counts": {}}


@pytest.mark.parametrize(
    ("changed", "into", "code", "cell", "words"),
    [
        ("3,treino", "4,treino", "manifest_row_unknown", "A3", "no row 4"),
        ("3,treino", "três,treino", "manifest_row_invalid", "A3", "“três”"),
        ("3,treino", "-3,treino", "manifest_row_invalid", "A3", "“-3”"),
        ("3,treino", ",treino", "manifest_row_invalid", "A3", "“”"),
        ("3,treino", "2,teste", "manifest_row_twice", "A3", "line 2"),
        ("3,treino", "3,treinno", "manifest_split_unknown", "B3", "“treinno”"),
        ("3,treino", "3,", "manifest_split_unknown", "B3", "“”"),
    ],
)
def test_each_wrong_line_is_named_with_its_cell(
    check: Check, changed: str, into: str, code: str, cell: str, words: str
) -> None:
    found = check(GOOD.replace(changed, into))
    error = next(error for error in found["errors"] if error["code"] == code)
    assert (found["letters"], error["cell"], error["row"], error["fix"]) == ("", cell, 3, "")
    assert words in error["message"] % error["values"]
    assert error["repair"]


def test_rows_without_a_line_are_named_and_counted(check: Check) -> None:
    found = check("linha,conjunto\n2,treino\n", rows=list(range(2, 102)))
    assert found["counts"] == {"manifest_row_missing": 99}
    first = found["errors"][0]
    assert first["message"] % first["values"] == "Row 3 of dados.xlsx has no line in the manifest."
    assert len(found["errors"]) == 50


def test_a_manifest_without_training_rows_is_refused(check: Check) -> None:
    assert check(GOOD.replace("treino", "teste"))["counts"] == {"manifest_no_training": 1}


def test_a_file_that_is_no_manifest_says_which_columns_are_missing(check: Check) -> None:
    (error,) = check("texto,label\na,b\n")["errors"]
    assert (error["code"], error["column"]) == ("missing_column", "linha")


@pytest.mark.parametrize(
    "files",
    [
        ["dados.xlsx", "", "prova.xlsx"],
        ["=dados.xlsx", "", "+prova.xlsx"],
        ["dados.xlsx", "", "dados.xlsx"],
        ["Dados.xlsx", "", "dádos.xlsx"],
        ["'dados.xlsx", "", "prova.xlsx"],
    ],
)
def test_what_is_downloaded_can_be_sent_back(check: Check, files: list[str]) -> None:
    rows = [2, 3, 2 * PART_STRIDE + 2, 2 * PART_STRIDE + 3]
    content = write_manifest(rows, [Split.TRAIN, None, Split.TEST, Split.VALIDATION], files)
    assert not any(cell[:1] in "=+-@" for line in content.splitlines() for cell in line.split(","))
    assert check(content, rows=rows, files=files)["letters"] == "t-ev"


def test_a_file_that_was_not_sent_is_named(check: Check) -> None:
    rows, files = [2, 2 * PART_STRIDE + 2], ["dados.xlsx", "", "prova.xlsx"]
    content = "linha,conjunto,arquivo\n2,treino,dados.xlsx\n2,teste,outra.xlsx\n"
    found = check(content, rows=rows, files=files)
    assert found["counts"] == {"manifest_file_unknown": 1, "manifest_row_missing": 1}
    assert [error["cell"] for error in found["errors"]] == ["C3", ""]
