"""Log, metrics and predictions of one attempt as a file that only grows: one JSON record a line.

A line has at most LINE_BYTES, a prediction PREDICTION_BYTES. Its number is its position among the records of its kind.
Trainer and supervisor append to the same file, whole lines by one write; what was synced survives a crash of either and
of the machine.
"""

import errno
import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from bert_training.contract.enums import LogLevel
from bert_training.contract.limits import ENTITIES_PER_ROW, LINE_BYTES, PREDICTION_BYTES
from bert_training.contract.streams import MetricPoint
from bert_training.contract.text import CUT_MARK, clean_line
from bert_training.contract.tokens import TokenMask

LOG = "log"
METRIC = "metric"
PREDICTION = "prediction"
KINDS = (LOG, METRIC, PREDICTION)
READ_BYTES = 1024 * 1024
# Log lines that end beyond it are not sent and not counted, or an endless log would hold up the end of its job. The
# portal, which keeps 256 MiB or a million lines of a run, has said long before that it stores no more.
SENT_LOG_BYTES = 1024**3
WRITE_BYTES = 64 * 1024  # predictions are many, and all there at once: a write each took 1.4 times as long
_BEGIN_OF_PREDICTION = b'{"kind":"prediction",'
_LINE_ENDS = re.compile(r"[\r\n]+")


@dataclass(frozen=True)
class Record:
    """One record as read back; `end` is the offset behind it. An unreadable one has empty content."""

    kind: str
    content: dict[str, Any]
    size: int
    end: int


class SpoolWriter:
    """Appends records. Several writers, also in several processes, may have the same file open."""

    def __init__(self, path: Path, *, guard: bool = os.name == "nt") -> None:
        # O_APPEND makes a write of one line atomic on POSIX; Windows seeks first, so a lock file keeps writers apart.
        self._guard: AbstractContextManager[Any] = FileLock(path.with_suffix(".lock")) if guard else nullcontext()
        self._mask = TokenMask()
        self._file: int | None = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)

    def append_log(self, level: str, message: str, *, ts: datetime) -> None:
        """Append a message, one record for each of its lines; no token gets through."""
        for line in split_lines(message):
            self._append(_encode_log(level, self._mask.hide(line), ts))

    def append_metric(self, point: MetricPoint) -> None:
        """Append the figures of one step."""
        self._append(_encode({"kind": METRIC, **point.model_dump(mode="json")}))

    def append_predictions(self, records: Iterable[Mapping[str, Any]]) -> list[int]:
        """Append predictions, several in one write. Returns the numbers of the rows that are too long to be sent.

        Of such a row only the number is kept, by which a sender knows that this stream will never be whole.
        """
        too_long: list[int] = []
        block = bytearray()
        for record in records:
            line = _encode_prediction(record)
            if line is None:
                too_long.append(record["row"])
                line = _encode({"kind": PREDICTION, "row": record["row"]})
            block += line
            if len(block) >= WRITE_BYTES:
                self._append(bytes(block))
                block.clear()
        if block:
            self._append(bytes(block))
        return too_long

    def sync(self) -> None:
        """Wait until everything appended so far, by any writer, is on the disk."""
        if self._file is not None:
            os.fsync(self._file)

    def close(self) -> None:
        """Sync and close; a second time does nothing."""
        if self._file is not None:
            os.fsync(self._file)
            os.close(self._file)
            self._file = None

    def _append(self, line: bytes) -> None:
        if self._file is None:
            raise ValueError("the spool is closed")
        with self._guard:
            written = os.write(self._file, line)
            if written < len(line):
                # The rest does not fit on the disk. Nobody has appended behind it: the disk is full for all.
                os.ftruncate(self._file, os.fstat(self._file).st_size - written)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class SpoolReader:
    """Reads one kind of record in order, from a cursor that can go back."""

    def __init__(self, path: Path, kind: str, *, offset: int = 0, next_seq: int = 1) -> None:
        self._path = path
        self._kind = kind
        self._limit: float = SENT_LOG_BYTES if kind == LOG else math.inf
        self.offset = offset
        self.next_seq = next_seq

    def read(self, *, end: int, most: int, most_bytes: int) -> list[Record]:
        """Return up to `most` records of our kind that end by the offset `end`; the cursor stays before them."""
        found: list[Record] = []
        size = 0
        for record in self._records(end):
            if record.kind != self._kind:
                if not found:
                    self.offset = record.end  # never read again what is not ours
                continue
            size += record.size
            if found and size > most_bytes:
                break
            found.append(record)
            if len(found) == most:
                break
        return found

    def advance(self, records: list[Record]) -> None:
        """Go behind records that were delivered."""
        if records:
            self.offset = records[-1].end
            self.next_seq += len(records)

    def rewind(self, seq: int, *, end: int) -> None:
        """Go to the record with number `seq`, or behind the last one when there are fewer."""
        self.offset, self.next_seq = 0, 1
        for record in self._records(end):
            if self.next_seq >= seq:
                return
            if record.kind == self._kind:
                self.advance([record])

    def _records(self, end: int) -> Iterator[Record]:
        """Yield the records of all kinds from the cursor to `end`."""
        offset, rest, end = self.offset, b"", int(min(end, self._limit))
        with self._path.open("rb") as file:
            file.seek(offset)
            while block := file.read(max(0, min(READ_BYTES, end - file.tell()))):
                *lines, rest = (rest + block).split(b"\n")
                for line in lines:
                    offset += len(line) + 1
                    yield self._decode(line, offset)

    def _decode(self, line: bytes, end: int) -> Record:
        """Read a record, but of another reader's predictions only how long they are: they are by far the most."""
        if not line.startswith(_BEGIN_OF_PREDICTION):
            return _decode(line, end)
        return Record(PREDICTION, _content(line) if self._kind == PREDICTION else {}, len(line), end)


