"""All groups of settings as one, each judged by itself; settings.py adds what must hold between them."""

from bert_training.tasks.hyperparameters.adapter_settings import AdapterSettings
from bert_training.tasks.hyperparameters.evaluation_settings import EvaluationSettings
from bert_training.tasks.hyperparameters.learning_settings import LearningSettings
from bert_training.tasks.hyperparameters.machine_settings import MachineSettings
from bert_training.tasks.hyperparameters.text_settings import TextSettings


# Fields come out from right to left: learning first puts epochs and batch size at the top of the essentials.
class AllSettings(MachineSettings, EvaluationSettings, AdapterSettings, TextSettings, LearningSettings):
    """The hyperparameters that every task has."""
