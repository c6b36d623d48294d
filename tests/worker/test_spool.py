"""The spool keeps order and numbers, whoever writes and however a writer dies."""

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bert_training.contract.enums import Split
from bert_training.contract.limits import ENTITIES_PER_ROW, LINE_BYTES, PREDICTION_BYTES
from bert_training.contract.streams import MetricPoint
from bert_training.worker.spool import LOG, METRIC, PREDICTION, SpoolReader, SpoolWriter, count_records, mend_file

NOW = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "attempt-1.jsonl"


def write(path: Path, *messages: str) -> None:
    writer = SpoolWriter(path)
    for message in messages:
        writer.append_log("INFO", message, ts=NOW)
    writer.close()


def read_all(path: Path, kind: str = LOG) -> list[dict[str, object]]:
    reader = SpoolReader(path, kind)
    records = reader.read(end=path.stat().st_size, most=10**6, most_bytes=10**9)
    return [record.content for record in records]


def messages(path: Path) -> list[object]:
    return [content["message"] for content in read_all(path)]


def test_logs_and_metrics_are_counted_apart(path: Path) -> None:
    writer = SpoolWriter(path)
    for step in range(3):
        writer.append_log("INFO", f"line {step}", ts=NOW)
        writer.append_metric(MetricPoint.of(epoch=1, step=step, split=Split.TRAIN, values={"loss": 1.0}))
    writer.append_log("ERROR", "last", ts=NOW)
    writer.close()
    assert count_records(path) == {LOG: 4, METRIC: 3, PREDICTION: 0}
    assert messages(path) == ["line 0", "line 1", "line 2", "last"]
    assert [point["step"] for point in read_all(path, METRIC)] == [0, 1, 2]


def test_a_loss_that_is_not_finite_becomes_null_with_its_name(path: Path) -> None:
    writer = SpoolWriter(path)
    writer.append_metric(MetricPoint.of(epoch=1, step=1, split=Split.TRAIN, values={"loss": float("nan")}))
    writer.close()
    point = read_all(path, METRIC)[0]
    assert (point["values"], point["nonfinite"]) == ({"loss": None}, ["loss"])


def test_a_message_of_several_lines_is_several_records(path: Path) -> None:
    write(path, "10%\r20%\r\n30%\n", "")
    assert messages(path) == ["10%", "20%", "30%", ""]


@pytest.mark.parametrize("message", ["x" * 10_000_000, '"' * 40_000, "é" * 20_000, "\x1b[31m" * 9_000, "\t" * 30_000])
def test_a_long_line_is_cut_with_a_mark_to_one_write(path: Path, message: str) -> None:
    write(path, message)
    raw = path.read_bytes()
    assert len(raw) <= LINE_BYTES
    assert len(raw) > LINE_BYTES // 2
    assert str(json.loads(raw)["message"]).endswith(" [...]")


def test_control_bytes_and_lone_surrogates_do_not_reach_the_file(path: Path) -> None:
    write(path, "a\x00b\x07c\ud800d")
    assert messages(path) == ["ab\ufffdc\ufffdd"]


def test_an_unknown_level_becomes_info(path: Path) -> None:
    writer = SpoolWriter(path)
    writer.append_log("FATAL!!", "x", ts=NOW)
    writer.close()
    assert read_all(path)[0]["level"] == "INFO"


