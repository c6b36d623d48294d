"""The computer's figures beside the training's: every ten steps, only where the portal takes them, in nobody's way."""

import json
from pathlib import Path

import pytest

from bert_training.contract.messages import Gpu
from bert_training.worker import hardware
from bert_training.worker.child import ChildReporter
from bert_training.worker.hardware import HardwareGauge, Values, read_hardware
from bert_training.worker.timing import Timing
from bert_training.worker.trainer_orders import OrderBox, spool_path

STEPS = range(1, 36)


def points_of(folder: Path, readings: list[Values]) -> list[dict[str, object]]:
    """Train some steps, each told twice, as an evaluation does; return the points in the spool."""
    left = iter(readings)
    reporter = ChildReporter(folder, 1, OrderBox(), timing=Timing(), hardware=lambda: next(left, {}))
    for step in STEPS:
        for _ in range(2):
            reporter.progress(phase="training", epoch=1, step=step, total_steps=35, checkpoint_step=0)
    reporter.close()
    records = [json.loads(line) for line in spool_path(folder, 1).read_text().splitlines()]
    return [{name: record[name] for name in ("step", "split", "values")} for record in records]


def test_the_hardware_is_told_every_ten_steps_once(tmp_path: Path) -> None:
    readings: list[Values] = [{"cpu_percent": 1}, {"cpu_percent": 2}, {"cpu_percent": 3}]
    assert points_of(tmp_path, readings) == [
        {"step": 10 * number, "split": "hardware", "values": {"cpu_percent": number}} for number in (1, 2, 3)
    ]


def test_without_a_reading_nothing_is_told(tmp_path: Path) -> None:
    assert points_of(tmp_path, []) == []


def test_this_computer_can_be_read(tmp_path: Path) -> None:
    values = read_hardware(tmp_path)
    assert 0 <= values["cpu_percent"] <= 100
    assert 0 < values["memory_bytes"] < values["memory_total_bytes"]
    assert values["disk_free_bytes"] > 0


def test_each_gpu_is_told_of_and_what_it_does_not_say_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Gpu(name="RTX", memory_bytes=16, memory_used_bytes=4, utilisation=0.5, temperature_celsius=61)
    monkeypatch.setattr(hardware, "read_gpus", lambda: [one, Gpu(name="MIG", memory_bytes=8)] + [one] * 20)
    values = read_hardware(tmp_path)
    assert (values["gpu0_percent"], values["gpu0_memory_bytes"], values["gpu0_celsius"]) == (50, 4, 61)
    assert "gpu1_percent" not in values
    assert ("gpu7_percent" in values, "gpu8_percent" in values) == (True, False)


def test_a_computer_that_cannot_be_read_costs_no_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[Path] = []

    def fail(folder: Path) -> Values:
        tries.append(folder)
        raise OSError("the disk is away")

    monkeypatch.setattr(hardware, "read_hardware", fail)
    gauge = HardwareGauge(tmp_path, Timing(sleep=lambda _seconds: None, monotonic=iter(range(10**9)).__next__))
    gauge.start()
    while len(tries) < 3:
        assert gauge.values == {}
    gauge.stop()
