"""What a supervisor and its trainer share: the words of the orders, and the file of an attempt. Loads nothing more."""

from pathlib import Path

CONTINUE, FINISH, RELEASE, CANCEL = "continue", "finish", "release", "cancel"
_STRENGTH = (CONTINUE, FINISH, RELEASE, CANCEL)


class OrderBox:
    """The strongest order so far."""

    def __init__(self) -> None:
        self.current = CONTINUE

    def put(self, word: str) -> None:
        """Take an order; an unknown or weaker one changes nothing."""
        if word in _STRENGTH and _STRENGTH.index(word) > _STRENGTH.index(self.current):
            self.current = word


def spool_path(folder: Path, attempt: int) -> Path:
    """Return the file that holds log, metrics and predictions of an attempt."""
    return folder / f"attempt-{attempt}.jsonl"
