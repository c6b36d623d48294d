"""What the worker tells about its computer, with a driver that answers as NVIDIA's do."""

import tomllib
from types import SimpleNamespace

import pynvml
import pytest

from bert_training.worker.__main__ import DEVELOPMENT_VERSION
from bert_training.worker.machine import package_version, read_gpus, read_versions
from tests.worker.supervisors import PROJECT


def unsupported(_handle: object, *_more: object) -> None:
    raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Pretend to have one GPU."""
    answers = {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlDeviceGetCount": lambda: 1,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetMemoryInfo": lambda _handle: SimpleNamespace(total=16 * 2**30, used=2**30),
        "nvmlDeviceGetName": lambda _handle: "NVIDIA GeForce RTX 4080",
        "nvmlDeviceGetUtilizationRates": lambda _handle: SimpleNamespace(gpu=37),
        "nvmlDeviceGetTemperature": lambda _handle, _sensor: 61,
    }
    for name, answer in answers.items():
        monkeypatch.setattr(pynvml, name, answer)
    return monkeypatch


def test_a_gpu_is_read_with_memory_load_and_temperature(driver: pytest.MonkeyPatch) -> None:
    (gpu,) = read_gpus()
    assert (gpu.name, gpu.memory_bytes, gpu.memory_used_bytes) == ("NVIDIA GeForce RTX 4080", 16 * 2**30, 2**30)
    assert (gpu.utilisation, gpu.temperature_celsius) == (0.37, 61.0)


def test_what_a_card_does_not_report_is_left_out(driver: pytest.MonkeyPatch) -> None:
    driver.setattr(pynvml, "nvmlDeviceGetUtilizationRates", unsupported)
    driver.setattr(pynvml, "nvmlDeviceGetTemperature", unsupported)
    driver.setattr(pynvml, "nvmlDeviceGetName", lambda _handle: b"Tesla T4")
    (gpu,) = read_gpus()
    assert (gpu.name, gpu.utilisation, gpu.temperature_celsius) == ("Tesla T4", None, None)


def test_a_card_that_reports_nonsense_does_not_silence_the_worker(driver: pytest.MonkeyPatch) -> None:
    driver.setattr(pynvml, "nvmlDeviceGetTemperature", lambda _handle, _sensor: 2**32 - 1)
    assert read_gpus() == []


def test_a_computer_without_a_driver_has_no_gpu(driver: pytest.MonkeyPatch) -> None:
    def no_driver() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    driver.setattr(pynvml, "nvmlInit", no_driver)
    assert read_gpus() == []


def test_a_checkout_says_the_version_of_the_project() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert project["version"] == DEVELOPMENT_VERSION


def test_a_claim_names_the_versions_that_matter() -> None:
    assert {"python", "system", "torch", "transformers"} <= set(read_versions())
    assert package_version("no-such-package") == "unknown"
