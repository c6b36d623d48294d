"""LoRA: small added matrices are trained instead of all weights (peft)."""

from bert_training.contract.wording import gettext_noop
from bert_training.tasks.hyperparameters.declaration import Group, Settings, hyperparameter


class AdapterSettings(Settings):
    """LoRA: small added matrices are trained instead of all weights."""

    lora_r: int = hyperparameter(
        0,
        gettext_noop("Rank of the adapter"),
        gettext_noop(
            "Trains small added matrices of this rank instead of all weights: less memory, small checkpoints. "
            "0 trains all weights; 8 to 32 is usual."
        ),
        ge=0,
        le=1024,
        group=Group.ADAPTER,
    )
    lora_alpha: int = hyperparameter(
        32,
        gettext_noop("Alpha of the adapter"),
        gettext_noop("How strongly the added matrices count; usually twice the rank."),
        ge=1,
        le=4096,
        group=Group.ADAPTER,
    )
    lora_dropout: float = hyperparameter(
        0.1,
        gettext_noop("Dropout of the adapter"),
        gettext_noop("Share of values that the added matrices forget while they learn."),
        ge=0,
        lt=1,
        allow_inf_nan=False,
        group=Group.ADAPTER,
    )
