"""Presets: sets of hyperparameters in plain words, offered before anybody reads forty fields.

A preset names only what it decides; the rest keeps the default. A task offers PRESETS and may change or add some.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bert_training.contract.wording import gettext_noop


@dataclass(frozen=True)
class Preset:
    """name: sent and in addresses, never renamed.  purpose: what for, and what it costs, in one or two sentences."""

    name: str
    label: str
    purpose: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def changed(self, **values: Any) -> "Preset":
        """Return it with other values for a task."""
        return replace(self, values={**self.values, **values})


# A warm-up over a tenth of the steps is the BERT paper's; without it some seeds fail to learn at all (Mosbach et al.
# 2021, "On the stability of fine-tuning BERT"). A share, not a number: it fits 300 rows as well as 300,000.
_WARMUP = {"warmup_ratio": 0.1, "warmup_steps": 0}

# Two passes at the upper rate of the BERT paper (5e-5, batch 32) reach most of the quality; texts of 128 tokens cost a
# quarter or less of those of 512. With two evaluations there is nothing to stop early.
QUICK = Preset(
    "rapido",
    gettext_noop("Quick"),
    gettext_noop(
        "A first look in minutes: two passes, 128 tokens of each text. Loses some quality, more on long texts."
    ),
    {**_WARMUP, "epochs": 2, "batch_size": 32, "learning_rate": 5e-5, "max_length": 128, "early_stopping_patience": 0},
)

# The middle of the BERT paper's grid (2 to 4 passes, 2e-5 to 5e-5, 16 or 32). 256 tokens hold about 170 words.
BALANCED = Preset(
    "equilibrado",
    gettext_noop("Balanced"),
    gettext_noop(
        "For most work: up to four passes, 256 tokens of each text, stops when it gets no better. Takes two to four "
        "times as long as quick."
    ),
    {**_WARMUP, "epochs": 4, "batch_size": 16, "learning_rate": 3e-5, "max_length": 256, "early_stopping_patience": 2},
)

# A low rate over many passes is the remedy of Mosbach et al.; each layer 0.95 as fast as the one above it was best of
# what Sun et al. 2019 ("How to fine-tune BERT for text classification") tried, at the same 2e-5. Windows lose no token.
PRECISE = Preset(
    "preciso",
    gettext_noop("Precise"),
    gettext_noop(
        "For the model that will be used: up to ten slow passes, the whole of each text. Takes about three times as "
        "long as balanced, more on long texts."
    ),
    {
        **_WARMUP,
        "epochs": 10,
        "batch_size": 16,
        "learning_rate": 2e-5,
        "lr_scheduler_type": "cosine",
        "layer_lr_decay": 0.95,
        "max_length": 512,
        "truncation_side": "none",
        "window_overlap": 64,
        "early_stopping_patience": 3,
    },
)

PRESETS = (QUICK, BALANCED, PRECISE)
