"""Dividing a dataset for a run: what stays together, what the user fixed, what the run is told of it."""

from collections import Counter
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from bert_training.contract.enums import ProfileStatus, Split
from bert_training.data.digest import file_digest
from bert_training.data.parquet import write_table
from bert_training.data.table import GROUP, PART_STRIDE, PARTS, ROW, SPLIT
from bert_training.models import Dataset, DatasetManifest, DatasetProfile
from bert_training.services.divisions import Division, divide, division_of, manifest_for_worker, pack_letters
from bert_training.services.errors import InvalidRun
from bert_training.services.runs import reproduce_run
from bert_training.tasks.hyperparameters.settings import Hyperparameters
from tests.personas import make_run, ready_dataset
from tests.workbooks import LABELS, claim_of

DEFAULTS = Hyperparameters()
Rows = list[tuple[str, ...]]


def text(number: int) -> str:
    return f"O autor {number} pede {claim_of(number)}."


def plain_rows(first: int, count: int) -> Rows:
    return [(text(number), LABELS[number % 3]) for number in range(first, first + count)]


def stored(owner: User, rows: Rows, *, beside: dict[Split, Rows] | None = None) -> Dataset:
    """Store a dataset with this table, without the check: rows of text, label and, if there is one, group."""
    numbered = [(number, *row, Split.TRAIN) for number, row in enumerate(rows, 2)]
    for split, part in (beside or {}).items():
        first = PARTS.index(split) * PART_STRIDE + 2
        numbered += [(number, *row, split) for number, row in enumerate(part, first)]
    names = (ROW, "text", "label", *((GROUP,) if len(rows[0]) > 2 else ()), SPLIT)
    table = {name: list(values) for name, values in zip(names, zip(*numbered, strict=True), strict=True)}
    if not beside:
        del table[SPLIT]
    dataset = ready_dataset(owner, request_digest=uuid4().hex * 2, rows=len(numbered))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table"
        write_table(table, path)
        default_storage.delete(dataset.table_key)
        default_storage.save(dataset.table_key, ContentFile(path.read_bytes()))
        dataset.table_sha256, dataset.table_bytes = file_digest(path), path.stat().st_size
    dataset.save()
    return dataset


def splits_of(division: Division, *indexes: int) -> str:
    return "".join(division.letters[index] for index in indexes)


def test_without_copies_nothing_is_moved(ana: User) -> None:
    division = divide(stored(ana, plain_rows(0, 40)), DEFAULTS)
    facts = {"source": "shares", "protection": "near", "groups": 0, "moved": 0, "left_out": 0}
    assert division.facts == {
        **facts,
        "rows": dict(Counter({"t": "train", "v": "validation", "e": "test"}[letter] for letter in division.letters)),
    }


def test_copies_near_copies_and_a_group_never_cross_the_split(ana: User) -> None:
    rows = [(*row, "") for row in plain_rows(0, 60)]
    rows += [(row[0], row[1], "") for row in rows[:10]]  # the same to the letter
    rows += [(row[0].upper().replace("PEDE", "requer"), row[1], "") for row in rows[10:20]]  # nearly the same
    rows += [(text(100 + number), LABELS[number % 3], f"processo {number // 4}") for number in range(20)]
    dataset = stored(ana, rows)
    division = divide(dataset, DEFAULTS)
    for number in range(20):
        assert len(set(splits_of(division, number, 60 + number))) == 1
    for first in range(80, 100, 4):
        assert len(set(splits_of(division, *range(first, first + 4)))) == 1
    assert division.facts["groups"] == 25
    assert division.facts["moved"] > 0
    assert division.facts["left_out"] == 0


def test_when_near_copies_are_not_known_the_facts_say_so(ana: User) -> None:
    rows = plain_rows(0, 30)
    dataset = stored(ana, rows + rows[:10])
    DatasetProfile.objects.create(dataset=dataset, status=ProfileStatus.FAILED.value)
    division = divide(dataset, DEFAULTS)
    assert (division.facts["protection"], division.facts["groups"]) == ("exact", 10)
    assert all(len(set(splits_of(division, number, 30 + number))) == 1 for number in range(10))


