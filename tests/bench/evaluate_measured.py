"""What a measurement of the benchmark `evaluate` prints, and how its process passes it on."""

import json
import resource
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Measured:
    """seconds: of the processor.  peak_bytes: of the process, with imports and the answers themselves."""

    seconds: float
    replicates: int
    peak_bytes: int


def print_measured(judge: Callable[[], None], replicates: int) -> None:
    """Measure one call and print it as JSON."""
    began = time.process_time()
    judge()
    seconds = time.process_time() - began
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(asdict(Measured(seconds, replicates, peak_bytes))))
