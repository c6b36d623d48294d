"""Takes the pictures of the README: `make screenshots`. A portal of its own, full of examples, in docs/pictures.

Nothing of it is a test, and nothing of yours is touched: database and files lie in a folder that goes afterwards.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.browser import sign_in
from tests.chromium import find_chromium
from tests.servers import free_port

PROJECT = Path(__file__).resolve().parents[1]
PICTURES = PROJECT / "docs/pictures"
WINDOW = {"width": 1280, "height": 900}
MOST_BYTES = 200_000  # of a picture in a repository
START_SECONDS = 60.0
# name of the file -> who looks, at which address, with which rows of tests/full_house.py in it
SHOTS = {
    "home": ("ana", "/"),
    "dataset": ("ana", "/datasets/{texts}"),
    "training": ("ana", "/runs/{running}"),
    "result": ("ana", "/runs/{result}"),
    "queue": ("root", "/queue"),
    "computers": ("root", "/workers"),
    "admin": ("root", "/admin/"),
}
# Run in the portal's own environment: Django reads its settings once a process.
FURNISH = """
import django, json; django.setup()
from tests.full_house import furnish, weeks_of_work
from tests.personas import PASSWORD
house = furnish(); weeks_of_work(house)
print(json.dumps({"password": PASSWORD, "rows": {name: row.pk for name, row in house.rows.items()}}))
"""


def main() -> None:
    """Take all pictures."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bert-pictures-") as folder, portal(Path(folder)) as (base_url, made):
        take(base_url, **made)


@contextmanager
def portal(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Run a portal on SQLite below a folder; yields its address, its password and the numbers of its rows."""
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "DATA_DIR": str(folder), "DEBUG": "1", "BASE_URL": base_url}
    environment |= {"PYTHONPATH": str(PROJECT), "DJANGO_SETTINGS_MODULE": "portal.settings", "LEASE_SECONDS": "3600"}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=PROJECT, env=environment, check=True)
    furnish = [sys.executable, "-c", FURNISH]
    made = subprocess.run(furnish, cwd=PROJECT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    server = [sys.executable, "-m", "portal.server", "--port", str(port)]
    process = subprocess.Popen(server, cwd=PROJECT, env=environment, stderr=subprocess.DEVNULL)
    try:
        await_portal(base_url)
        yield base_url, json.loads(made.stdout.splitlines()[-1])
    finally:
        process.terminate()
        process.wait()


def await_portal(base_url: str) -> None:
    """Wait until it answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(f"{base_url}/health/live", timeout=5):
            return
        time.sleep(0.2)
    raise TimeoutError(f"The portal at {base_url} did not answer within {START_SECONDS:.0f} s.")


def take(base_url: str, *, password: str, rows: dict[str, int]) -> None:
    """Open each page as its reader and save what is seen."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        pages: dict[str, Page] = {}
        for name, (who, address) in SHOTS.items():
            if who not in pages:
                options: dict[str, Any] = {"base_url": base_url, "locale": "pt-BR", "viewport": WINDOW}
                pages[who] = browser.new_page(**options)
                sign_in(pages[who], user=who, password=password)
            save(pages[who], address.format(**rows), PICTURES / f"{name}.png")
        browser.close()


def save(page: Page, address: str, target: Path) -> None:
    """Save the window as a small picture."""
    page.goto(address)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=target)
    size = target.stat().st_size
    print(f"{target.relative_to(PROJECT)}: {size:,} bytes")
    if size > MOST_BYTES:
        raise ValueError(f"{target} is larger than {MOST_BYTES:,} bytes.")


if __name__ == "__main__":
    main()
