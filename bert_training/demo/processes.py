"""The four commands that make up a running product: prepare, web server, background cluster, worker."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bert_training.demo.children import Child

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
MANAGE = (sys.executable, str(PROJECT_FOLDER / "manage.py"))

# Settings of another portal or worker on this machine: the demo must neither use nor change what they name.
FOREIGN_SETTINGS = (
    *("SECRET_KEY", "DEBUG", "ALLOWED_HOSTS", "BASE_URL", "BEHIND_PROXY", "EMAIL_URL"),
    *("DATABASE_URL", "REDIS_URL", "STORAGE_URL", "DATA_DIR"),
    *("LEASE_SECONDS", "HEARTBEAT_SECONDS", "TICK_SECONDS", "AFFINITY_SECONDS", "REQUEST_SECONDS"),
    "LOCK_TIMEOUT_SECONDS",
    *("BERT_API_URL", "BERT_TOKEN", "BERT_MODELS_DIR"),
)


class PrepareFailed(Exception):
    """The database, the accounts or the example could not be made; the message carries what was printed."""


def demo_environment(folder: Path, *, port: int) -> dict[str, str]:
    """Return the settings of a portal that keeps everything below `folder` and touches nothing of the user's."""
    kept = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in FOREIGN_SETTINGS}
    return kept | {
        "DATA_DIR": str(folder),
        "SECRET_KEY_FILE": str(folder / "secret_key"),
        "BASE_URL": f"http://127.0.0.1:{port}",
        "PYTHONPATH": str(PROJECT_FOLDER),
        "PYTHONUNBUFFERED": "1",
    }


def prepare(environment: Mapping[str, str]) -> dict[str, Any]:
    """Make the database, accounts and tokens; returns what `prepare_demo` prints."""
    accounts: dict[str, Any] = json.loads(_command(environment, "prepare_demo").splitlines()[-1])
    return accounts


def load_example(environment: Mapping[str, str]) -> str:
    """Load the example run; returns what the command says of it."""
    return _command(environment, "load_example").strip()


def _command(environment: Mapping[str, str], name: str) -> str:
    """Run a management command; returns what it prints. Raises PrepareFailed."""
    command = [*MANAGE, name]
    done = subprocess.run(command, env=dict(environment), cwd=PROJECT_FOLDER, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise PrepareFailed(done.stderr[-4000:])
    return done.stdout


def start_web(environment: Mapping[str, str], *, port: int, log: Path) -> Child:
    """Start the web server."""
    command = [sys.executable, "-m", "portal.server", "--port", str(port)]
    return Child("web server", command, environment=environment, log=log)


def start_background(environment: Mapping[str, str], *, log: Path) -> Child:
    """Start the cluster for background work."""
    return Child("background cluster", [*MANAGE, "qcluster"], environment=environment, log=log)


def start_worker(environment: Mapping[str, str], *options: str, log: Path) -> Child:
    """Start a worker; it is told where the portal is by `environment` (BERT_API_URL, BERT_TOKEN, BERT_MODELS_DIR).

    It leaves one core to web server and browser, which would otherwise stutter while it trains.
    """
    command = [*MANAGE, "run_worker", *options]
    threads = str(max(1, (os.cpu_count() or 1) - 1))
    return Child("worker", command, environment={"OMP_NUM_THREADS": threads, **environment}, log=log)


def is_ready(base_url: str) -> bool:
    """Tell whether a portal answers and everything that it stands on is usable."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{base_url}/health/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
