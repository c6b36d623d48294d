"""Finds the parts of an encoder from below to above, whatever its architecture calls them.

Depth 0 is what stands before the layers (embeddings), 1 to n the layers, n + 1 what stands above them (pooler, head).
"""

from torch import nn
from transformers import PreTrainedModel


def encoder_layers(model: PreTrainedModel) -> list[nn.Module]:
    """Return the layers of the encoder, the lowest first: its longest list of modules that is inside no other list."""
    lists = {name: module for name, module in model.base_model.named_modules() if isinstance(module, nn.ModuleList)}
    outer = [stack for name, stack in lists.items() if not any(name.startswith(f"{other}.") for other in lists)]
    longest: nn.ModuleList = max(outer, key=len, default=nn.ModuleList())
    return list(longest)


def parameter_depths(model: PreTrainedModel) -> dict[str, int]:
    """Return the depth of each parameter by its name; ALBERT's twelve layers are one, because they share weights."""
    layers = encoder_layers(model)
    depths, above = {}, len(layers) + 1
    for depth, layer in enumerate(layers, start=1):
        depths.update({id(weight): depth for weight in layer.parameters()})
    embeddings = [module for module in model.base_model.modules() if isinstance(module, nn.Embedding)]
    depths.update({id(module.weight): 0 for module in embeddings if id(module.weight) not in depths})
    rest = 0  # the encoder registers what is below its layers before them, and what is above them after them
    for weight in model.base_model.parameters():
        rest = above if 0 < depths.get(id(weight), 0) < above else rest
        depths.setdefault(id(weight), rest)
    return {name: depths.get(id(weight), above) for name, weight in model.named_parameters()}
