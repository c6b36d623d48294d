"""The names that people give to the three splits, in Portuguese and English, without regard to case and accents."""

import unicodedata

from bert_training.contract.enums import Split

_NAMES = {
    "treino": Split.TRAIN,
    "treinamento": Split.TRAIN,
    "train": Split.TRAIN,
    "training": Split.TRAIN,
    "validacao": Split.VALIDATION,
    "validation": Split.VALIDATION,
    "teste": Split.TEST,
    "test": Split.TEST,
}


def split_named(name: str) -> Split | None:
    """Return the split that somebody means; None for a name that is not known."""
    plain = unicodedata.normalize("NFKD", name).strip().casefold()
    return _NAMES.get("".join(letter for letter in plain if not unicodedata.combining(letter)))
