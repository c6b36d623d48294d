"""The names that people give to the three splits, in Portuguese and English, without regard to case and accents."""

from bert_training.contract.enums import Split
from bert_training.data.cells import normalized

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
    return _NAMES.get(normalized(name))
