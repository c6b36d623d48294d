"""Fetches the manifest of a job, which row is for what, beside its table. Its SHA-256 is the job's split_digest."""

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

from bert_training.contract.enums import ErrorCode
from bert_training.contract.messages import ClaimedJob
from bert_training.data.digest import file_digest
from bert_training.worker.client import PortalClient, Refused
from bert_training.worker.dataset_cache import TRIES, DatasetCorrupt, DatasetGone
from bert_training.worker.files import replace_file
from bert_training.worker.retry import GaveUp, Retrier

LINE_BYTES = 24  # "20000002<TAB>validation<LF>" has 20

logger = logging.getLogger(__name__)


class ManifestCache:
    """Manifests by their digest, in the folder of the tables."""

    def __init__(self, folder: Path, client: PortalClient, retrier: Retrier) -> None:
        self._folder = folder
        self._client = client
        self._retrier = retrier

    def fetch(self, job: ClaimedJob, *, give_up: Callable[[], bool]) -> Path | None:
        """Return the verified manifest; None where no digest is stated, or the portal is too old to send one.

        Raises DatasetCorrupt, DatasetGone; Refused as the client does; GaveUp when `give_up` turns true.
        """
        if not job.split_digest:
            return None
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{job.split_digest}.manifest"
        if path.exists() and file_digest(path) == job.split_digest:
            path.touch()  # what is not used for a week is cleaned up
            return path
        for attempt in range(1, TRIES + 1):
            content = self._download(job, give_up=give_up)
            if content is None:
                return None
            if hashlib.sha256(content).hexdigest() == job.split_digest:
                part = path.with_suffix(".part")
                part.write_bytes(content)
                replace_file(part, path)
                return path
            logger.warning("the manifest of job %d arrived damaged (try %d of %d)", job.job_id, attempt, TRIES)
        raise DatasetCorrupt(
            f"The manifest of the run arrived damaged {TRIES} times: the SHA-256 is not {job.split_digest[:12]}. "
            "Ask the administrator whether the stored table was changed, or whether a proxy alters downloads."
        )

    def _download(self, job: ClaimedJob, *, give_up: Callable[[], bool]) -> bytes | None:
        try:
            return self._retrier.call(lambda: self._read(job, give_up), what="manifest", give_up=give_up)
        except Refused as error:
            if error.code == ErrorCode.DATASET_GONE:
                raise DatasetGone(f"The portal no longer has the file of dataset {job.dataset.id}.") from error
            if error.status == 404:  # a portal of before manifests; it would also say so of a job that is not ours
                return None
            raise

    def _read(self, job: ClaimedJob, give_up: Callable[[], bool]) -> bytes:
        """Read the manifest, never much more than the table's rows can have, whatever is sent."""
        content, most = bytearray(), job.dataset.rows * LINE_BYTES
        with self._client.download_manifest(job.job_id) as chunks:
            for chunk in chunks:
                content += chunk
                if len(content) > most:
                    break  # the digest will tell
                if give_up():
                    raise GaveUp("manifest")
        return bytes(content)
