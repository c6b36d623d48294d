"""Reads the example run as it was written down by `manage.py record_example`."""

import json
from functools import cache
from pathlib import Path
from typing import Any

EXAMPLE_FILE = Path(__file__).with_name("recorded.json")
TASK = "text-classification"


@cache
def recorded_run() -> dict[str, Any]:
    """Return all that is known of the example run; nobody changes it."""
    content: dict[str, Any] = json.loads(EXAMPLE_FILE.read_text(encoding="utf-8"))
    return content
