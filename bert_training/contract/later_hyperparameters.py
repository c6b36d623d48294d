"""What a worker does that is older than a hyperparameter, so that it goes on training runs that ask for nothing else.

A worker refuses names that it does not know. A value that is not sent means to every worker what stands here: newer
ones have it as their default (a test holds both together), so an entry never changes, even if the form's default does.
"""

from typing import Any

LATER_HYPERPARAMETERS: dict[str, tuple[Any, ...]] = {
    "validation_split": (None,),
    "test_split": (None,),
    "batch_tokens": (None,),
    "lr_scheduler_type": ("linear",),
    "warmup_ratio": (None,),
    "max_grad_norm": (1.0,),
    "label_smoothing_factor": (0.0,),
    "dropout": (None,),
    "adam_beta1": (0.9,),
    "adam_beta2": (0.999,),
    "adam_epsilon": (1e-8,),
    "layer_lr_decay": (1.0,),
    "freeze_embeddings": (False,),
    "frozen_layers": (0,),
    "window_overlap": (64,),
    "lowercase": (False,),
    "lora_r": (0,),
    "lora_alpha": (32,),
    "lora_dropout": (0.1,),
    "eval_steps": (None,),
    "best_metric": ("f1_macro", "f1"),  # of the two tasks that there were
    "early_stopping_threshold": (0.0,),
    "save_steps": (None,),
    "save_total_limit": (2,),
    "logging_steps": (None,),
    "precision": ("auto",),
    "gradient_checkpointing": (False,),
    "parallelism": ("ddp",),
    "dataloader_num_workers": (1,),
    "dataloader_pin_memory": (True,),
    "deterministic": (False,),
}


def without_later_defaults(hyperparameters: dict[str, Any]) -> dict[str, Any]:
    """Leave out what an older worker does anyway."""
    return {
        name: value
        for name, value in hyperparameters.items()
        if name not in LATER_HYPERPARAMETERS or value not in LATER_HYPERPARAMETERS[name]
    }
