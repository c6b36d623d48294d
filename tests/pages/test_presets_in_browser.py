"""The presets in Chromium: a choice fills the fields in place, keeps what was typed, and marks what differs."""

import pytest
from pytest_django.live_server_helper import LiveServer

from bert_training.models import Dataset, Run
from bert_training.tasks import TASKS
from tests.browser import chromium, sign_in
from tests.personas import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


def test_a_preset_is_chosen_changed_and_sent(live_server: LiveServer, dataset: Dataset) -> None:
    spec = TASKS[dataset.task]
    with chromium() as open_page:
        page = open_page(live_server.url)
        sign_in(page, user="ana", password=PASSWORD)
        page.goto(f"/runs/new?dataset={dataset.pk}")
        page.fill("#id_name", "Primeira")
        page.click('[data-preset="suporte-venda"]')
        assert page.input_value("#id_name") == "Primeira"
        assert page.input_value("#id_learning_rate") == "0,00005"
        assert page.inner_text("[data-effective-batch]") == "32"
        assert page.locator(".is-changed").count() == 0
        page.click('[data-preset="rapido"]')
        page.fill("#id_learning_rate", "5e-5")
        page.fill("#id_epochs", "1")
        assert page.evaluate("[...document.querySelectorAll('.is-changed')].map((one) => one.dataset.setting)") == [
            "epochs"
        ]
        page.click("form[data-run-form] .button-primary")
        page.locator("h1", has_text="Primeira").wait_for()
    quick = spec.preset_settings(spec.presets[0])
    assert Run.objects.get().hyperparameters == {**quick.model_dump(), "epochs": 1}
