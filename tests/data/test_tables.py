"""The small parts: canonical tables, digests, lengths, tags, names of columns."""

import hashlib
import sys
from pathlib import Path

import pytest

from bert_training.data import parquet
from bert_training.data.digest import file_digest
from bert_training.data.parquet import read_table, write_table
from bert_training.data.summary import count_labels, describe_lengths
from bert_training.data.table import Columns, column_letter

TABLE: Columns = {"row": [2, 5], "tokens": [["Ana", "foi"], ["x"]], "tags": [["B-P", "O"], ["O"]]}


def test_a_table_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write_table(TABLE, tmp_path / "t")
    assert read_table(tmp_path / "t") == TABLE
    assert read_table(tmp_path / "t", ["row"]) == {"row": [2, 5]}


def test_groups_of_rows_are_one_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "GROUP_ROWS", 3)
    columns: Columns = {"row": list(range(8)), "text": [f"é {index}" for index in range(8)], "tags": [["ã"], []] * 4}
    write_table(columns, tmp_path / "a.parquet")
    assert read_table(tmp_path / "a.parquet") == columns


def test_writing_leaves_texts_as_small_as_they_were(tmp_path: Path) -> None:
    text = "é" * 1000
    before = sys.getsizeof(text)
    write_table({"row": [1], "text": [text]}, tmp_path / "a.parquet")
    assert sys.getsizeof(text) == before


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_table(TABLE, tmp_path / name)
    assert file_digest(tmp_path / "a") == file_digest(tmp_path / "b")


def test_a_digest_is_the_sha256_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc" * 100_000)
    assert file_digest(tmp_path / "x") == hashlib.sha256(b"abc" * 100_000).hexdigest()


@pytest.mark.parametrize(
    ("index", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (16383, "XFD")]
)
def test_columns_are_named_as_in_a_spreadsheet(index: int, letters: str) -> None:
    assert column_letter(index) == letters


def test_labels_are_counted_the_most_frequent_first() -> None:
    assert list(count_labels(["b", "a", "c", "c"]).items()) == [("c", 2), ("a", 1), ("b", 1)]


def test_lengths_are_described() -> None:
    lengths = describe_lengths([*range(1, 100), 5000])
    assert {name: lengths[name] for name in ("rows", "min", "mean", "median", "p95", "max")} == {
        "rows": 100,
        "min": 1,
        "mean": 99.5,
        "median": 50,
        "p95": 95,
        "max": 5000,
    }


@pytest.mark.parametrize("lengths", [[3], [1, 1, 1], [1, 2], list(range(500)), [*range(1, 100), 5000], [0]])
def test_every_length_is_in_one_bar_of_the_histogram(lengths: list[int]) -> None:
    histogram = describe_lengths(lengths)["histogram"]
    edges, counts = histogram["edges"], histogram["counts"]
    assert edges == sorted(set(edges))
    assert len(edges) == len(counts) + 1 <= 15
    for low, high, count in zip(edges, edges[1:], counts, strict=False):
        assert count == sum(low <= length < high for length in lengths)
    assert sum(counts) == len(lengths)


def test_no_rows_have_no_lengths() -> None:
    assert describe_lengths([]) == {"unit": "words", "rows": 0}
