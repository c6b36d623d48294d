"""A text file that is appended to, one write a batch, and put aside when it is large: name.log, name.log.1, ..."""

import contextlib
import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

from bert_training.worker.files import replace_file

FILE_BYTES = 20 * 1024 * 1024  # some 200,000 lines: an editor still opens it
KEPT = 5  # files put aside, so that a log never takes more than 120 MiB

_WRITING = threading.Lock()  # several threads of this process append, one drops lines


class LogFile:
    """One such file. Only one process may append to it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, text: str) -> None:
        """Append all of it or, when the disk is full, nothing of it. Raises OSError."""
        content = text.encode("utf-8", "replace")
        with _WRITING:
            self._append(content)

    def _append(self, content: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError):  # on Windows open in somebody's editor: then it grows a little more
            self._put_aside_when_full(len(content))
        with self.path.open("ab", buffering=0) as file:
            before = file.seek(0, os.SEEK_END)
            if file.write(content) < len(content):
                file.truncate(before)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))

    def drop_lines(self, is_unwanted: Callable[[str], bool]) -> None:
        """Take lines out, also from what was put aside. Raises OSError; each file is whole before and after."""
        with _WRITING:
            for path in [self.path, *(self._aside(number) for number in range(1, KEPT + 1))]:
                if path.exists():
                    _rewrite(path, is_unwanted)

    def _put_aside_when_full(self, more: int) -> None:
        if not self.path.exists() or self.path.stat().st_size + more <= FILE_BYTES:
            return
        for number in range(KEPT - 1, 0, -1):
            if self._aside(number).exists():
                self._aside(number).replace(self._aside(number + 1))
        self.path.replace(self._aside(1))

    def _aside(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")


def _rewrite(path: Path, is_unwanted: Callable[[str], bool]) -> None:
    rest = path.with_name(f"{path.name}.rest")
    with path.open("rb") as old, rest.open("wb") as new:
        new.writelines(line for line in old if not is_unwanted(line.decode("utf-8", "replace")))
    replace_file(rest, path)
