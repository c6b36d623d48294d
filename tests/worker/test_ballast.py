"""The ballast takes real room, gives it back when it is wanted, and never fills a disk by itself."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from bert_training.worker import ballast
from bert_training.worker.ballast import BALLAST_BYTES, NAME, take_in, throw_out, write_at_last

FULL = OSError(errno.ENOSPC, "No space left on device")


def test_it_takes_the_room_that_it_gives_back(tmp_path: Path) -> None:
    assert take_in(tmp_path)
    assert (tmp_path / NAME).stat().st_blocks * 512 >= BALLAST_BYTES
    assert take_in(tmp_path)
    throw_out(tmp_path)
    throw_out(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_it_takes_room_where_the_system_cannot_reserve_any(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "posix_fallocate")
    assert take_in(tmp_path)
    assert (tmp_path / NAME).stat().st_size == BALLAST_BYTES


def test_it_is_not_taken_in_where_little_more_than_its_size_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=2 * BALLAST_BYTES - 1))
    assert not take_in(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=2 * BALLAST_BYTES))
    assert take_in(tmp_path)


def test_half_of_it_does_not_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise FULL

    monkeypatch.setattr(ballast, "_reserve", fail)
    assert not take_in(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("error", "count"), [(FULL, 2), (PermissionError(errno.EACCES, "no"), 1)])
def test_only_a_full_disk_is_tried_again_and_once(tmp_path: Path, error: OSError, count: int) -> None:
    take_in(tmp_path)
    tries = []

    def write() -> None:
        tries.append(1)
        raise error

    with pytest.raises(type(error)):
        write_at_last(tmp_path, write)
    assert len(tries) == count
    assert (tmp_path / NAME).exists() is (error is not FULL)


def test_what_the_other_process_threw_out_is_room_too(tmp_path: Path) -> None:
    """Supervisor and trainer meet the full disk in the same moment."""
    tries = []

    def write() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise FULL

    write_at_last(tmp_path, write)
    assert len(tries) == 2
