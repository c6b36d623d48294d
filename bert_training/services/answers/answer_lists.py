"""The answers of a run's network as lists, read from its file of predictions and kept while people leaf through them.

Row numbers, labels, places of words and probabilities alone: texts are never kept. Of 100,000 rows of 50 classes the
first page takes 0.3 s, each further one 0.01 s.
"""

from bert_training.contract.enums import PredictionSource, Split
from bert_training.data.listing.entity_list import EntityList, list_sentences
from bert_training.data.listing.label_list import LabelList, list_labels
from bert_training.data.predicting.prediction_files import read_part
from bert_training.data.predicting.predictions import LabelAnswers
from bert_training.models import Run
from bert_training.services.answers.recent import Recent
from bert_training.services.proving.predictions import label_names, stored_predictions
from bert_training.services.stored_files import stored_copy

KEPT_ROWS = 1_000_000  # of 30 to 100 bytes each

AnswerList = LabelList | EntityList

_recent: Recent[AnswerList | None] = Recent(KEPT_ROWS)


def answer_list(run: Run, split: Split) -> AnswerList | None:
    """Return what the network answered for the rows of a split, None where it answered for none.

    Raises ServiceError not_found where there are no predictions, DatasetGone, StorageAway.
    """
    stored = stored_predictions(run)
    key = (stored.sha256, split, *label_names(run))
    return _recent.get(key, lambda: _read(run, stored.key, stored.sha256, split), _weigh)


def _read(run: Run, key: str, sha256: str, split: Split) -> AnswerList | None:
    with stored_copy(key, sha256) as path:
        parts = read_part(path, PredictionSource.NETWORK, split)
    if any(isinstance(part.answers, LabelAnswers) for part in parts):
        return list_labels(parts)
    return list_sentences(parts, label_names(run))


def _weigh(listed: AnswerList | None) -> int:
    return 0 if listed is None else len(listed)
