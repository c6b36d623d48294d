"""Fixtures of the training library's tests: a tiny BERT, and a processor that computes fp32 on every machine."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch.distributed as dist

from bert_training.ml.machine import hardware
from bert_training.ml.machine.distributed import Processes
from bert_training.ml.network.base_model import BaseModelFiles
from tests.ml.tiny_bert import write_tiny_bert


@pytest.fixture
def tiny_bert(tmp_path: Path) -> BaseModelFiles:
    """A tiny random BERT on disk."""
    return write_tiny_bert(tmp_path / "tiny-bert")


@pytest.fixture
def calm_tiny_bert(tmp_path: Path) -> BaseModelFiles:
    """A tiny random BERT without dropout: its steps are exactly comparable."""
    return write_tiny_bert(tmp_path / "tiny-bert", dropout=0.0)


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """A group of one process, through which everything goes all the same."""
    store = dist.FileStore(str(tmp_path / "meeting"), 1)  # type: ignore[attr-defined]
    dist.init_process_group("gloo", store=store, rank=0, world_size=1)
    yield Processes(local_rank=0)
    dist.destroy_process_group()


@pytest.fixture(autouse=True)
def _plain_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Show a processor without bf16, so that the same arithmetic runs wherever the tests do."""
    monkeypatch.setattr(hardware, "CPUINFO", tmp_path / "no-cpuinfo")


@pytest.fixture(autouse=True)
def _few_objects() -> Iterator[None]:
    """Hide what a long session has made from the collector, which runs whenever memory is short: 1.5 s each time."""
    gc.freeze()
    yield
    gc.unfreeze()
