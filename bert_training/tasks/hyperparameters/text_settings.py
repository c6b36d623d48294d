"""How texts are read and shared out: length, long texts, splits, class weights, seed."""

from typing import Literal

from bert_training.contract.wording import gettext_noop
from bert_training.tasks.hyperparameters.declaration import (
    TOKENS,
    Group,
    Settings,
    Share,
    hyperparameter,
)


class TextSettings(Settings):
    """How texts are read and shared out."""

    max_length: int = hyperparameter(
        512,
        gettext_noop("Maximum length"),
        gettext_noop(
            "Longer texts are cut to this many tokens; 100 are about 70 words. Shorter trains faster and needs less "
            "memory."
        ),
        unit=gettext_noop("tokens"),
        ge=8,
        le=131072,
        group=Group.BASICS,
    )
    truncation_side: Literal["right", "left", "middle", "none"] = hyperparameter(
        "right",
        gettext_noop("Long texts"),
        gettext_noop("What happens to a text beyond the maximum length. Reading all of it takes longer."),
        choices={
            "right": gettext_noop("cut the end"),
            "left": gettext_noop("cut the beginning"),
            "middle": gettext_noop("keep beginning and end"),
            "none": gettext_noop("read all of it in windows"),
        },
        group=Group.BASICS,
    )
    window_overlap: int = hyperparameter(
        64,
        gettext_noop("Overlap of windows"),
        gettext_noop(
            "How much of a window the next one reads again, where long texts are read in windows; at most half of the "
            "maximum length."
        ),
        unit=TOKENS,
        ge=0,
        le=4096,
        group=Group.TEXTS,
    )
    lowercase: bool = hyperparameter(
        False,
        gettext_noop("Lower-case"),
        gettext_noop("Reads all texts in small letters. Leave it off for a cased base model: it knows capitals."),
        group=Group.TEXTS,
    )
    train_split: float = hyperparameter(
        0.7,
        gettext_noop("Training share"),
        gettext_noop("Share of the rows to train on; the rest is halved into validation and test unless one is named."),
        gt=0,
        lt=1,
        allow_inf_nan=False,
        group=Group.TEXTS,
    )
    validation_split: Share | None = hyperparameter(
        None,
        gettext_noop("Validation share"),
        gettext_noop("Share of the rows that choose the best checkpoint; empty = what training and test leave."),
        empty=gettext_noop("the rest"),
        group=Group.TEXTS,
    )
    test_split: Share | None = hyperparameter(
        None,
        gettext_noop("Test share"),
        gettext_noop("Share of the rows that give the final figures; empty = what training and validation leave."),
        empty=gettext_noop("the rest"),
        group=Group.TEXTS,
    )
    use_class_weights: bool = hyperparameter(
        True,
        gettext_noop("Class weights"),
        gettext_noop(
            "Makes rare classes count as much as frequent ones in the loss. Switch it off where the frequent "
            "ones matter."
        ),
        group=Group.TEXTS,
    )
    seed: int = hyperparameter(
        42,
        gettext_noop("Seed"),
        gettext_noop("Same seed, same split and same order of the data. Another one shows how much chance decides."),
        ge=0,
        le=2**32 - 1,
        group=Group.TEXTS,
    )
