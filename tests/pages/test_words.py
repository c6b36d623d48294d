"""Figures in words: rounded as the log and the model card round them, never cut off."""

import pytest
from django.utils import translation

from bert_training.admin.facts import shown_figure
from bert_training.pages.words import figure_text
from bert_training.services.proving.figure_words import share_text
from bert_training.tasks import TASKS


@pytest.mark.parametrize(
    ("value", "text"), [(20 / 46, "43,5%"), (0.96261, "96,3%"), (0.9999, "100,0%"), (0.0, "0,0%"), (None, "\u2013")]
)
def test_a_share_is_rounded(value: float | None, text: str) -> None:
    with translation.override("pt-br"):
        assert share_text(value) == text


def test_a_loss_is_rounded() -> None:
    loss = next(metric for metric in TASKS["text-classification"].metrics if metric.name == "loss")
    with translation.override("pt-br"):
        assert figure_text(loss, 0.44447) == "0,4445"
        assert shown_figure(0.44447) == "0,4445"
