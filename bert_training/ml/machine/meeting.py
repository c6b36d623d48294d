"""How processes that train together are told of each other: the variables of torchrun, and a file to meet at.

Knows no torch, so that whoever starts them need not load it.
"""

import os
from collections.abc import Mapping

MEETING_FILE = "BERT_MEETING_FILE"  # where processes of one machine find each other, instead of at a port


def is_follower(environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether this process is another than rank 0."""
    return int(environ.get("RANK") or 0) > 0


def is_launched(environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether a person started these processes with torchrun or accelerate: there is no supervisor."""
    return "WORLD_SIZE" in environ and MEETING_FILE not in environ


def world_size(environ: Mapping[str, str] = os.environ) -> int:
    """Return how many processes were started together."""
    return int(environ.get("WORLD_SIZE") or 1)
