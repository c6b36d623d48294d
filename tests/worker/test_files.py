"""A small state file is whole at any moment, whoever writes it."""

import threading
from pathlib import Path

from bert_training.worker.files import read_json, write_json

ROUNDS = 300


def test_two_threads_may_write_one_file(tmp_path: Path) -> None:
    """A sender that was stopped in the middle of a call, and the one that sends the rest of its log."""
    path, errors = tmp_path / "acked-1.json", []

    def write(number: int) -> None:
        try:
            for _ in range(ROUNDS):
                write_json(path, {"number": number})
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in (1, 10**9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert read_json(path) in ({"number": 1}, {"number": 10**9})
    assert list(tmp_path.iterdir()) == [path]
