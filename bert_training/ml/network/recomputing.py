"""Gradient checkpointing: what lies inside a layer is computed again on the way back instead of being remembered."""

from transformers import PreTrainedModel


def recompute_layers(model: PreTrainedModel) -> bool:
    """Let each layer remember its input only, with the same result; False where the architecture cannot."""
    if not model.supports_gradient_checkpointing:
        return False
    # not reentrant: the reentrant kind loses all gradients when the input of the first layer is frozen
    model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    return True
