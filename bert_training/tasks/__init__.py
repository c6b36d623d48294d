"""The tasks that can be trained. A new one is a folder beside these and a line below."""

import importlib
from types import ModuleType

from bert_training.tasks.spec import TaskSpec
from bert_training.tasks.text_classification.spec import TEXT_CLASSIFICATION
from bert_training.tasks.token_classification.spec import TOKEN_CLASSIFICATION

TASKS: dict[str, TaskSpec] = {task.name: task for task in (TEXT_CLASSIFICATION, TOKEN_CLASSIFICATION)}


def load_network(spec: TaskSpec) -> ModuleType:
    """Import the module that builds the task's network. It needs torch, so only the worker's trainer calls this."""
    return importlib.import_module(spec.network_module)
