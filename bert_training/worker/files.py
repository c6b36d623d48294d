"""Writes small state files so that a crash or a reader in between never sees half of one."""

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

# On Windows a file that somebody reads at this moment cannot be replaced; readers take well under 10 ms.
REPLACE_TRIES = 20
REPLACE_WAIT_SECONDS = 0.01


def write_json(path: Path, content: Any, *, durable: bool = False) -> None:
    """Replace `path` by `content` in one move. `durable` survives a power cut (some milliseconds)."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.new")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(content, file)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        replace_file(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the object in `path`; None when there is no such file or no object in it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def replace_file(source: Path, target: Path) -> None:
    """Move `source` over `target`."""
    for _ in range(REPLACE_TRIES):
        try:
            source.replace(target)
        except PermissionError:
            time.sleep(REPLACE_WAIT_SECONDS)
        else:
            return
    source.replace(target)
