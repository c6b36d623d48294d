"""What text classification offers beside the general presets: recipes that an office has used elsewhere, by name."""

from bert_training.contract.wording import gettext_noop
from bert_training.tasks.presets import BALANCED, PRECISE, QUICK, Preset

# Of the ways to shorten a text, beginning and end together lost least (Sun et al. 2019, table 2).
_ENDS = {"truncation_side": "middle"}

# The sources' programs do not weigh classes and never stop early. Schedule, betas, epsilon and clipping of the first
# (linear, 0.9, 0.999, 1e-8, 1) are the defaults here too. Without the hardware for fp16 the worker says so and goes on.
_AS_ELSEWHERE = {"max_length": 512, "use_class_weights": False, "early_stopping_patience": 0}

SUPPORT_OR_SALE = Preset(
    "suporte-venda",
    gettext_noop("Support or sale"),
    gettext_noop(
        "The recipe of the support-or-sale classifier: three passes with 32 texts a step, judged every 200 steps. "
        "Needs about 3,100 rows or more."
    ),
    {
        **_AS_ELSEWHERE,
        "epochs": 3,
        "batch_size": 8,
        "gradient_accumulation_steps": 4,
        "learning_rate": 5e-5,
        "weight_decay": 0.01,
        "warmup_steps": 100,
        "lr_scheduler_type": "linear",
        "adam_beta1": 0.9,
        "adam_beta2": 0.999,
        "adam_epsilon": 1e-8,
        "eval_steps": 200,
        "best_metric": "accuracy",
        "save_steps": 200,
        "save_total_limit": 3,
        "logging_steps": 100,
        "precision": "fp16",
        "dataloader_num_workers": 2,
        "seed": 42,
    },
)

# Its program put texts into small letters for a cased base model, which harms; that is left out.
REVIEW_SENTIMENT = Preset(
    "sentimento-b2w",
    gettext_noop("Sentiment of reviews"),
    gettext_noop("The recipe of the B2W reviews: one pass over all texts. Meant for 100,000 rows, too little for few."),
    {**_AS_ELSEWHERE, "epochs": 1, "batch_size": 16, "learning_rate": 2e-5},
)

TEXT_PRESETS = (QUICK.changed(**_ENDS), BALANCED.changed(**_ENDS), PRECISE, SUPPORT_OR_SALE, REVIEW_SENTIMENT)
