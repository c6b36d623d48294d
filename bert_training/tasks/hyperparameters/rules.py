"""What must hold between hyperparameters. Form, API and worker ask here; each rule names the one setting to change."""

from bert_training.contract.wording import gettext_noop
from bert_training.tasks.hyperparameters.all_settings import AllSettings
from bert_training.tasks.hyperparameters.refusal import SettingRefused


def check_together(settings: AllSettings) -> None:
    """Raise SettingRefused for the first rule that is broken."""
    _check_warmup(settings)
    _check_token_budget(settings)
    _check_windows(settings)


def check_against_rows(settings: AllSettings, train_rows: int) -> None:
    """Raise SettingRefused for what would never happen in a training over so many rows."""
    if settings.batch_tokens is not None:
        return  # how many steps there are is known when the texts were read
    steps = total_steps(settings, train_rows)
    for name, wanted in (("warmup_steps", settings.warmup_steps), ("eval_steps", settings.eval_steps or 0)):
        if wanted > steps:
            message = gettext_noop("%(name)s must be at most %(steps)s, the number of all training steps.")
            raise SettingRefused(name, message, steps=str(steps))


def total_steps(settings: AllSettings, train_rows: int) -> int:
    """Count the optimizer steps of all epochs; the last step of an epoch may see fewer rows."""
    rows_per_step = settings.batch_size * settings.gradient_accumulation_steps
    steps = -(-train_rows // rows_per_step) * settings.epochs
    return min(steps, settings.max_steps or steps)


def _check_warmup(settings: AllSettings) -> None:
    if settings.warmup_ratio is not None and settings.warmup_steps:
        raise SettingRefused(
            "warmup_ratio",
            gettext_noop(
                "The warm-up is given twice: warmup_ratio %(ratio)s and warmup_steps %(steps)s. Leave %(name)s empty, "
                "or set warmup_steps to 0."
            ),
            ratio=f"{settings.warmup_ratio:g}",
            steps=str(settings.warmup_steps),
        )


def _check_token_budget(settings: AllSettings) -> None:
    if settings.batch_tokens is not None and settings.batch_tokens < settings.max_length:
        message = gettext_noop(
            "%(name)s must be at least %(max_length)s, the maximum length: one text must fit into a batch."
        )
        raise SettingRefused("batch_tokens", message, max_length=str(settings.max_length))


def _check_windows(settings: AllSettings) -> None:
    """Refuse windows that would read each token more than twice, or never get on."""
    most = settings.max_length // 2
    if settings.truncation_side == "none" and settings.window_overlap > most:
        message = gettext_noop(
            "%(name)s must be at most %(most)s, half of the maximum length: otherwise the windows hardly advance."
        )
        raise SettingRefused("window_overlap", message, most=str(most))
