"""What a person should look at while a network learns, in plain words, from the figures alone (S2.16).

Every alert is said once a run. Grades of the final figures are the portal's matter.
"""

from collections.abc import Callable, Sequence
from typing import Any

from bert_training.data.figures.shapes import ClassFigures
from bert_training.data.overfitting import RISES, Losses, overfitting
from bert_training.ml.task_network import Evaluation

SHOWN_CLASSES = 10


class Alerts:
    """Watches the evaluations of one run. label_per_token: its accuracy counts words, most of which have no label."""

    def __init__(self, warn: Callable[[str], None], *, label_per_token: bool) -> None:
        self.warn = warn
        self.label_per_token = label_per_token
        self._losses: list[Losses] = []
        self._told: list[str] = []

    def after_validation(self, evaluation: Evaluation, *, training_loss: float) -> None:
        """Take an evaluation and say what is new. Of the first only the loss counts: the network has just begun."""
        is_first = not self._losses
        self._losses = [*self._losses, (training_loss, evaluation.metrics.get("loss"))][-RISES - 1 :]
        found = {"overfitting": overfitting_sentence(self._losses)} | ({} if is_first else self._weaknesses(evaluation))
        for name, sentence in found.items():
            if sentence and name not in self._told:
                self._told.append(name)
                self.warn(sentence)

    def after_training(self, step: int, *, warmup_steps: int, total_steps: int) -> None:
        """Say that the warm-up never ended, unless the plan has said it."""
        if step < warmup_steps < total_steps:
            self.warn(
                f"The training ended at step {step:,}, within the warm-up of {warmup_steps:,} steps: the learning rate "
                "never reached its value. Shorten the warm-up."
            )

    def after_test(self, evaluation: Evaluation) -> None:
        """Say what is weak in the final figures, said before or not."""
        for sentence in filter(None, self._weaknesses(evaluation).values()):
            self.warn(sentence)

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs, as JSON values."""
        return {"losses": self._losses, "told": self._told}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken."""
        self._losses = [(training, validation) for training, validation in state["losses"]]
        self._told = list(state["told"])

    def _weaknesses(self, evaluation: Evaluation) -> dict[str, str]:
        low = "" if self.label_per_token else low_performance(evaluation)
        return {"low performance": low, "never recognised": never_recognised(evaluation.classes)}


def overfitting_sentence(losses: Sequence[Losses]) -> str:
    """Judge pairs of training and validation loss, the newest last; empty = nothing to say."""
    last = overfitting(losses)
    if not last:
        return ""
    rise, fall = (" -> ".join(f"{pair[place]:.4f}" for pair in last) for place in (1, 0))
    return (
        f"Overfitting: the validation loss rises ({rise}) while the training loss falls ({fall}): the network begins "
        "to learn the training texts by heart. The best weights so far are kept; fewer epochs, a lower learning_rate, "
        "more weight_decay or more rows help."
    )


def low_performance(evaluation: Evaluation) -> str:
    """Compare the accuracy to always answering the most frequent class; empty = nothing to say."""
    accuracy = evaluation.metrics.get("accuracy")
    supports = [entry["support"] for entry in evaluation.classes]
    if accuracy is None or not sum(supports):
        return ""
    majority = max(supports) / sum(supports)
    if accuracy >= majority:
        return ""
    return (
        f"Low performance: accuracy {accuracy:.4f} is below {majority:.4f}, which the most frequent class as the only "
        "answer would reach. Train longer or with a higher learning_rate, or look at the labels."
    )


def never_recognised(classes: Sequence[ClassFigures]) -> str:
    """Name the classes of which no example was found; empty = there are none."""
    missed = [entry for entry in classes if entry["support"] and not entry["recall"]]
    if not missed:
        return ""
    shown = ", ".join(f"{entry['name']} ({entry['support']:,} examples)" for entry in missed[:SHOWN_CLASSES])
    more = f" and {len(missed) - SHOWN_CLASSES:,} more" if len(missed) > SHOWN_CLASSES else ""
    return f"Never recognised: {shown}{more}. More rows of these, use_class_weights or more epochs help."
