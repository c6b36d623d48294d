"""The import doctor in figures: `make bench BENCH=import`, or `python -m tests.bench.import import_reading`."""

import importlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench.frame import PROJECT_FOLDER, report
from tests.janitor import the_janitor

# Modules beside this one. Each has NOTES: str, how it was done, and measure_part() -> list[Figure].
PARTS = ("import_reading", "import_hostile", "import_crowd", "import_faults")


def main(wanted: Sequence[str]) -> None:
    """Measure the parts one after the other and report them as one table; some parts alone are only printed."""
    parts = [importlib.import_module(f"tests.bench.{part}") for part in wanted or PARTS]
    figures = [figure for part in parts for figure in part.measure_part()]
    folder = PROJECT_FOLDER
    if wanted:
        folder = Path(tempfile.mkdtemp(prefix="bert-bench-")).resolve()
        the_janitor().remove(folder)
    report("import", "\n\n".join(part.NOTES for part in parts), figures, folder=folder)


if __name__ == "__main__":
    main(sys.argv[1:])