def mend_file(path: Path) -> None:
    """Cut a last line that a dead writer left without its end. Only when no other writer lives."""
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        window = min(size, 2 * PREDICTION_BYTES)  # of a torn block of predictions the whole ones stay
        file.seek(size - window)
        tail = file.read(window)
        whole = size - len(tail) + tail.rfind(b"\n") + 1
        if whole < size:  # a file that is not touched keeps its age
            file.truncate(whole)


def sync_file(path: Path) -> None:
    """Wait until everything that any process appended to a spool is on the disk."""
    with path.open("r+b") as file:  # Windows syncs only what is open for writing
        os.fsync(file.fileno())


def count_records(path: Path) -> dict[str, int]:
    """Count the records of each kind in a whole spool, as they are sent."""
    counts = {}
    for kind in KINDS:
        reader = SpoolReader(path, kind)
        end = path.stat().st_size
        while records := reader.read(end=end, most=10_000, most_bytes=READ_BYTES):
            reader.advance(records)
        counts[kind] = reader.next_seq - 1
    return counts


def split_lines(message: str) -> list[str]:
    """Split a message where a terminal would begin a new line or write over the old one."""
    return [line for line in _LINE_ENDS.split(message) if line] or [""]


def _encode_log(level: str, message: str, ts: datetime) -> bytes:
    known = level if level in LogLevel.__members__ else LogLevel.INFO.value
    content = {"kind": LOG, "ts": ts.isoformat(timespec="milliseconds"), "level": known, "message": clean_line(message)}
    line = _encode(content)
    while len(line) > LINE_BYTES:  # quotes and escapes grow in JSON; each round takes away what was too much
        excess = len(line) - LINE_BYTES + len(CUT_MARK)
        kept = content["message"].removesuffix(CUT_MARK)
        content["message"] = kept[: -max(excess // 6, 1)] + CUT_MARK
        line = _encode(content)
    return line


def _encode(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def _encode_prediction(record: Mapping[str, Any]) -> bytes | None:
    """Return the line of a prediction, None when the portal would not take it."""
    lists = [value for value in (record["gold"], record["predicted"]) if isinstance(value, list)]
    if any(len(entities) > ENTITIES_PER_ROW for entities in lists):
        return None
    line = _encode({"kind": PREDICTION, **record})
    return line if len(line) <= PREDICTION_BYTES else None


def _decode(line: bytes, end: int) -> Record:
    content = _content(line)
    # What is unreadable is still one line: a stream without it would shift all numbers.
    return Record(METRIC if content.pop("kind", LOG) == METRIC else LOG, content, len(line), end)


def _content(line: bytes) -> dict[str, Any]:
    """Return the fields of a record; none when they cannot be read."""
    try:
        return dict(json.loads(line))
    except (ValueError, TypeError):
        return {}