def test_own_files_stay_as_they_are_and_training_rows_that_leak_are_left_out(ana: User) -> None:
    train, validation, test = plain_rows(0, 30), plain_rows(100, 6), plain_rows(200, 6)
    train[3], train[4], validation[2] = validation[1], test[0], test[1]
    division = divide(stored(ana, train, beside={Split.VALIDATION: validation, Split.TEST: test}), DEFAULTS)
    assert division.letters == "ttt--" + "t" * 25 + "vv-vvv" + "eeeeee"
    assert division.facts["source"] == "files"
    assert (division.facts["moved"], division.facts["left_out"]) == (0, 3)
    assert division.facts["rows"] == {"train": 28, "validation": 5, "test": 6}


def test_a_file_that_was_not_sent_is_taken_from_the_training_rows(ana: User) -> None:
    division = divide(stored(ana, plain_rows(0, 85), beside={Split.TEST: plain_rows(100, 30)}), DEFAULTS)
    assert division.facts["rows"] == {"train": 70, "validation": 15, "test": 30}
    assert division.letters.endswith("e" * 30)


def test_rows_that_are_left_out_do_not_count_as_moved_all_others(ana: User) -> None:
    train, test = plain_rows(0, 85), plain_rows(100, 30)
    train[0] = test[0]
    facts = divide(stored(ana, train, beside={Split.TEST: test}), DEFAULTS).facts
    assert facts["left_out"] == 1
    assert facts["moved"] <= 3  # the sizes of one class are one row smaller


def test_an_uploaded_manifest_comes_before_the_files(ana: User) -> None:
    dataset = stored(ana, plain_rows(0, 12), beside={Split.TEST: plain_rows(100, 6)})
    letters = "tttttttvve-e" + "vetttt"
    DatasetManifest.objects.create(dataset=dataset, letters=pack_letters(letters), original_name="divisao.csv")
    division = divide(dataset, DEFAULTS)
    assert (division.letters, division.facts["source"]) == (letters, "manifest")
    assert division.facts["left_out"] == 0  # the user left that row out, not the protection


@pytest.mark.parametrize(
    "shares", [{"train_split": 0.5, "test_split": 0.1}, {"validation_split": 0.2, "test_split": 0.3}]
)
def test_named_shares_are_kept(ana: User, shares: dict[str, Any]) -> None:
    settings = Hyperparameters(**shares)
    rows = divide(stored(ana, plain_rows(0, 60)), settings).facts["rows"]
    assert [rows[split.value] for split in Split] == [round(60 * settings.shares.of(split)) for split in Split]


def test_groups_that_leave_a_split_empty_are_an_error_with_the_reason(ana: User) -> None:
    rows = [(*row, f"processo {index % 2}") for index, row in enumerate(plain_rows(0, 12))]
    with pytest.raises(InvalidRun, match="2"):
        divide(stored(ana, rows), DEFAULTS)


def test_a_run_keeps_its_division_and_a_reproduction_takes_it_over(ana: User) -> None:
    rows = plain_rows(0, 30)
    run = make_run(ana, stored(ana, rows + rows[:3]))
    assert division_of(run).facts["groups"] == 3
    assert division_of(reproduce_run(run, owner=ana)) == division_of(run)


def test_the_worker_gets_the_bytes_that_the_digest_names(ana: User) -> None:
    run = make_run(ana, stored(ana, plain_rows(0, 20), beside={Split.TEST: plain_rows(100, 4)}))
    content = manifest_for_worker(run)
    assert sha256(content).hexdigest() == run.split_digest
    assert content.endswith(b"20000005\ttest\n")


def test_groups_that_leave_a_class_untrained_are_an_error_that_names_it(ana: User) -> None:
    rows: Rows = [(text(number), LABELS[number % 3], LABELS[number % 3]) for number in range(60)]
    with pytest.raises(InvalidRun) as refusal:
        divide(stored(ana, rows), DEFAULTS)
    assert sum(label in refusal.value.message for label in LABELS) == 2
    assert divide(stored(ana, [(*row[:2], str(number)) for number, row in enumerate(rows)]), DEFAULTS).train_rows == 42
