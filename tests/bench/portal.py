"""The portal under load, part by part: `make bench BENCH=portal`, or `python -m tests.bench.portal portal_claims`.

Each part runs in a process of its own, with Django set up on an empty migrated database of its own, so that no part
pays for what another left behind.
"""

import importlib
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import django
from django.core.management import call_command

from tests.bench.frame import PROJECT_FOLDER, Figure, report
from tests.bench.stage import SETTING, forget_settings
from tests.janitor import the_janitor
from tests.processes import make_database
from tests.services import IS_EMBEDDED, start_servers

# Modules beside this one. Each has NOTES: str, how it was done, and measure() -> list[Figure].
PARTS = ("portal_claims", "portal_stalls", "portal_ingestion", "portal_viewers", "portal_fleet")


def main(wanted: Sequence[str]) -> None:
    """Measure all parts, or only print some."""
    measure_parts("portal", wanted or PARTS, is_kept=not wanted)


def measure_parts(name: str, names: Sequence[str], *, is_kept: bool = True) -> None:
    """Measure parts one after the other and report them as one table, which only is printed unless it is kept."""
    forget_settings()
    folder = Path(tempfile.mkdtemp(prefix="bert-bench-")).resolve()
    the_janitor().remove(folder)
    if not IS_EMBEDDED:
        os.environ.update(start_servers(folder))
    parts = [_measure_alone(part, folder) for part in names]
    notes = "\n\n".join([f"Portal on {SETTING}.", *(notes for notes, _ in parts)])
    figures = [figure for _, figures in parts for figure in figures]
    report(f"{name}_embedded" if IS_EMBEDDED else name, notes, figures, folder=PROJECT_FOLDER if is_kept else folder)


def _measure_alone(part: str, folder: Path) -> tuple[str, list[Figure]]:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as executor:
        return executor.submit(measure_part, part, folder / part).result()


def measure_part(part: str, folder: Path) -> tuple[str, list[Figure]]:
    """Make Django ready on an empty database, then measure one part; returns its notes and figures."""
    folder.mkdir()
    own = {"DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "portal.settings"}
    os.environ.update(own if IS_EMBEDDED else own | {"DATABASE_URL": make_database(part)})
    django.setup()
    call_command("migrate", verbosity=0)
    module = importlib.import_module(f"tests.bench.{part}")
    return module.NOTES, module.measure()


if __name__ == "__main__":
    main(sys.argv[1:])
