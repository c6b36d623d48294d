"""Finds the Chromium that the tests drive, and installs one when there is none: `python -m tests.chromium`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APT_COMMANDS = (
    ["apt-get", "update", "-q"],  # a fresh image has no package lists
    ["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"],
)
ADVICE = (
    "No Chromium was found and none could be installed. Install it (Debian: sudo apt-get install chromium), "
    "or name one with CHROMIUM=/path/to/chromium."
)


def find_chromium() -> Path | None:
    """Return CHROMIUM, the system's Chromium or Chrome, or the one that Playwright has downloaded; None without any."""
    named = os.environ.get("CHROMIUM")
    if named:
        return Path(named)
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    return Path(found) if found else _downloaded_chromium()


def _downloaded_chromium() -> Path | None:
    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return path if path.exists() else None


def install_chromium() -> None:
    """Install by apt where this is root's to do, else into Playwright's own folder (root is not needed there)."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in APT_COMMANDS:
            if subprocess.run(command, env=environment).returncode:
                break
    if not find_chromium():
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"])


def main() -> None:
    """Make sure that there is a Chromium, or end with a sentence that says what to do."""
    if not find_chromium():
        install_chromium()
    chromium = find_chromium()
    if not chromium or not chromium.exists():
        sys.exit(ADVICE)
    print(f"Chromium for the browser tests: {chromium}")


if __name__ == "__main__":
    main()
