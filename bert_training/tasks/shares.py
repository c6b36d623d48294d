"""The three shares of a run's rows as people name them: usual names, what is left out, what must hold between them."""

from typing import Any

from bert_training.contract.wording import gettext_noop
from bert_training.data.splitting.split import Shares
from bert_training.data.splitting.split_names import split_named
from bert_training.tasks.hyperparameters.refusal import SettingRefused

SUM_TOLERANCE = 1e-6
DECIMALS = 6


def read_shares(given: dict[Any, Any]) -> dict[Any, Any]:
    """Rename shares given as "treino", "validation" ...; where only the other two are given, training is the rest."""
    read: dict[Any, Any] = {}
    for name, value in given.items():
        split = split_named(name) if isinstance(name, str) else None
        meant = name if split is None else f"{split}_split"
        if meant in read:
            message = gettext_noop("%(name)s is given twice, once as %(other)s. Leave one of them out.")
            other = next(alias for alias in given if alias != meant and split_named(str(alias)) is not None)
            raise SettingRefused(meant, message, other=str(other)[:100])
        read[meant] = value
    validation, test = read.get("validation_split"), read.get("test_split")
    if "train_split" not in read and isinstance(validation, float) and isinstance(test, float):
        read["train_split"] = round(1 - validation - test, DECIMALS)
    return read


def check_shares(train: float, validation: float | None, test: float | None) -> None:
    """Raise SettingRefused unless the shares that are named leave room for three splits and add up."""
    named = {"validation_split": validation, "test_split": test}
    shares = {name: share for name, share in named.items() if share is not None}
    total = train + sum(shares.values())
    if len(shares) == len(named) and abs(total - 1) > SUM_TOLERANCE:
        message = gettext_noop(
            "The shares of training, validation and test must add up to 1; together they are %(sum)s."
        )
        raise SettingRefused("test_split", message, sum=f"{total:.6g}")
    if len(shares) == 1 and total > 1 - SUM_TOLERANCE:
        (name,) = shares
        message = gettext_noop(
            "The share must be above 0 and below %(limit)s: training takes %(train)s, and three splits need rows."
        )
        raise SettingRefused(name, message, limit=f"{1 - train:.6g}", train=f"{train:g}")


def shares_of(train: float, validation: float | None, test: float | None) -> Shares:
    """Return the shares of the three splits: what is not named is the rest, halved where both are not."""
    rest = 1 - train
    if validation is None:
        validation = rest / 2 if test is None else rest - test
    return Shares(train, validation, rest - validation if test is None else test)
