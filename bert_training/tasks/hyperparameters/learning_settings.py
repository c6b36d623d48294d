"""How the network learns: batches, learning rate, optimizer, what stays as it is."""

from typing import Annotated, Literal

from pydantic import Field

from bert_training.contract.wording import gettext_noop
from bert_training.tasks.hyperparameters.declaration import TOKENS, Group, OptionalSteps, Settings, hyperparameter


class LearningSettings(Settings):
    """How the network learns."""

    epochs: int = hyperparameter(
        10,
        gettext_noop("Epochs"),
        gettext_noop(
            "How often the network sees the whole training split. Few rows need more passes; early stopping may end it "
            "sooner."
        ),
        unit=gettext_noop("passes"),
        ge=1,
        le=1000,
        group=Group.BASICS,
    )
    batch_size: int = hyperparameter(
        16,
        gettext_noop("Batch size"),
        gettext_noop("Texts computed at once. When memory runs out, the worker computes fewer at once by itself."),
        unit=gettext_noop("texts"),
        ge=1,
        le=1024,
        group=Group.BASICS,
    )
    batch_tokens: Annotated[int, Field(ge=64, le=4_194_304)] | None = hyperparameter(
        None,
        gettext_noop("Token budget"),
        gettext_noop(
            "Fills each batch with texts up to this many tokens instead of counting texts; empty = count texts."
        ),
        unit=TOKENS,
        empty=gettext_noop("count texts"),
        group=Group.LEARNING,
    )
    gradient_accumulation_steps: int = hyperparameter(
        1,
        gettext_noop("Gradient accumulation"),
        gettext_noop("Batches summed before each step: the effect of a large batch with the memory of a small one."),
        unit=gettext_noop("batches"),
        ge=1,
        le=1024,
        group=Group.LEARNING,
    )
    max_steps: OptionalSteps = hyperparameter(
        None,
        gettext_noop("Maximum steps"),
        gettext_noop("Ends training after this many steps, for a quick trial; empty = all epochs."),
        unit=gettext_noop("steps"),
        empty=gettext_noop("no limit"),
        group=Group.LEARNING,
    )
    learning_rate: float = hyperparameter(
        5e-5,
        gettext_noop("Learning rate"),
        gettext_noop("Size of a step. 2e-5 to 5e-5 suits BERT; larger forgets what the base model knows."),
        ge=1e-9,
        le=0.1,
        allow_inf_nan=False,
        group=Group.BASICS,
    )
    lr_scheduler_type: Literal["linear", "cosine", "constant", "polynomial"] = hyperparameter(
        "linear",
        gettext_noop("Schedule"),
        gettext_noop("How the learning rate falls after the warm-up. Straight to zero suits most work."),
        choices={
            "linear": gettext_noop("straight to zero"),
            "cosine": gettext_noop("along a cosine to zero"),
            "constant": gettext_noop("not at all"),
            "polynomial": gettext_noop("along a square to zero"),
        },
        group=Group.LEARNING,
    )
    warmup_steps: int = hyperparameter(
        0,
        gettext_noop("Warm-up"),
        gettext_noop("Steps in which the learning rate rises from zero; helps when the first steps go astray."),
        unit=gettext_noop("steps"),
        ge=0,
        le=1_000_000,
        group=Group.LEARNING,
    )
    warmup_ratio: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] | None = hyperparameter(
        None,
        gettext_noop("Warm-up share"),
        gettext_noop(
            "Share of all steps in which the learning rate rises, instead of a number of steps; 0.1 is usual, "
            "empty = as many as warm-up says."
        ),
        empty=gettext_noop("as warm-up says"),
        group=Group.LEARNING,
    )
    weight_decay: float = hyperparameter(
        0.01,
        gettext_noop("Weight decay"),
        gettext_noop("Pulls weights towards zero, against learning by heart. 0.01 is usual."),
        ge=0,
        le=1,
        allow_inf_nan=False,
        group=Group.LEARNING,
    )
    max_grad_norm: float = hyperparameter(
        1.0,
        gettext_noop("Gradient clipping"),
        gettext_noop(
            "Longer gradients are shortened to this norm, so that one odd batch does little harm; 0 never shortens."
        ),
        ge=0,
        le=1000000.0,
        allow_inf_nan=False,
        group=Group.LEARNING,
    )
    label_smoothing_factor: float = hyperparameter(
        0.0,
        gettext_noop("Label smoothing"),
        gettext_noop("Share of the certainty that the network shall not learn; 0.1 helps where labels hold errors."),
        ge=0,
        lt=1,
        allow_inf_nan=False,
        group=Group.LEARNING,
    )
    dropout: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] | None = hyperparameter(
        None,
        gettext_noop("Dropout"),
        gettext_noop(
            "Share of values that each layer forgets while it learns, against learning by heart; empty = as the base "
            "model has it, mostly 0.1."
        ),
        empty=gettext_noop("as the base model"),
        group=Group.LEARNING,
    )
    adam_beta1: float = hyperparameter(
        0.9,
        gettext_noop("AdamW beta 1"),
        gettext_noop("How long the optimizer remembers the direction of steps. Rarely changed."),
        ge=0,
        lt=1,
        allow_inf_nan=False,
        group=Group.LEARNING,
    )
    adam_beta2: float = hyperparameter(
        0.999,
        gettext_noop("AdamW beta 2"),
        gettext_noop("How long the optimizer remembers the size of steps. Rarely changed."),
        ge=0,
        lt=1,
        allow_inf_nan=False,
        group=Group.LEARNING,
    )
    adam_epsilon: float = hyperparameter(
        1e-08,
        gettext_noop("AdamW epsilon"),
        gettext_noop("Keeps the optimizer from dividing by zero. Rarely changed."),
        gt=0,
        le=1,
        allow_inf_nan=False,
        group=Group.LEARNING,
    )
    layer_lr_decay: float = hyperparameter(
        1.0,
        gettext_noop("Layer-wise learning rate"),
        gettext_noop(
            "Each layer learns by this factor slower than the one above it; 1 = all alike, 0.9 "
            "protects what the base model knows."
        ),
        gt=0,
        le=1,
        allow_inf_nan=False,
        group=Group.LEARNING,
    )
    freeze_embeddings: bool = hyperparameter(
        False,
        gettext_noop("Freeze word vectors"),
        gettext_noop("Leaves the word vectors of the base model as they are: faster, with less memory."),
        group=Group.LEARNING,
    )
    frozen_layers: int = hyperparameter(
        0,
        gettext_noop("Frozen layers"),
        gettext_noop(
            "How many of the lower layers stay as they are, with the word vectors below them: faster, with less memory."
        ),
        unit=gettext_noop("layers"),
        ge=0,
        le=1000,
        group=Group.LEARNING,
    )
