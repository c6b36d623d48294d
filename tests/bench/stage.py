"""A filled portal with real processes for a benchmark: PostgreSQL, Valkey and S3, or SQLite with TEST_EMBEDDED=1.

Settings are those of an installation (README), not the short leases of the tests. The janitor leaves nothing running.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bert_training.demo.client import PortalClient
from bert_training.demo.processes import MANAGE
from tests.janitor import the_janitor
from tests.processes import Product
from tests.services import FIXED, IS_EMBEDDED, PROXIES, UNSET, start_servers

SETTING = "SQLite, in-memory channel layer, files on disk" if IS_EMBEDDED else "PostgreSQL, Valkey and an S3 server"
FEW_LINES, MANY_LINES = 10, 10_000
FEW_RUNS, MANY_RUNS = 10, 2_000
SEED = f"from tests.bench.seed import main; main(lines=({FEW_LINES}, {MANY_LINES}), runs=({FEW_RUNS}, {MANY_RUNS}))"


@dataclass(frozen=True)
class Stage:
    """A product whose web server runs. `rows`: the numbers and session cookies that tests/bench/seed.py printed."""

    product: Product
    client: PortalClient
    rows: dict[str, Any]


def forget_settings() -> None:
    """Take away what this machine may have set: another portal's database, proxies."""
    for name in (*UNSET, *PROXIES):
        os.environ.pop(name, None)
    os.environ["SECRET_KEY"] = FIXED["SECRET_KEY"]


@contextmanager
def open_stage() -> Iterator[Stage]:
    """Start servers and portal in a folder of their own, fill it, and stop all afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="bert-bench-")).resolve()
    the_janitor().remove(folder)
    if not IS_EMBEDDED:
        os.environ.update(start_servers(folder))
    home = folder / "portal"
    home.mkdir()
    product = Product(home)
    try:
        manage(product.environment, "collectstatic", "--no-input", "-v", "0")
        rows = json.loads(manage(product.environment, "shell", "-v", "0", "-c", SEED).splitlines()[-1])
        product.start_web()
        yield Stage(product, PortalClient(product.base_url, product.accounts["token"]), rows)
    finally:
        product.stop()


def manage(environment: Mapping[str, str], *arguments: str) -> str:
    """Run a management command; returns what it printed."""
    done = subprocess.run([*MANAGE, *arguments], env=dict(environment), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"manage.py {arguments[0]} ended with {done.returncode}: {done.stderr[-4000:]}")
    return done.stdout
