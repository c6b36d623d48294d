"""The tokens that a worker keeps never grow beyond a limit; what was used last stays."""

import os
from pathlib import Path

from bert_training.worker.kept_tokens import drop_least_used, tokens_beside


def leave(datasets: Path, digit: str, name: str, *, used_at: float) -> Path:
    entry = tokens_beside(datasets / f"{digit * 64}.parquet") / name
    entry.mkdir(parents=True)
    for file, moment in (("input_ids.npy", used_at - 50), ("manifest.json", used_at)):
        (entry / file).write_bytes(bytes(500))
        os.utime(entry / file, (moment, moment))
    return entry


def test_what_was_not_used_for_the_longest_time_goes_first(tmp_path: Path) -> None:
    entries = [
        leave(tmp_path, "a", "one", used_at=300),
        leave(tmp_path, "a", "other", used_at=100),
        leave(tmp_path, "b", "one", used_at=200),
    ]
    drop_least_used(tmp_path, limit_bytes=3000)
    assert [entry.exists() for entry in entries] == [True, True, True]
    drop_least_used(tmp_path, limit_bytes=2999)
    assert [entry.exists() for entry in entries] == [True, False, True]


def test_what_was_never_finished_goes_and_nothing_else_of_the_folder(tmp_path: Path) -> None:
    unfinished = leave(tmp_path, "a", ".one.unfinished", used_at=300)
    table = tmp_path / f"{'a' * 64}.parquet"
    table.write_bytes(bytes(5000))
    drop_least_used(tmp_path, limit_bytes=2000)
    assert (unfinished.exists(), table.exists()) == (False, True)
