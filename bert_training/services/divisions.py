"""Divides a dataset for a run: which row is for training, validation and test, so that no copy stands on both sides.

The user's word comes first: an uploaded manifest, else their own validation and test files, else shares and seed.
"""

import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Never

from django.utils.translation import gettext as _

from bert_training.contract.enums import ErrorCode, Split
from bert_training.data.cells import excerpt
from bert_training.data.profiling.duplicates import exact_groups
from bert_training.data.splitting.manifest import LETTER_OF, SPLIT_OF, manifest_bytes, split_digest
from bert_training.data.splitting.split import SMALLEST_STRATUM, Splits, divide_rows
from bert_training.data.splitting.units import units_of_rows
from bert_training.data.table import GROUP, ROW, SPLIT, Columns
from bert_training.models import Dataset, DatasetManifest, Run, SplitManifest
from bert_training.models.choices import SPLIT_LABELS
from bert_training.services.errors import InvalidRun
from bert_training.services.profiles import clusters_of
from bert_training.services.stored_files import read_table
from bert_training.tasks import TASKS
from bert_training.tasks.hyperparameters.settings import Hyperparameters

CLASSES_NAMED = 10


class Source(StrEnum):
    """Who says which row goes where. Stored with runs: never renamed."""

    SHARES = "shares"
    FILES = "files"
    MANIFEST = "manifest"
    FOLDS = "folds"  # one part of a cross-validation is the test


class Protection(StrEnum):
    """Which copies are kept on one side. Stored with runs: never renamed."""

    NEAR = "near"
    EXACT = "exact"  # near-duplicates are not known


@dataclass(frozen=True)
class Division:
    """The split of a dataset for one run: the manifest as letters, its digest, and what the protection did.

    facts: {"source", "protection", "groups": units of several rows, "moved": rows that are elsewhere than without
    protection, "left_out": rows in no split, "rows": {split: rows}}, of folds also "fold", "folds" and "aside" (test
    rows of the run that is cross-validated); where the dataset continues another one "corrected"
    (services.corrections); empty for runs that are older.
    """

    letters: str
    digest: str
    facts: dict[str, Any]

    @property
    def train_rows(self) -> int:
        """Return how many rows there are to train on."""
        return self.letters.count(LETTER_OF[Split.TRAIN])

    @property
    def rows(self) -> dict[str, int]:
        """Return how many rows each split has."""
        return {split.value: self.letters.count(LETTER_OF[split]) for split in Split}


@dataclass(frozen=True)
class Grounds:
    """What rows are divided by, one entry a row of the table: its stratum, and the unit that it stays with."""

    table: Columns
    strata: Sequence[str]
    units: Sequence[int]
    protection: Protection

    @property
    def rows(self) -> Sequence[int]:
        """Return the number of each row in the spreadsheet."""
        return self.table[ROW]


def grounds_of(dataset: Dataset) -> Grounds:
    """Read what a dataset is divided by. Raises DatasetNotReady while near-duplicates are looked for, DatasetGone."""
    near = clusters_of(dataset)
    table = read_table(dataset)
    spec = TASKS[dataset.task]
    copies = exact_groups(spec.texts(table)) if near is None else near
    units = units_of_rows(copies, table.get(GROUP, []))
    return Grounds(table, spec.strata(table), units, Protection.EXACT if near is None else Protection.NEAR)


def divide(dataset: Dataset, settings: Hyperparameters) -> Division:
    """Divide a dataset as the settings and the user's own files or manifest say. 132,373 rows take about 1.5 s.

    Raises InvalidRun when a split stays empty, DatasetNotReady while near-duplicates are still looked for, DatasetGone.
    """
    grounds = grounds_of(dataset)
    strata, units = grounds.strata, grounds.units
    source, fixed = _fixed_splits(dataset, grounds.table)

    def division_by(units: Sequence[int]) -> Splits:
        return divide_rows(strata, settings.shares, seed=settings.seed, units=units, fixed=fixed)

    splits = division_by(units)
    unprotected = division_by(range(len(units)))
    pairs = list(zip(splits, unprotected, strict=True))
    counts = Counter(splits)
    facts = {
        "source": source.value,
        "protection": grounds.protection.value,
        "groups": sum(1 for rows in Counter(units).values() if rows > 1),
        "moved": sum(1 for split, before in pairs if split is not None and split != before),
        "left_out": sum(1 for split, before in pairs if split is None and before is not None),
        "rows": {split.value: counts[split] for split in Split},
    }
    _require_rows(facts, settings)
    _require_classes(strata, splits)
    letters = "".join(LETTER_OF[split] for split in splits)
    return Division(letters=letters, digest=split_digest(grounds.rows, splits), facts=facts)


