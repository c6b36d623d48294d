"""The settings on a run's page: what is not as usual at once, the rest folded, old and unknown names never lost."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation

from bert_training.models import Run
from bert_training.pages.run_settings import settings_of
from bert_training.tasks import TASKS
from tests.personas import make_run

TEXTS = TASKS["text-classification"]


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


def test_a_run_as_usual_shows_the_essentials_and_folds_the_rest(ana: User) -> None:
    shown = settings_of(make_run(ana, hyperparameters={"epochs": 10}))
    assert [fact.label for fact in shown.essentials][:2] == ["Epochs", "Batch size"]
    assert not any(fact.is_first for fact in shown.essentials)
    names = {fact.label for _, facts in shown.groups for fact in facts} | {fact.label for fact in shown.essentials}
    assert len(names) == len(TEXTS.hyperparameters.model_fields)


def test_what_is_not_as_usual_stands_with_the_essentials(as_ana: Client, ana: User) -> None:
    run = make_run(ana, hyperparameters={"lora_r": 8})
    shown = {fact.label: (fact.text, fact.is_first) for fact in settings_of(run).essentials}
    assert shown["Rank of the adapter"] == ("8", True)
    assert shown["Epochs"] == ("2", True)
    content = as_ana.get(f"/runs/{run.pk}").content.decode()
    assert content.index("Rank") < content.index("All settings")


def test_a_run_that_is_as_a_preset_says_so(as_ana: Client, ana: User) -> None:
    quick = TEXTS.presets[0]
    run = make_run(ana, hyperparameters=dict(quick.values))
    assert "As the preset “Quick” sets them." in as_ana.get(f"/runs/{run.pk}").content.decode()
    assert settings_of(make_run(ana, hyperparameters={**quick.values, "epochs": 3})).preset == ""


def test_settings_of_another_time_are_shown_by_their_names(ana: User) -> None:
    run = make_run(ana)
    Run.objects.filter(pk=run.pk).update(hyperparameters={"epochs": 10, "kept_words": 3})
    run.refresh_from_db()
    assert [(fact.label, fact.text) for fact in settings_of(run).groups[-1][1]] == [("kept_words", "3")]
    run.task = "gone"
    assert [fact.label for fact in settings_of(run).groups[0][1]] == ["epochs", "kept_words"]
