"""Fetches the table of a job once and keeps it. Training never starts on bytes whose digest is not the stated one."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

from bert_training.contract.enums import ErrorCode
from bert_training.contract.messages import DatasetReference
from bert_training.data.digest import file_digest
from bert_training.worker.client import PortalClient, Refused, Unavailable
from bert_training.worker.files import replace_file
from bert_training.worker.retry import GaveUp, Retrier

TRIES = 3
SPARE_BYTES = 64 * 1024 * 1024  # must stay free beside the table, for logs

logger = logging.getLogger(__name__)


class DatasetCorrupt(Exception):
    """What arrives is not what the portal said, time and again."""


class DatasetGone(Exception):
    """The portal no longer has the file."""


class DiskFull(Exception):
    """There is no room for the table."""


class DatasetCache:
    """Tables by their digest."""

    def __init__(self, folder: Path, client: PortalClient, retrier: Retrier) -> None:
        self._folder = folder
        self._client = client
        self._retrier = retrier

    def fetch(self, dataset: DatasetReference, *, give_up: Callable[[], bool]) -> Path:
        """Return the verified table, downloaded if need be.

        Raises DatasetCorrupt, DatasetGone, DiskFull; Refused as the client does; GaveUp when `give_up` turns true.
        """
        self._folder.mkdir(parents=True, exist_ok=True)  # somebody who needed room may have removed it
        path = self._folder / f"{dataset.table_sha256}.parquet"
        if path.exists() and file_digest(path) == dataset.table_sha256:
            path.touch()  # what is not used for a week is cleaned up
            return path
        part = path.with_suffix(".part")
        for attempt in range(1, TRIES + 2):  # the first may continue an old part, the others begin anew
            self._check_space(dataset)
            self._download(dataset, part, give_up=give_up)
            if file_digest(part) == dataset.table_sha256:
                replace_file(part, path)
                return path
            logger.warning("dataset %d arrived damaged (try %d of %d)", dataset.id, attempt, TRIES + 1)
            part.unlink()
        raise DatasetCorrupt(
            f"Dataset {dataset.id} arrived damaged {TRIES + 1} times: the SHA-256 is not {dataset.table_sha256[:12]}. "
            "Ask the administrator whether the stored file was changed, or whether a proxy alters downloads."
        )

    def _download(self, dataset: DatasetReference, part: Path, *, give_up: Callable[[], bool]) -> None:
        try:
            self._retrier.call(lambda: self._read_on(dataset, part, give_up), what="download", give_up=give_up)
        except Refused as error:
            if error.status == 416:  # the part is longer than the table: start over
                part.write_bytes(b"")
            elif error.code == ErrorCode.DATASET_GONE:
                raise DatasetGone(f"The portal no longer has the file of dataset {dataset.id}.") from error
            else:
                raise

    def _read_on(self, dataset: DatasetReference, part: Path, give_up: Callable[[], bool]) -> None:
        """Append what is missing. Never takes more than the stated size, whatever is sent."""
        part.touch()
        have = part.stat().st_size
        if have >= dataset.table_bytes:
            return
        with self._client.download_table(dataset.id, offset=have, table_sha256=dataset.table_sha256) as table:
            have = have if table.is_partial else 0
            with part.open("ab" if have else "wb") as file:
                for chunk in table.chunks:
                    file.write(chunk[: dataset.table_bytes - have])
                    have += len(chunk)
                    if have > dataset.table_bytes:
                        return  # the digest will tell
                    if give_up():
                        raise GaveUp("download")
        if have < dataset.table_bytes:
            raise Unavailable(f"The download ended after {have} of {dataset.table_bytes} bytes.")

    def _check_space(self, dataset: DatasetReference) -> None:
        free = shutil.disk_usage(self._folder).free
        if free < dataset.table_bytes + SPARE_BYTES:
            raise DiskFull(
                f"The table of dataset {dataset.id} needs {dataset.table_bytes} bytes and {self._folder} has {free} "
                "free: make room there, or give another --models-dir."
            )
