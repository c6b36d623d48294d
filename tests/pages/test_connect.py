"""Connecting a PC: a name gives the commands with the token once; the page turns green at the first sign of life."""

import io
import re
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from bert_training.models import AccessToken, Worker
from bert_training.models.token import token_digest
from bert_training.pages.worker_commands import linux_steps, windows_steps
from bert_training.services.worker_program import torch_version, worker_program
from tests.pages.conftest import client_of

pytestmark = pytest.mark.django_db
TOKEN = re.compile(r"bertw_\w+")


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """The program as a PC has it."""
    with zipfile.ZipFile(io.BytesIO(worker_program())) as archive:
        archive.extractall(tmp_path)
    return tmp_path


def run_python(folder: Path, *arguments: str) -> str:
    """Run Python in a folder that knows nothing of this repository."""
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=folder, env={"PYTHONPATH": ""}, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_name_gives_the_commands_with_a_token_that_is_shown_once(as_root: Client) -> None:
    response = as_root.post("/workers/connect", {"name": "PC da sala 12"})
    worker = Worker.objects.get(name="PC da sala 12")
    tokens = set(TOKEN.findall(response.content.decode()))
    assert response["Cache-Control"] == "no-store"
    assert [token_digest(token) for token in tokens] == [AccessToken.objects.get(worker=worker).digest]
    later = as_root.get(f"/workers/{worker.pk}/connection").content.decode()
    assert "Waiting for PC da sala 12" in later
    assert not TOKEN.search(later)


def test_a_name_that_is_taken_or_missing_makes_nothing(as_root: Client, worker: Worker) -> None:
    assert as_root.post("/workers/connect", {"name": ""}).status_code == 422
    again = as_root.post("/workers/connect", {"name": worker.name})
    assert (again.status_code, "There is a worker called" in again.content.decode()) == (422, True)
    assert (Worker.objects.count(), AccessToken.objects.count()) == (1, 0)
    assert as_root.get("/workers/999/connection").status_code == 404


def test_staff_alone_connect(as_ana: Client, otto: User, worker: Worker) -> None:
    for client in (as_ana, client_of(otto)):
        for path in ("/workers/connect", "/workers/connect/program.zip", f"/workers/{worker.pk}/connection"):
            assert client.get(path).status_code == 403
        assert client.post("/workers/connect", {"name": "x"}).status_code == 403
    assert Worker.objects.count() == 1


def test_the_page_says_what_to_look_at_after_two_minutes_and_is_green_at_the_first_sign(
    as_root: Client, worker: Worker
) -> None:
    path = f"/workers/{worker.pk}/connection"
    assert "Firewall" not in as_root.get(path).content.decode()
    Worker.objects.update(created_at=timezone.now() - timedelta(minutes=3))
    late = as_root.get(path).content.decode()
    assert all(word in late for word in ("Address:", "Firewall", "Clock:", "Token:", "--dry-run"))
    Worker.objects.update(last_seen_at=timezone.now(), hardware={"gpu": [{"name": "RTX 4080"}]})
    green = as_root.get(path).content.decode()
    assert "gpu-1 is connected" in green
    assert "RTX 4080" in green
    assert "data-refresh-seconds" not in green


@pytest.mark.parametrize(("url", "allows"), [("https://portal.example", False), ("http://10.0.0.5:8000", True)])
def test_the_commands_allow_http_only_where_there_is_no_tls(url: str, allows: bool) -> None:
    for steps in (windows_steps(api_url=url, token="bertw_x"), linux_steps(api_url=url, token="bertw_x")):
        start = steps[-1].commands
        assert f"--api-url {url} " in start
        assert ("--allow-http" in start) is allows
    install = windows_steps(api_url=url, token="bertw_x")[1].commands
    assert f"torch=={torch_version()} --index-url https://download.pytorch.org/whl/cu" in install


def test_the_program_is_the_worker_and_nothing_of_the_portal(as_root: Client, unpacked: Path) -> None:
    response = as_root.get("/workers/connect/program.zip")
    assert response["Content-Type"] == "application/zip"
    assert response.content == worker_program()
    packages = {path.name for path in (unpacked / "bert_training").iterdir()}
    assert packages == {"__init__.py", "contract", "data", "ml", "tasks", "worker"}
    assert (unpacked / "requirements" / "worker.txt").exists()
    assert "--token-file" in run_python(unpacked, "-m", "bert_training.worker", "--help")


@pytest.mark.long
def test_the_program_holds_all_that_training_imports(unpacked: Path) -> None:
    """Torch takes seconds to import."""
    load = "import bert_training.worker.trainer as _, bert_training.tasks as tasks"
    run_python(unpacked, "-c", f"{load}; [tasks.load_network(spec) for spec in tasks.TASKS.values()]")
