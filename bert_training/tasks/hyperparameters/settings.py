"""The hyperparameters that every task has (S0.41-S0.52 and more) with what must hold between them."""

from typing import Any, Self

from pydantic import model_validator

from bert_training.data.splitting.split import Shares
from bert_training.tasks.hyperparameters.all_settings import AllSettings
from bert_training.tasks.hyperparameters.rules import check_together
from bert_training.tasks.shares import check_shares, read_shares, shares_of


class Hyperparameters(AllSettings):
    """Settings of one run; unknown names and wrong types are errors."""

    @model_validator(mode="before")
    @classmethod
    def _read_shares(cls, given: Any) -> Any:
        return read_shares(given) if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _check_shares(self) -> Self:
        check_shares(self.train_split, self.validation_split, self.test_split)
        return self

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        check_together(self)
        return self

    @property
    def shares(self) -> Shares:
        """Return the shares of the three splits."""
        return shares_of(self.train_split, self.validation_split, self.test_split)
