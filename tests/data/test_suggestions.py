"""Which column is which, guessed from names and first cells: by generated sheets, then by real ones."""

import csv
from typing import Any

import pytest

from bert_training.data.columns import GroupColumn
from bert_training.data.suggestions import SUGGESTIONS, suggest_columns
from bert_training.tasks import TASKS
from tests.checking import check_file
from tests.shared_data import shared_data
from tests.workbooks import workbook_of

SENTENCES = [f"O autor {number} pede que o réu pague o que deve desde o ano passado." for number in range(30)]
DAYS = [f"2026-11-{1 + number % 28:02}" for number in range(30)]
PROCESSES = [f"000{number // 2:04}-55.2024.8.12.0001" for number in range(30)]
TOKENS = [f'["Maria", "mora", "aqui{number}"]' for number in range(30)]


def suggest(task: str, **columns: list[Any]) -> dict[str, list[str]]:
    rows = list(zip(*columns.values(), strict=True))
    return suggest_columns(list(columns), rows, (*TASKS[task].columns, GroupColumn()))


def test_columns_are_known_by_what_they_hold() -> None:
    found = suggest(
        "text-classification",
        data=DAYS,
        autos=PROCESSES,
        pedido=SENTENCES,
        setor=["cível", "fiscal", "saúde"] * 10,
    )
    assert found == {"text": ["pedido"], "label": ["setor"], "group": ["autos"]}


def test_a_name_that_is_alike_decides_between_equal_columns() -> None:
    found = suggest("text-classification", despacho=SENTENCES, Texto_integral=SENTENCES[::-1])
    assert found["text"] == ["Texto_integral", "despacho"]


def test_lists_are_told_apart_by_their_items() -> None:
    found = suggest("token-classification", b=['["B-PER", "O", "O"]'] * 30, a=TOKENS, text=SENTENCES)
    assert (found["tokens"][0], found["tags"][0]) == ("a", "b")


def test_no_column_is_the_first_choice_for_two() -> None:
    found = suggest("text-classification", a=["cível", "fiscal"] * 15, b=PROCESSES)
    assert (found["label"], found["group"]) == (["a"], ["b"])


@pytest.mark.parametrize("cells", [[""] * 30, [None] * 30, DAYS, list(range(30))], ids=["blank", "none", "days", "ids"])
def test_what_fits_nothing_is_not_suggested(cells: list[Any]) -> None:
    found = suggest("text-classification", coluna=cells)
    assert "text" not in found
    assert "label" not in found


def test_many_columns_give_a_short_list() -> None:
    assert len(suggest("text-classification", **{f"c{n}": SENTENCES for n in range(40)})["text"]) == SUGGESTIONS
    assert suggest_columns([], [], TASKS["text-classification"].columns) == {}


def test_the_report_of_a_sheet_with_other_names_holds_suggestions_and_first_rows(tmp_path: Any) -> None:
    rows = [("pedido", "", "setor"), *((text, "x", "ab"[index % 2]) for index, text in enumerate(SENTENCES))]
    (tmp_path / "upload").write_bytes(workbook_of(rows))
    report = check_file(tmp_path / "upload")
    assert report.counts == {"missing_column": 1}
    assert report.suggestions == {"text": ["pedido"], "label": ["setor"]}
    assert report.columns_found == ["pedido", "setor"]
    assert report.first_rows[0] == [SENTENCES[0], "a"]


def test_the_columns_of_the_real_reviews_are_found() -> None:
    with shared_data("text_cls/b2w_10k_original_columns.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = [row for _number, row in zip(range(300), csv.reader(file), strict=False)]
    found = suggest_columns(header, rows, (*TASKS["text-classification"].columns, GroupColumn()))
    assert found["text"][0] == "review_text"
    assert {"overall_rating", "recommend_to_a_friend"} <= set(found["label"])
    assert found["group"] == ["product_id"]
