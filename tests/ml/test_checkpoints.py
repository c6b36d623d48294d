"""A checkpoint is whole, verifies every byte by its manifest, and one that does not is skipped for the one before."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bert_training.data.digest import file_digest
from bert_training.ml.keeping.checkpoints import (
    TRAINING,
    WEIGHTS,
    Checkpoint,
    drop_training_files,
    keep_only,
    newest_checkpoint,
    read_checkpoint,
    write_checkpoint,
)

IDENTITY = "this run"


def write(checkpoints: Path, step: int, *, best_step: int = 0, identity: str = IDENTITY) -> Path:
    """Write a checkpoint whose files are some hundred bytes of chance."""

    def write_files(folder: Path) -> None:
        for name in (WEIGHTS, TRAINING):
            (folder / name).write_bytes(random.Random(f"{name} {step}").randbytes(300))

    state = {"identity": identity, "step": step, "best_step": best_step, "epoch": 2}
    return write_checkpoint(checkpoints, state, write_files=write_files)


def newest(checkpoints: Path) -> tuple[int, list[str]]:
    """Return the step that is gone on from, 0 = none, and what was said about those that were skipped."""
    said: list[str] = []
    found = newest_checkpoint(checkpoints, IDENTITY, on_skipped=said.append)
    return (found.step if found else 0), said


def test_the_newest_checkpoint_is_found_by_number_and_gives_its_state_back(tmp_path: Path) -> None:
    for step in (9, 80, 100):
        write(tmp_path, step)
    assert newest(tmp_path) == (100, [])
    found = read_checkpoint(tmp_path, 100)
    assert found == Checkpoint(tmp_path / "step-100", {"identity": IDENTITY, "step": 100, "best_step": 0, "epoch": 2})


def test_a_folder_without_checkpoints_gives_none(tmp_path: Path) -> None:
    assert newest(tmp_path / "nothing") == (0, [])


def truncate(folder: Path) -> None:
    path = folder / TRAINING
    path.write_bytes(path.read_bytes()[:-1])


def flip_bit(name: str) -> Callable[[Path], None]:
    def flip(folder: Path) -> None:
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / name).write_bytes(content)

    return flip


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def rewrite(name: str, text: str) -> Callable[[Path], None]:
    def put(folder: Path) -> None:
        (folder / name).write_text(text)

    return put


DAMAGES: dict[str, Callable[[Path], None]] = {
    "cut short": truncate,
    "a bit of the weights": flip_bit(WEIGHTS),
    "a bit of the optimizer": flip_bit(TRAINING),
    "a bit of the state": flip_bit("state.json"),
    "a bit of the manifest": flip_bit("manifest.json"),
    "no manifest": remove("manifest.json"),
    "no weights": remove(WEIGHTS),
    "an empty manifest": rewrite("manifest.json", ""),
    "a manifest that names nothing": rewrite("manifest.json", '{"version": 1, "sha256": {}}'),
    "a manifest that is a list": rewrite("manifest.json", "[]"),
    "a manifest of the future": rewrite("manifest.json", '{"version": 2, "sha256": {"state.json": ""}}'),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_checkpoint_is_skipped_with_a_line_and_the_one_before_is_used(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    write(tmp_path, 10)
    damage(write(tmp_path, 20))
    step, said = newest(tmp_path)
    assert step == 10
    assert len(said) == 1
    assert said[0].startswith("Checkpoint step-20 is skipped: ")


def test_without_any_good_checkpoint_there_is_nothing_to_go_on_from(tmp_path: Path) -> None:
    for step in (10, 20):
        truncate(write(tmp_path, step))
    step, said = newest(tmp_path)
    assert step == 0
    assert [line.split()[1] for line in said] == ["step-20", "step-10"]


def test_a_bit_flipped_anywhere_in_the_manifest_is_noticed(tmp_path: Path) -> None:
    manifest = write(tmp_path, 10) / "manifest.json"
    whole = manifest.read_bytes()
    for place in range(len(whole)):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << bit
            if damaged.split() == whole.split():
                continue  # one kind of white space for another says the same
            manifest.write_bytes(damaged)
            assert newest(tmp_path)[0] == 0, (place, bit)


def test_a_checkpoint_whose_best_one_is_damaged_or_gone_is_not_used(tmp_path: Path) -> None:
    best = write(tmp_path, 10, best_step=10)
    write(tmp_path, 20, best_step=10)
    assert newest(tmp_path) == (20, [])
    flip_bit(WEIGHTS)(best)
    assert newest(tmp_path)[0] == 0
    shutil.rmtree(best)
    assert newest(tmp_path)[0] == 0


def test_a_checkpoint_of_another_run_is_not_used(tmp_path: Path) -> None:
    write(tmp_path, 10, identity="the same job number of another portal")
    assert newest(tmp_path) == (0, ["Checkpoint step-10 is skipped: step-10 belongs to another run"])


def test_what_a_dead_process_left_unfinished_is_never_used_and_goes_with_the_next(tmp_path: Path) -> None:
    shutil.copytree(write(tmp_path, 10), tmp_path / ".step-20.unfinished")
    assert newest(tmp_path) == (10, [])
    keep_only(tmp_path, {10})
    assert [path.name for path in tmp_path.iterdir()] == ["step-10"]


def test_an_error_while_writing_leaves_the_older_checkpoint_of_that_step(tmp_path: Path) -> None:
    folder = write(tmp_path, 10)
    before = file_digest(folder / WEIGHTS)

    def fail(unfinished: Path) -> None:
        (unfinished / WEIGHTS).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_checkpoint(tmp_path, {"identity": IDENTITY, "step": 10, "best_step": 0}, write_files=fail)
    assert newest(tmp_path) == (10, [])
    assert file_digest(folder / WEIGHTS) == before


def test_only_the_named_checkpoints_stay(tmp_path: Path) -> None:
    for step in (1, 2, 3):
        write(tmp_path, step)
    keep_only(tmp_path, {3, 1})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-1", "step-3"]


def test_at_the_end_the_weights_stay_and_the_optimizer_goes(tmp_path: Path) -> None:
    folder = write(tmp_path, 10)
    drop_training_files(tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", WEIGHTS, "state.json"]
    assert newest(tmp_path)[0] == 0
