"""The hyperparameters that every task has (S0.41-S0.52 and more), and what must hold between them."""

from typing import Any, Self

from pydantic import model_validator

from bert_training.data.splitting.split import Shares
from bert_training.tasks.hyperparameters.adapter_settings import AdapterSettings
from bert_training.tasks.hyperparameters.evaluation_settings import EvaluationSettings
from bert_training.tasks.hyperparameters.learning_settings import LearningSettings
from bert_training.tasks.hyperparameters.machine_settings import MachineSettings
from bert_training.tasks.hyperparameters.text_settings import TextSettings
from bert_training.tasks.shares import check_shares, read_shares, shares_of


class Hyperparameters(MachineSettings, EvaluationSettings, AdapterSettings, LearningSettings, TextSettings):
    """Settings of one run; unknown names and wrong types are errors."""

    @model_validator(mode="before")
    @classmethod
    def _read_shares(cls, given: Any) -> Any:
        return read_shares(given) if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _check_shares(self) -> Self:
        check_shares(self.train_split, self.validation_split, self.test_split)
        return self

    @property
    def shares(self) -> Shares:
        """Return the shares of the three splits."""
        return shares_of(self.train_split, self.validation_split, self.test_split)