def division_of(run: Run) -> Division:
    """Return the division that is stored with a run."""
    manifest = SplitManifest.objects.get(run=run)
    return Division(letters=unpack_letters(manifest.letters), digest=run.split_digest, facts=manifest.facts)


def split_facts(run: Run) -> dict[str, Any]:
    """Return the facts of a run's division without its letters; empty where none are kept."""
    return SplitManifest.objects.filter(run=run).values_list("facts", flat=True).first() or {}


def store_division(run: Run, division: Division) -> None:
    """Store the division of a new run."""
    SplitManifest.objects.create(run=run, letters=pack_letters(division.letters), facts=division.facts)


def manifest_for_worker(run: Run) -> bytes:
    """Write the manifest of a run for the worker; its SHA-256 is the run's split_digest. Raises DatasetGone, ..."""
    rows = read_table(run.dataset, [ROW])[ROW]
    return manifest_bytes(rows, [SPLIT_OF[letter] for letter in division_of(run).letters])


def pack_letters(letters: str) -> bytes:
    """Compress the letters of a manifest for the database: 132,373 rows take about 26 kB."""
    return zlib.compress(letters.encode("ascii"), level=9)


def unpack_letters(packed: bytes | memoryview) -> str:
    """Read what pack_letters wrote."""
    return zlib.decompress(packed).decode("ascii")


def _fixed_splits(dataset: Dataset, table: Columns) -> tuple[Source, Splits | None]:
    manifest = DatasetManifest.objects.filter(dataset=dataset).first()
    if manifest is not None:
        return Source.MANIFEST, [SPLIT_OF[letter] for letter in unpack_letters(manifest.letters)]
    if SPLIT in table:
        return Source.FILES, [Split(split) for split in table[SPLIT]]
    return Source.SHARES, None


def _require_classes(strata: Sequence[str], splits: Splits) -> None:
    """Refuse a division in which a class has rows to be judged by and none to be learned from.

    Types of entities with fewer rows than there are splits are lost now and then; the check has said so.
    """
    counts = Counter(strata)
    trained = {stratum for stratum, split in zip(strata, splits, strict=True) if split == Split.TRAIN}
    judged = {stratum for stratum, split in zip(strata, splits, strict=True) if split not in (Split.TRAIN, None)}
    missing = sorted(name for name in judged - trained if counts[name] >= SMALLEST_STRATUM)
    if missing:
        message = _(
            "No row of %(classes)s is left for training: the rows that must stay together, or the split that you gave, "
            "put all of them elsewhere. Choose another column of groups, or another split."
        )
        _refuse_shares(message % {"classes": ", ".join(excerpt(name) for name in missing[:CLASSES_NAMED])})


def _require_rows(facts: dict[str, Any], settings: Hyperparameters) -> None:
    """Refuse a division in which a split has no rows: such a run could not be trained or judged."""
    empty = [name for name, rows in facts["rows"].items() if not rows]
    if not empty:
        return
    if facts["left_out"]:
        message = _(
            "No row is left for %(split)s: %(left_out)s rows were left out, because rows of the same group, or nearly "
            "the same, are in another split that comes first."
        )
    elif facts["groups"]:
        message = _(
            "No row is left for %(split)s: the groups of rows that must stay together (%(groups)s) are too large."
        )
    else:
        message = _("With train_split %(share)s no row is left for %(split)s; the dataset has %(rows)s rows.")
    values = {
        "split": SPLIT_LABELS[empty[0]],
        "share": settings.train_split,
        "rows": sum(facts["rows"].values()),
    }
    _refuse_shares(message % {**facts, **values})


def _refuse_shares(message: str) -> Never:
    errors = [{"path": "hyperparameters.train_split", "message": message}]
    raise InvalidRun(ErrorCode.INVALID_FIELD, message, errors=errors)