def test_two_writers_lose_and_mix_nothing(path: Path) -> None:
    def write_many(name: str) -> None:
        writer = SpoolWriter(path)
        for number in range(500):
            writer.append_log("INFO", f"{name} {number} " + "x" * (number % 300), ts=NOW)
        writer.close()

    threads = [threading.Thread(target=write_many, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = messages(path)
    assert len(found) == 1000
    for name in ("a", "b"):
        own = [str(message).split()[1] for message in found if str(message).startswith(name)]
        assert own == [str(number) for number in range(500)]


def test_a_lock_file_guards_appends_where_the_system_does_not(path: Path) -> None:
    writer = SpoolWriter(path, guard=True)
    writer.append_log("INFO", "guarded", ts=NOW)
    writer.close()
    assert messages(path) == ["guarded"]


def test_a_torn_last_line_is_not_read_and_can_be_cut(path: Path) -> None:
    write(path, "whole")
    with path.open("ab") as file:
        file.write(b'{"kind":"log","mess')
    assert messages(path) == ["whole"]
    mend_file(path)
    write(path, "after")
    assert messages(path) == ["whole", "after"]


def test_mending_a_whole_or_empty_file_changes_nothing(path: Path) -> None:
    path.touch()
    mend_file(path)
    assert path.read_bytes() == b""
    write(path, "a", "b")
    before = path.read_bytes()
    os.utime(path, (0, 0))
    mend_file(path)
    assert path.read_bytes() == before
    assert path.stat().st_mtime == 0  # by which it is judged how long ago its attempt ended


def test_a_damaged_line_keeps_its_number(path: Path) -> None:
    write(path, "first")
    with path.open("ab") as file:
        file.write(b"\xff\xfe not json\n[1]\n")
    write(path, "fourth")
    assert [content.get("message") for content in read_all(path)] == ["first", None, None, "fourth"]


def test_a_reader_takes_what_fits_and_goes_on_or_back(path: Path) -> None:
    write(path, *(f"line {number}" for number in range(1, 11)))
    end = path.stat().st_size
    reader = SpoolReader(path, LOG)
    batch = reader.read(end=end, most=4, most_bytes=10**6)
    reader.advance(batch)
    assert reader.next_seq == 5
    assert len(reader.read(end=end, most=100, most_bytes=200)) == 2
    reader.rewind(2, end=end)
    assert reader.read(end=end, most=1, most_bytes=10**6)[0].content["message"] == "line 2"
    reader.rewind(99, end=end)
    assert (reader.next_seq, reader.read(end=end, most=1, most_bytes=10**6)) == (11, [])


def test_nothing_behind_the_synced_end_is_read(path: Path) -> None:
    write(path, "synced")
    end = path.stat().st_size
    write(path, "not yet")
    assert len(SpoolReader(path, LOG).read(end=end, most=10, most_bytes=10**6)) == 1


def prediction(row: int, **changes: object) -> dict[str, object]:
    return {
        "row": row,
        "split": "test",
        "source": "network",
        "unit": row,
        "gold": 0,
        "predicted": 1,
        "p": "",
        **changes,
    }


def test_predictions_are_a_third_kind(path: Path) -> None:
    write(path, "before")
    writer = SpoolWriter(path)
    assert writer.append_predictions(prediction(row) for row in range(2, 1200)) == []
    writer.close()
    write(path, "after")
    assert count_records(path) == {LOG: 2, METRIC: 0, PREDICTION: 1198}
    assert messages(path) == ["before", "after"]
    assert [content["row"] for content in read_all(path, PREDICTION)] == list(range(2, 1200))


@pytest.mark.parametrize(
    "found", [[[0, 1, "A"]] * (ENTITIES_PER_ROW + 1), [[0, 1, "A" * 1000]] * (PREDICTION_BYTES // 1000)]
)
def test_of_a_row_that_is_too_long_only_the_number_is_kept(path: Path, found: list[list[object]]) -> None:
    writer = SpoolWriter(path)
    rows = [prediction(2, gold=[]), prediction(3, gold=found), prediction(4, gold=[[0, 1, "A"]])]
    assert writer.append_predictions(rows) == [3]
    writer.close()
    assert [(content["row"], "gold" in content) for content in read_all(path, PREDICTION)] == [
        (2, True),
        (3, False),
        (4, True),
    ]


def test_of_torn_predictions_the_whole_ones_stay(path: Path) -> None:
    long = prediction(2, gold=[[0, 1, "A" * 1000]] * (PREDICTION_BYTES // 1100))
    writer = SpoolWriter(path)
    writer.append_predictions([long, long])
    writer.close()
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 5)
    mend_file(path)
    assert count_records(path)[PREDICTION] == 1


def test_a_damaged_prediction_keeps_its_number_and_is_no_line_of_the_log(path: Path) -> None:
    path.write_bytes(b'{"kind":"prediction","row":2,"go\n')
    write(path, "after")
    assert count_records(path) == {LOG: 1, METRIC: 0, PREDICTION: 1}
    assert read_all(path, PREDICTION) == [{}]
