"""Parquet files of strangers: what is read of them, and what is refused before it is unfolded."""

import datetime
import math
import pickle
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bert_training.data.reading import parquet_rows
from bert_training.tasks.intake import Report
from tests.checking import TOKEN, check_file, check_in_child

TEXTS = [f"frase {index}" for index in range(8)]
LABELS = ["a", "b"] * 4
NESTED = pa.struct([("a", pa.int32())])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "upload"


def report_of(path: Path, columns: dict[str, Any], **options: Any) -> Report:
    pq.write_table(pa.table(columns), path, **options)
    return check_file(path, display_name="a.parquet")


def test_a_whole_table_is_read_with_the_number_of_the_record(path: Path) -> None:
    report = report_of(path, {"texto": TEXTS, "label": pa.array(LABELS).dictionary_encode()}, row_group_size=3)
    assert (report.valid, [row["row"] for row in report.preview]) == (True, list(range(1, 9)))


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (pa.array([1.0] * 8), "1"),
        (pa.array([True] * 8), "verdadeiro"),
        (pa.array([datetime.date(2026, 11, 20)] * 8), "2026-11-20"),
        (pa.array([datetime.datetime(2026, 11, 20, 13, 45)] * 8, pa.timestamp("ns")), "2026-11-20 13:45:00"),
        (pa.array([Decimal("2.50")] * 8), "2.5"),
        (pa.array([["x", "é"]] * 8), '["x", "é"]'),
        (pa.array(["x"] * 8, pa.large_string()), "x"),
    ],
)
def test_values_become_text_by_the_one_rule(path: Path, values: pa.Array, text: str) -> None:
    assert report_of(path, {"texto": TEXTS, "label": values}).preview[0]["label"] == text


def test_missing_values_are_blank_cells(path: Path) -> None:
    for labels in ([*LABELS[:7], None], [1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, math.nan]):
        report = report_of(path, {"texto": TEXTS, "label": labels})
        assert [(problem.code, problem.row) for problem in report.errors] == [("empty_cell", 8)]


def test_lists_of_tokens_are_taken(path: Path) -> None:
    pq.write_table(pa.table({"tokens": [["Em", str(at)] for at in range(4)], "tags": [["O", "B-X"]] * 4}), path)
    assert check_file(path, task=TOKEN, display_name="a.parquet").valid


@pytest.mark.parametrize("kind", [NESTED, pa.list_(NESTED), pa.binary(), pa.map_(pa.string(), pa.string())])
def test_row_41_a_column_that_cannot_be_text_is_refused_only_where_it_is_wanted(path: Path, kind: pa.DataType) -> None:
    report = report_of(path, {"texto": TEXTS, "label": pa.nulls(8, kind)})
    assert [problem.code for problem in report.errors] == ["unsupported_column"]
    assert report_of(path, {"texto": TEXTS, "obs": pa.nulls(8, kind), "label": LABELS}).valid


def test_a_moment_that_no_calendar_has_is_damage(path: Path) -> None:
    report = report_of(path, {"texto": TEXTS, "label": pa.array([2**31 - 1] * 8, pa.int32()).cast(pa.date32())})
    assert [problem.code for problem in report.errors] == ["file_damaged"]


@pytest.mark.parametrize("keep", [4, 11, 0.5, -1])
def test_row_41_a_truncated_file_is_damaged(path: Path, keep: float) -> None:
    report_of(path, {"texto": TEXTS, "label": LABELS})
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole)) if isinstance(keep, float) else keep])
    assert [problem.code for problem in check_file(path, display_name="a.parquet").errors] == ["file_damaged"]


def test_row_41_a_broken_page_is_damage(path: Path) -> None:
    report_of(path, {"texto": TEXTS, "label": LABELS}, compression="none", use_dictionary=False)
    data = path.read_bytes()
    path.write_bytes(data[:4] + b"\xff" * 60 + data[64:])
    assert [problem.code for problem in check_file(path, display_name="a.parquet").errors] == ["file_damaged"]


def test_row_41_an_encrypted_file_is_named(path: Path) -> None:
    path.write_bytes(b"PARE" + bytes(20) + b"PARE")
    assert [problem.code for problem in check_file(path, display_name="a.parquet").errors] == ["encrypted"]


def test_row_41_a_bomb_is_refused_by_its_metadata(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_rows, "UNPACKED_BYTES", 1_000_000)
    report = report_of(path, {"texto": ["x" * 200_000] * 8, "label": LABELS}, use_dictionary=False)
    assert [problem.code for problem in report.errors] == ["file_too_large_unpacked"]


def test_row_41_a_dictionary_that_unfolds_to_a_bomb_is_refused(path: Path) -> None:
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000), pa.array(["x" * 900_000]))
    pq.write_table(pa.table({"texto": text, "label": ["a", "b"] * 10_000}), path)
    assert path.stat().st_size < 200_000
    report = check_in_child(path, display_name="a.parquet")
    assert [problem.code for problem in report.errors] == ["file_too_large_unpacked"]


def test_row_41_a_bomb_below_the_limit_of_size_is_refused_for_its_ratio(path: Path) -> None:
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 256), pa.array(["x" * 900_000]))
    pq.write_table(pa.table({"texto": text, "label": ["a", "b"] * 128}), path)
    assert [problem.code for problem in check_file(path, display_name="a.parquet").errors] == [
        "file_too_large_unpacked"
    ]


def test_row_41_what_pandas_left_in_the_metadata_is_never_unpickled(path: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    table = pa.table({"texto": TEXTS, "label": LABELS})
    trap = pickle.dumps(Trap())
    metadata = {b"pandas": trap, b"ARROW:extension:name": b"arrow.py_extension_type", b"ARROW:extension:metadata": trap}
    field = pa.field("label", pa.string(), metadata=metadata)
    pq.write_table(table.cast(pa.schema([table.schema.field(0), field], metadata=metadata)), path)
    assert check_file(path, display_name="a.parquet").valid
    assert not (tmp_path / "sprung").exists()


def test_too_many_rows_are_refused_by_the_metadata(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_rows, "ROWS", 7)
    report = report_of(path, {"texto": TEXTS, "label": LABELS})
    assert [problem.code for problem in report.errors] == ["too_many_rows"]
