"""Every code of the closed lists has a sentence in both languages: a code that was added without its words fails.

Codes that no page shows are named with the reason; a list that nobody thought of fails too.
"""

import inspect
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import pytest
from django.utils import translation

from bert_training.admin.invitations import STATES
from bert_training.contract import enums
from bert_training.data.profiling.personal_data import Kind
from bert_training.models import choices
from bert_training.models.audit_words import AUDIT_LABELS
from bert_training.models.reasons import EXPLANATIONS
from bert_training.pages.account import ROLES
from bert_training.services.profile_words import KIND_LABELS
from bert_training.services.proving import alert_words, verdict_words
from bert_training.services.proving.grades import Grade
from bert_training.services.proving.proof_alerts import Severity
from bert_training.services.proving.verdicts import Verdict
from bert_training.services.quota_words import LABELS as QUOTA_LABELS
from bert_training.services.reproducing.reproduction_words import CAUSE_LABELS, VERDICT_LABELS

Words = Callable[[Any], object]


def among(labels: Mapping[Any, Any]) -> Words:
    """Look a code up in a table of words."""
    return lambda code: labels[code]


WORDS: dict[type[StrEnum], Words] = {
    enums.JobStatus: among(choices.STATUS_LABELS),
    enums.Outcome: among(choices.OUTCOME_LABELS),
    enums.Phase: among(choices.PHASE_LABELS),
    enums.Split: among(choices.SPLIT_LABELS),
    enums.RepeatKind: among(choices.REPEAT_LABELS),
    enums.Verdict: among(VERDICT_LABELS),
    enums.Cause: among(CAUSE_LABELS),
    enums.ProofStatus: among(choices.PROOF_STATUS_LABELS),
    enums.ShareLevel: among(choices.SHARE_LEVEL_LABELS),
    enums.Role: among(ROLES),
    enums.QuotaKind: among(QUOTA_LABELS),
    enums.AuditKind: among(AUDIT_LABELS),
    enums.TokenScope: among(choices.TOKEN_SCOPE_LABELS),
    enums.InvitationState: lambda state: STATES[state][1],
    enums.ErasureKind: among(choices.ERASURE_LABELS),
    enums.CopyState: among(choices.COPY_STATE_LABELS),
    enums.NoticeKind: among(choices.NOTICE_LABELS),
    enums.DispatchState: among(choices.DISPATCH_STATE_LABELS),
    enums.DispatchFailure: among(choices.DISPATCH_FAILURE_LABELS),
    enums.WorkerState: among(choices.WORKER_STATE_LABELS),
    enums.DatasetStatus: among(choices.DATASET_STATUS_LABELS),
    enums.ProfileStatus: among(choices.PROFILE_STATUS_LABELS),
    Severity: among(alert_words.SEVERITY_LABELS),
    Verdict: among(verdict_words.VERDICT_LABELS),
    Grade: among(verdict_words.GRADE_LABELS),
    Kind: among(KIND_LABELS),
    enums.Reason: lambda code: EXPLANATIONS[code].sentence,
}
SHOWN_TO_NOBODY = {
    enums.Directive: "what the portal answers a worker's program",
    enums.Feature: "what a worker's program says that it can do",
    enums.LogLevel: "the program's own words, the same in every language, as they stand in the log",
    enums.PredictionSource: "a column of the file of predictions; pages name the simple methods",
    enums.WorkbookKind: "a part of an address",
    enums.ErrorCode: "a code of the API; each answer has a sentence of its own beside it",
}


def test_every_closed_list_has_words_or_says_why_not() -> None:
    """Those of the contract; others stand beside the code that they belong to."""
    lists = {found for _name, found in inspect.getmembers(enums, inspect.isclass) if found.__module__ == enums.__name__}
    assert lists - WORDS.keys() - SHOWN_TO_NOBODY.keys() == set()


@pytest.mark.parametrize("codes", WORDS, ids=lambda codes: codes.__name__)
def test_every_code_has_words_in_both_languages(codes: type[StrEnum]) -> None:
    for code in codes:
        with translation.override("en"):
            english = str(WORDS[codes](code))
        with translation.override("pt-br"):
            portuguese = str(WORDS[codes](code))
        assert english, code
        assert portuguese, code


def test_every_reason_has_a_sentence_of_its_own() -> None:
    assert len({str(words.sentence) for words in EXPLANATIONS.values()}) == len(enums.Reason)
