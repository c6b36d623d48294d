"""When the network is judged, saved and spoken of."""

from typing import Any

from bert_training.contract.wording import gettext_noop
from bert_training.tasks.hyperparameters.declaration import STEPS, Group, OptionalSteps, Settings, hyperparameter


class EvaluationSettings(Settings):
    """When the network is judged, saved and spoken of."""

    eval_steps: OptionalSteps = hyperparameter(
        None,
        gettext_noop("Evaluate every"),
        gettext_noop("After how many steps the validation split is judged; empty = at the end of each epoch."),
        unit=STEPS,
        empty=gettext_noop("each epoch"),
        group=Group.EVALUATION,
    )
    early_stopping_patience: int = hyperparameter(
        3,
        gettext_noop("Early stopping patience"),
        gettext_noop("Evaluations without improvement after which training stops; 0 never stops early."),
        unit=gettext_noop("evaluations"),
        ge=0,
        le=1000,
        group=Group.BASICS,
    )
    early_stopping_threshold: float = hyperparameter(
        0.0,
        gettext_noop("Least improvement"),
        gettext_noop(
            "By how much the best metric must improve to count for early stopping; 0.001 is a tenth of a "
            "percentage point."
        ),
        ge=0,
        le=1,
        allow_inf_nan=False,
        group=Group.EVALUATION,
    )
    save_steps: OptionalSteps = hyperparameter(
        None,
        gettext_noop("Checkpoint every"),
        gettext_noop(
            "After how many steps the whole state is saved, to go on from after a power cut; empty = every ten "
            "minutes, after an evaluation every minute."
        ),
        unit=STEPS,
        empty=gettext_noop("every ten minutes"),
        group=Group.EVALUATION,
    )
    save_total_limit: int = hyperparameter(
        2,
        gettext_noop("Checkpoints kept"),
        gettext_noop("How many checkpoints stay on the PC while it trains; the best one always does."),
        unit=gettext_noop("checkpoints"),
        ge=2,
        le=1000,
        group=Group.EVALUATION,
    )
    logging_steps: OptionalSteps = hyperparameter(
        None,
        gettext_noop("Log every"),
        gettext_noop("After how many steps a line and a point are written; empty = a line every five seconds."),
        unit=STEPS,
        empty=gettext_noop("every five seconds"),
        group=Group.EVALUATION,
    )


def best_metric(default: str, choices: dict[str, str]) -> Any:
    """Declare the metric that picks the best checkpoint; choices: the task's own metrics, name -> words."""
    return hyperparameter(
        default,
        gettext_noop("Best metric"),
        gettext_noop("The figure on validation by which the best checkpoint is chosen and training stops early."),
        choices=choices,
        group=Group.EVALUATION,
    )
