"""The commands that connect a PC: from the unpacked program to the first sign of life, for Windows and for Linux."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from bert_training.services.worker_program import FOLDER, torch_version

TOKEN_FILE = "token.txt"  # noqa: S105 - the name of a file that the reader of the page makes
# On Windows the usual torch has no CUDA; on Linux it has.
CUDA_INDEX = "https://download.pytorch.org/whl/cu130"
ZIP = f"{FOLDER}.zip"


@dataclass(frozen=True)
class Step:
    """One step at a terminal. name: unique on the page."""

    name: str
    title: str
    commands: str


def windows_steps(*, api_url: str, token: str) -> list[Step]:
    """Return the steps for PowerShell, which does not run a script to activate an environment by default."""
    python, pip = r".venv\Scripts\python", r".venv\Scripts\pip"
    keep = f"Set-Content -Path {TOKEN_FILE} -Value '{token}' -Encoding ascii"
    mine = f'icacls {TOKEN_FILE} /inheritance:r /grant:r "${{env:USERNAME}}:(R,W)"'
    install = [
        "py -m venv .venv",
        f"{pip} install torch=={torch_version()} --index-url {CUDA_INDEX}",
        rf"{pip} install -r requirements\worker.txt",
    ]
    return [
        _unpacking("windows-unpack", [f"Expand-Archive {ZIP} -DestinationPath {FOLDER}", f"cd {FOLDER}"]),
        _installing("windows-install", install),
        _keeping("windows-token", [keep, mine]),
        _starting("windows-start", python, api_url),
    ]


def linux_steps(*, api_url: str, token: str) -> list[Step]:
    """Return the steps for bash."""
    install = ["python3 -m venv .venv", ".venv/bin/pip install -r requirements/worker.txt"]
    return [
        _unpacking("linux-unpack", [f"python3 -m zipfile -e {ZIP} {FOLDER}", f"cd {FOLDER}"]),
        _installing("linux-install", install),
        _keeping("linux-token", [f"(umask 077; echo '{token}' > {TOKEN_FILE})"]),
        _starting("linux-start", ".venv/bin/python", api_url),
    ]


def _unpacking(name: str, commands: list[str]) -> Step:
    return Step(name, _("Unpack the program, in the folder where the file was saved"), "\n".join(commands))


def _installing(name: str, commands: list[str]) -> Step:
    return Step(name, _("Install what it needs: some minutes and several GB"), "\n".join(commands))


def _keeping(name: str, commands: list[str]) -> Step:
    return Step(name, _("Keep the token in a file that only you can read"), "\n".join(commands))


def _starting(name: str, python: str, api_url: str) -> Step:
    allows = "" if api_url.startswith("https://") else " --allow-http"
    command = f"{python} -m bert_training.worker --api-url {api_url} --token-file {TOKEN_FILE}{allows}"
    return Step(name, _("Start it, and leave the window open"), command)
