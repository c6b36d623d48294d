"""What the machine does: precision, memory, several GPUs, loading."""

from typing import Literal

from bert_training.contract.wording import gettext_noop
from bert_training.tasks.hyperparameters.declaration import Group, Settings, hyperparameter


class MachineSettings(Settings):
    """What the machine does."""

    precision: Literal["auto", "fp32", "bf16", "fp16"] = hyperparameter(
        "auto",
        gettext_noop("Numeric precision"),
        gettext_noop(
            "Arithmetic of the network. Automatic takes bf16 where the hardware has it, fp16 on "
            "older GPUs, fp32 elsewhere."
        ),
        choices={
            "auto": gettext_noop("automatic"),
            "fp32": gettext_noop("fp32: exact, slow"),
            "bf16": gettext_noop("bf16: fast, on newer hardware"),
            "fp16": gettext_noop("fp16: fast, on older GPUs"),
        },
        group=Group.MACHINE,
    )
    gradient_checkpointing: bool = hyperparameter(
        False,
        gettext_noop("Gradient checkpointing"),
        gettext_noop("Computes parts twice instead of remembering them: less memory, about a third slower."),
        group=Group.MACHINE,
    )
    parallelism: Literal["ddp", "fsdp"] = hyperparameter(
        "ddp",
        gettext_noop("Several GPUs"),
        gettext_noop("Whether each GPU holds the whole network, or a part of it when it does not fit."),
        choices={"ddp": gettext_noop("the whole network on each (DDP)"), "fsdp": gettext_noop("a part on each (FSDP)")},
        group=Group.MACHINE,
    )
    dataloader_num_workers: int = hyperparameter(
        1,
        gettext_noop("Loader threads"),
        gettext_noop("Threads that make batches ready while the network computes; 0 makes them in between."),
        unit=gettext_noop("threads"),
        ge=0,
        le=64,
        group=Group.MACHINE,
    )
    dataloader_pin_memory: bool = hyperparameter(
        True,
        gettext_noop("Pinned memory"),
        gettext_noop("Copies batches to a GPU from memory that it can read directly."),
        group=Group.MACHINE,
    )
    deterministic: bool = hyperparameter(
        False,
        gettext_noop("Deterministic"),
        gettext_noop("Bit-equal results on the same machine, also on a GPU; may be slower there."),
        group=Group.MACHINE,
    )
