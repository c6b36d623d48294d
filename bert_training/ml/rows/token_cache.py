"""Keeps encoded rows on disk between runs: whole or not at all, and believed only with the right digest.

Token ids are the text in other letters: who protects or deletes a table must do the same with these. Plain arrays, no
pickle.
"""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers
from numpy.typing import NDArray

from bert_training.data.digest import file_digest
from bert_training.ml.job import TrainingJob
from bert_training.ml.keeping.folders import whole_folder
from bert_training.ml.rows.encoded_rows import EncodedRows, Ragged, field_names
from bert_training.ml.rows.row_store import RowStore
from bert_training.ml.task_network import TaskNetwork

FORMAT = 1
MANIFEST = "manifest.json"
ORDER = "order"  # of the rows in the files, which is that of the run that has written them
SPARE_BYTES = 1 << 30  # must stay free: a cache is not what fills a disk
ROWS_PER_UPDATE = 1000


class CacheDamaged(Exception):
    """What is kept is not what was written; the message says in what."""


class NoRoom(Exception):
    """The disk has no room to keep these rows."""


def cache_key(job: TrainingJob, network: TaskNetwork[Any]) -> str:
    """Name all that encoded rows depend on: content of the rows, labels, tokenizer, format. SHA-256.

    About 0.1 s for 132,373 reviews.
    """
    backend = network.tokenizer.backend_tokenizer
    facts = [FORMAT, tokenizers.__version__, network.example_class.__qualname__, job.label_names]
    digest = hashlib.sha256(json.dumps(facts).encode())
    digest.update(hashlib.sha256(backend.to_str().encode()).digest())
    for column in job.table.columns.difference(["row"]):
        values = job.table[column]
        for start in range(0, len(values), ROWS_PER_UPDATE):
            rows = values.iloc[start : start + ROWS_PER_UPDATE].tolist()
            digest.update(json.dumps([column, rows], default=list).encode())
    return digest.hexdigest()


@dataclass(frozen=True)
class KeptRows:
    """What was kept, mapped from disk. order: as a store's.  wordless: words that became no token."""

    order: NDArray[np.int64]
    rows: EncodedRows[Any]
    wordless: int


def read_rows(folder: Path, example_class: type[Any], row_count: int) -> KeptRows | None:
    """Return what is kept in `folder`; None when nothing is.

    Raises CacheDamaged. Reads every byte once: about a second a gigabyte.
    """
    if not folder.is_dir():
        return None
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if manifest["sha256"] != _digests(folder):
            raise CacheDamaged("a file has not the digest that the manifest names")
        order = _array(folder, ORDER)
        columns = {
            name: Ragged(_array(folder, name), _array(folder, f"{name}.offsets")) for name in field_names(example_class)
        }
        wordless = int(manifest["wordless"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CacheDamaged(f"it cannot be read ({type(error).__name__})") from error
    if len(order) != row_count:
        raise CacheDamaged(f"it has {len(order):,} rows, not {row_count:,}")
    os.utime(folder / MANIFEST)  # what is not used goes first
    return KeptRows(order, EncodedRows(example_class, columns), wordless)


def write_rows(folder: Path, store: RowStore[Any], wordless: int) -> None:
    """Keep the rows of a complete store, one at least. Raises NoRoom, or OSError."""
    columns = [column for block in store.blocks for column in block.columns.values()]
    needed = sum(column.values.nbytes + column.offsets.nbytes for column in columns)
    folder.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder.parent).free
    if free < needed + SPARE_BYTES:
        raise NoRoom(f"they take {needed / 2**20:,.0f} MiB and the disk has {free / 2**20:,.0f} MiB free")
    with whole_folder(folder) as unfinished:
        np.save(unfinished / f"{ORDER}.npy", store.order, allow_pickle=False)
        for name in store.blocks[0].columns:
            _write_column(unfinished, name, [block.columns[name] for block in store.blocks])
        manifest = {"sha256": _digests(unfinished), "wordless": wordless}
        (unfinished / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def _write_column(folder: Path, name: str, parts: list[Ragged]) -> None:
    """Write parts behind each other, without a copy of them all in memory."""
    lengths = np.concatenate([part.lengths for part in parts])
    np.save(folder / f"{name}.offsets.npy", np.concatenate([[0], lengths.cumsum()]), allow_pickle=False)
    header = {"descr": parts[0].values.dtype.str, "fortran_order": False, "shape": (int(lengths.sum()),)}
    with (folder / f"{name}.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for part in parts:
            file.write(part.values.data)


def _digests(folder: Path) -> dict[str, str]:
    return {path.name: file_digest(path) for path in sorted(folder.iterdir()) if path.name != MANIFEST}


def _array(folder: Path, name: str) -> NDArray[Any]:
    # asarray: slices of a plain array are made four times faster than those of a memmap
    return np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))
