"""A large file with the real portal and background cluster: answered at once, its check watched, then ready."""

import io
import time
from itertools import pairwise

import httpx2
import pytest

from bert_training.contract.limits import API_PREFIX
from tests.processes import Product, wait_until

pytestmark = [pytest.mark.processes, pytest.mark.long, pytest.mark.timeout(200)]

ROWS = 300_000  # 33 MB: the child reads for some seconds
ANSWER_SECONDS = 12.0


def large_csv() -> bytes:
    text = "O autor {0} pede que o réu pague a conta {1} e tudo o que mais couber de direito,{2}"
    lines = (text.format(row, row * 7919, "ab"[row % 2]) for row in range(ROWS))
    return "\n".join(["texto,label", *lines]).encode()


def test_a_large_file_is_answered_at_once_and_its_check_is_seen_to_go_on(product: Product) -> None:
    product.start_web()
    product.start_background()
    headers = {"Authorization": f"Bearer {product.accounts['token']}"}
    with httpx2.Client(base_url=product.base_url + API_PREFIX, headers=headers, timeout=60) as client:
        start = time.monotonic()
        files = {"file": ("grande.csv", io.BytesIO(large_csv()), "text/csv")}
        sent = client.post("/datasets/upload", data={"task": "text-classification"}, files=files)
        assert time.monotonic() - start < ANSWER_SECONDS
        assert (sent.status_code, sent.json()["status"]) == (202, "checking")
        seen: list[dict[str, object]] = [sent.json()]

        def is_checked() -> bool:
            seen.append(client.get(f"/datasets/{sent.json()['id']}").json())
            return seen[-1]["status"] != "checking"

        wait_until(is_checked)
    percents = [int(str(dataset["progress"])) for dataset in seen]
    assert seen[-1]["status"] == "ready", seen[-1]
    assert seen[-1]["rows"] == ROWS
    assert all(first <= second for first, second in pairwise(percents))
    assert len(set(percents)) >= 4, percents  # waiting, begun, at least one step of the child, done
    assert percents[-1] == 100
