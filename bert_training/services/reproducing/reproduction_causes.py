"""In what two runs differ, fact by fact, as they were told by the machines that trained. Reads no file.

A fact that one of them does not state is unknown, never equal: older workers tell less.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from bert_training.contract.enums import Cause
from bert_training.models import Run
from bert_training.tasks import TASKS

NOT_KNOWN = frozenset({"", "unknown", "0", "None"})
DIRTY = "-dirty"
# Those that compute, in the order of how likely another version gives another number; then all others by name.
LIKELY_PACKAGES = ("torch", "transformers", "accelerate", "peft", "tokenizers", "safetensors", "numpy", "scikit-learn")
# Of describe_device: a processor's cores are named, a GPU's are not. Same processor and threads: the same numbers.
PROCESSOR = re.compile(r"\d+ cores( x \d+)?$")


@dataclass(frozen=True)
class Difference:
    """One thing in which two runs differ. name: of the hyperparameter or package.  "" = it has none."""

    cause: Cause
    name: str
    first: str
    second: str


@dataclass(frozen=True)
class Facts:
    """differences: the likeliest to explain another result first.  unknown: what one of the runs does not state."""

    differences: list[Difference]
    unknown: list[Cause]


def compare_facts(first: Run, second: Run) -> Facts:
    """Compare everything that can make two trainings differ."""
    differences: list[Difference] = []
    unknown: list[Cause] = []
    for cause, one, two in _pairs(first, second):
        if not _is_known(cause, one, two):
            unknown.append(cause)
        elif one != two:
            differences.append(Difference(cause, "", one, two))
    differences += _setting_differences(first, second)
    packages = (first.reproducibility.get("packages") or {}, second.reproducibility.get("packages") or {})
    if all(packages):
        differences += _package_differences(*packages)
        differences = [each for each in differences if each.cause != Cause.ENVIRONMENT]
        unknown = [cause for cause in unknown if cause != Cause.ENVIRONMENT]
    elif not any(each.cause == Cause.ENVIRONMENT for each in differences) and Cause.ENVIRONMENT in unknown:
        unknown.append(Cause.PACKAGE)
    order = list(Cause)
    return Facts(
        sorted(differences, key=lambda each: (order.index(each.cause), _rank(each), each.name)),
        sorted(unknown, key=order.index),
    )


def computes_bit_equal(run: Run) -> bool:
    """Tell whether the machine gives the same bits twice: a processor, or a GPU that was told to."""
    device = str(run.reproducibility.get("device", ""))
    return bool(run.hyperparameters.get("deterministic")) or PROCESSOR.search(device) is not None


def _pairs(first: Run, second: Run) -> Iterator[tuple[Cause, str, str]]:
    told = {
        Cause.DEVICE: "device",
        Cause.PRECISION: "precision",
        Cause.CODE: "code_commit",
        Cause.THREADS: "threads",
        Cause.ENVIRONMENT: "environment_fingerprint",
        Cause.PYTHON: "python",
    }
    yield Cause.TABLE, first.dataset.table_sha256, second.dataset.table_sha256
    yield Cause.SPLIT, first.split_digest, second.split_digest
    yield Cause.BASE_MODEL, first.base_model, second.base_model
    yield Cause.BASE_MODEL_REVISION, _revision(first), _revision(second)
    if first.initial_fingerprint != second.initial_fingerprint:
        yield Cause.INITIAL_MODEL, first.initial_fingerprint or "-", second.initial_fingerprint or "-"
    for cause, field in told.items():
        yield cause, str(first.reproducibility.get(field, "")), str(second.reproducibility.get(field, ""))


def _revision(run: Run) -> str:
    """Return what was really trained; what was asked for is no proof of it."""
    return str(run.reproducibility.get("base_model_revision", ""))


def _is_known(cause: Cause, one: str, two: str) -> bool:
    """Tell whether both state the fact; of code that was changed the commit does not say what it was."""
    if one in NOT_KNOWN or two in NOT_KNOWN:
        return False
    return not (cause == Cause.CODE and one == two and one.endswith(DIRTY))


def _setting_differences(first: Run, second: Run) -> Iterator[Difference]:
    one, two = _settings(first), _settings(second)
    for name in sorted(one.keys() | two.keys()):
        if one.get(name) != two.get(name):
            cause = Cause.SEED if name == "seed" else Cause.HYPERPARAMETER
            yield Difference(cause, name, _shown(one.get(name)), _shown(two.get(name)))


def _settings(run: Run) -> dict[str, Any]:
    """Return all settings; of an older run those that came later have their defaults, with which it was trained."""
    stated: dict[str, Any] = run.hyperparameters
    spec = TASKS.get(run.task)
    try:
        return spec.hyperparameters.model_validate(stated).model_dump() if spec else stated
    except ValidationError:
        return stated


def _shown(value: object) -> str:
    return "-" if value is None else str(value)


def _package_differences(one: Mapping[str, str], two: Mapping[str, str]) -> Iterator[Difference]:
    for name in sorted(one.keys() | two.keys()):
        if one.get(name) != two.get(name):
            yield Difference(Cause.PACKAGE, name, one.get(name, ""), two.get(name, ""))


def _rank(difference: Difference) -> int:
    """Order packages by how likely they explain."""
    known = difference.cause == Cause.PACKAGE and difference.name in LIKELY_PACKAGES
    return LIKELY_PACKAGES.index(difference.name) if known else len(LIKELY_PACKAGES)
