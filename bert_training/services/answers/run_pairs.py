"""Several runs on the same test rows, each set against the first; computed once for the same answers, then kept.

A few are computed while somebody waits, more in the background: 8 runs with 20,000 test rows of 50 classes take 1.2 s.
"""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any, cast

from django.core.cache import cache
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from bert_training.contract.enums import ErrorCode, PredictionSource, Split
from bert_training.data.predicting.prediction_files import read_part
from bert_training.data.predicting.predictions import Predictions, in_row_order, merge
from bert_training.data.proof.agreement import with_names
from bert_training.data.proof.paired import Paired, pair
from bert_training.models import Run, RunProof
from bert_training.services.answers.row_lists import lists_sentences
from bert_training.services.answers.same_rows import comparable, stored_answers
from bert_training.services.errors import ServiceError
from bert_training.services.proving.predictions import label_names
from bert_training.services.stored_files import stored_copy
from bert_training.tasks import TASKS

logger = logging.getLogger(__name__)

PAIR_FUNCTION = "bert_training.background.pair_runs"
KEPT_SECONDS = 7 * 24 * 3600
ASKED_SECONDS = 600  # the background is asked once
# Answers in the files of all runs, of every source and split: a test row stands there about four times.
LABELS_AT_ONCE, SENTENCES_AT_ONCE = 800_000, 60_000


def paired_runs(runs: Sequence[Run], stored: Mapping[int, RunProof]) -> list[Paired] | None:
    """Return what `pair` finds of comparable runs, in their order; None while the background computes it.

    Raises ServiceError not_found, DatasetGone, StorageAway.
    """
    key = _key(runs, stored)
    kept = cache.get(key)
    if kept is not None:
        return cast(list[Paired], kept)
    most = SENTENCES_AT_ONCE if lists_sentences(runs[0]) else LABELS_AT_ONCE
    if sum(stored[run.pk].rows for run in runs) > most:
        if cache.add(f"{key}:asked", "asked", ASKED_SECONDS):
            async_task(PAIR_FUNCTION, [run.pk for run in runs])
        return None
    return _pair_now(runs, stored)


def pair_stored_runs(pks: Sequence[int]) -> None:
    """Compute in the background what would take somebody who waits too long."""
    found = Run.objects.select_related("dataset").in_bulk(pks)
    runs = [found[pk] for pk in pks if pk in found]
    stored = stored_answers(runs)
    same, refused = comparable(runs, stored)
    if len(same) > 1 and not refused and len(same) == len(pks):
        _pair_now(same, stored)
        logger.info("runs paired", extra={"runs": list(pks)})


def _pair_now(runs: Sequence[Run], stored: Mapping[int, RunProof]) -> list[Paired]:
    spec = TASKS[runs[0].task]
    names = list(dict.fromkeys(name for run in runs for name in label_names(run)))
    sources = [with_names(_on_test(stored[run.pk]), label_names(run), names) for run in runs]
    metric = spec.deciding_metric(runs[0].hyperparameters).name
    seed = int(runs[0].hyperparameters.get("seed", 0))
    found = pair(sources, judgement=spec.judgement, names=names, metric=metric, seed=seed)
    cache.set(_key(runs, stored), found, KEPT_SECONDS)
    return found


def _on_test(stored: RunProof) -> Predictions:
    with stored_copy(stored.key, stored.sha256) as path:
        parts = merge(read_part(path, PredictionSource.NETWORK, Split.TEST))
    if not parts:
        raise ServiceError(ErrorCode.NOT_FOUND, _("The portal has no answers for test rows of one of these runs."))
    return in_row_order(parts[0])


def _key(runs: Sequence[Run], stored: Mapping[int, RunProof]) -> str:
    """Name a comparison by all that it is computed from."""
    first = runs[0]
    metric = TASKS[first.task].deciding_metric(first.hyperparameters).name
    answers = [[stored[run.pk].sha256, label_names(run)] for run in runs]
    facts: list[Any] = [first.task, metric, first.hyperparameters.get("seed"), answers]
    return f"paired:1:{hashlib.sha256(json.dumps(facts).encode()).hexdigest()}"
