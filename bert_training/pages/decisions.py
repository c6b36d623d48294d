"""What waits for a decision of the reader: each one line with one thing to do, and a way to put it aside.

Each kind is asked for by one query and shows the newest few, so that the page costs the same however much there is.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bert_training import access
from bert_training.contract.enums import TERMINAL_STATUSES, DatasetStatus, JobStatus, ShareLevel, WorkerState
from bert_training.models import (
    AccessToken,
    Dataset,
    Erasure,
    ErasureCopy,
    Invitation,
    PutAside,
    Run,
    Worker,
)
from bert_training.models.home import DecisionKind
from bert_training.models.reasons import explain
from bert_training.pages.judged_runs import judged_runs
from bert_training.pages.tokens import expiry_words
from bert_training.token_form import DAYS_BEFORE_WARNING

MOST_OF_A_KIND = 5
REMEMBERED = timedelta(days=30)  # what nobody has decided in that time decides itself
CONFIRMS_WITHIN = timedelta(days=1)
SILENT_FOR = timedelta(minutes=10)  # a restart takes less


@dataclass(frozen=True)
class Decision:
    """One line: what it is about, what happened, and the one thing to do. number: of its row, to put it aside."""

    kind: DecisionKind
    number: int
    subject: str
    text: str
    action: str
    address: str
    since: datetime
    advice: str = ""
    is_urgent: bool = False

    @property
    def ago(self) -> str:
        """Say how long ago it happened."""
        if timezone.now() - self.since < timedelta(minutes=1):
            return _("just now")
        return _("%(time)s ago") % {"time": timesince(self.since)}


def decisions_for(user: User) -> list[Decision]:
    """Return all that waits for somebody, the newest first, what is urgent before it."""
    found = [decision for source in _sources(user) for decision in source(user)]
    return sorted(found, key=lambda decision: (decision.is_urgent, decision.since), reverse=True)


def _sources(user: User) -> Iterator[Callable[[User], Iterable[Decision]]]:
    if access.may_train(user):
        yield from (failed_runs, runs_to_judge, ended_repeats, refused_datasets)
    if access.may_read(user):
        yield open_erasures
    if access.may_operate(user):
        yield from (silent_workers, ending_tokens)
    if access.may_administer(user):
        yield open_invitations


def _not_aside(rows: QuerySet[Any], user: User, kind: DecisionKind, moment: str) -> QuerySet[Any]:
    """Keep the newest rows that somebody has not put aside since they happened."""
    aside = PutAside.objects.filter(user=user, kind=kind.value, number=OuterRef("pk"), put_at__gte=OuterRef(moment))
    return rows.filter(~Exists(aside)).order_by(f"-{moment}")[:MOST_OF_A_KIND]


def _ended_lately(user: User, **wanted: Any) -> QuerySet[Run]:
    since = timezone.now() - REMEMBERED
    return Run.objects.filter(owner=user, repeat_of=None, is_example=False, finished_at__gt=since, **wanted)


def failed_runs(user: User) -> Iterator[Decision]:
    """Yield the person's runs that failed and were not trained anew since."""
    again = Run.objects.filter(reproduced_from=OuterRef("pk"))
    failed = _ended_lately(user, status=JobStatus.FAILED).filter(~Exists(again))
    listed = list(_not_aside(failed, user, DecisionKind.RUN_FAILED, "finished_at"))
    usable = access.datasets_visible_to(user, ShareLevel.USE).filter(status=DatasetStatus.READY)
    at_hand = set(usable.filter(pk__in=[run.dataset_id for run in listed]).values_list("pk", flat=True))
    for run in listed:
        words, may_reproduce = explain(run.error_code), run.dataset_id in at_hand
        yield Decision(
            kind=DecisionKind.RUN_FAILED,
            number=run.pk,
            subject=run.name,
            text=str(words.sentence),
            advice=str(words.advice),
            action=_("Train again") if may_reproduce else _("Look at the run"),
            address=_with_changes(run) if may_reproduce else reverse("pages:run", args=[run.pk]),
            since=run.finished_at,
            is_urgent=True,
        )


def _with_changes(run: Run) -> str:
    """Return the form of a new run, filled as this one was: the same settings would fail the same way."""
    return f"{reverse('pages:run-new')}?dataset={run.dataset_id}&like={run.pk}"


def runs_to_judge(user: User) -> Iterator[Decision]:
    """Yield the person's finished runs whose model is not to be used as it is, or whose labels are doubted."""
    ended = _ended_lately(user, status=JobStatus.COMPLETED, proof__isnull=False)
    newest = _not_aside(ended, user, DecisionKind.RUN_TO_JUDGE, "finished_at")
    for judged in judged_runs(newest):
        run, has_doubts = judged.run, judged.doubted > 0
        assert run.finished_at is not None  # it is among those that have ended lately
        yield Decision(
            kind=DecisionKind.RUN_TO_JUDGE,
            number=run.pk,
            subject=run.name,
            text=judged.sentence,
            advice=judged.doubts_sentence,
            action=_("Look at the doubted labels") if has_doubts else _("See the result"),
            address=reverse("pages:run-label-errors" if has_doubts else "pages:run", args=[run.pk]),
            since=run.finished_at,
        )


def ended_repeats(user: User) -> Iterator[Decision]:
    """Yield the person's runs of whose repeats the last has ended."""
    since = timezone.now() - REMEMBERED
    ended = Run.objects.filter(repeat_of__owner=user, finished_at__gt=since)
    repeats = Run.objects.filter(repeat_of=OuterRef("pk"))
    going_on = repeats.exclude(status__in=TERMINAL_STATUSES)
    last = repeats.order_by("-finished_at").values("finished_at")[:1]
    runs = Run.objects.filter(~Exists(going_on), pk__in=ended.values("repeat_of")).annotate(ended_at=Subquery(last))
    for run in _not_aside(runs, user, DecisionKind.REPEATS_ENDED, "ended_at"):
        yield Decision(
            kind=DecisionKind.REPEATS_ENDED,
            number=run.pk,
            subject=run.name,
            text=_("All its repeats have ended: see how much of the result is chance."),
            action=_("Compare the repeats"),
            address=reverse("pages:run", args=[run.pk]) + "#repeats",
            since=run.ended_at,
        )


def refused_datasets(user: User) -> Iterator[Decision]:
    """Yield the person's spreadsheets that were refused and can be mended."""
    since = timezone.now() - REMEMBERED
    refused = Dataset.objects.filter(
        owner=user, status=DatasetStatus.REFUSED, deleted_at=None, created_at__gt=since
    ).only("name", "created_at")
    for dataset in _not_aside(refused, user, DecisionKind.DATASET_REFUSED, "created_at"):
        yield Decision(
            kind=DecisionKind.DATASET_REFUSED,
            number=dataset.pk,
            subject=dataset.name,
            text=_("The spreadsheet was refused: its page says which cells, and how to mend them."),
            action=_("Mend the spreadsheet"),
            address=reverse("pages:dataset", args=[dataset.pk]),
            since=dataset.created_at,
            is_urgent=True,
        )


def open_erasures(user: User) -> Iterator[Decision]:
    """Yield the deletions that a computer or the store has not confirmed within a day."""
    copies = ErasureCopy.objects.open().filter(erasure=OuterRef("pk"))
    late = access.erasures_visible_to(user).filter(created_at__lt=timezone.now() - CONFIRMS_WITHIN)
    late = late.filter(Exists(copies) | ~Q(stored=[]))
    erasure: Erasure
    for erasure in _not_aside(late, user, DecisionKind.ERASURE_OPEN, "created_at"):
        yield Decision(
            kind=DecisionKind.ERASURE_OPEN,
            number=erasure.pk,
            subject=erasure.name,
            text=_("Deleted more than a day ago, and not confirmed everywhere yet."),
            action=_("See where it is left"),
            address=reverse("pages:erasure", args=[erasure.pk]),
            since=erasure.created_at,
        )


def silent_workers(user: User) -> Iterator[Decision]:
    """Yield the computers that were there and are not heard any more; who said that they end are not missed."""
    now = timezone.now()
    silent = access.workers_visible_to(user).filter(
        active=True, last_seen_at__lt=now - SILENT_FOR, last_seen_at__gt=now - REMEMBERED
    )
    worker: Worker
    silent = silent.exclude(state=WorkerState.STOPPED)
    for worker in _not_aside(silent, user, DecisionKind.WORKER_SILENT, "last_seen_at"):
        assert worker.last_seen_at is not None
        since = date_format(timezone.localtime(worker.last_seen_at), "SHORT_DATETIME_FORMAT")
        yield Decision(
            kind=DecisionKind.WORKER_SILENT,
            number=worker.pk,
            subject=worker.name,
            text=_("No sign of life since %(time)s.") % {"time": since},
            advice=_("Is the PC switched on, is the program running, does it reach the portal?"),
            action=_("Look at the computers"),
            address=reverse("pages:workers"),
            since=worker.last_seen_at,
            is_urgent=True,
        )


def ending_tokens(user: User) -> Iterator[Decision]:
    """Yield the computers whose token ends soon: without a new one they are refused."""
    soon = timezone.now() + timedelta(days=DAYS_BEFORE_WARNING)
    ending = AccessToken.objects.usable().filter(worker__active=True, replaced_by=None, expires_at__lt=soon)
    may_rotate = access.may_administer(user)
    token: AccessToken
    for token in _not_aside(ending.select_related("worker"), user, DecisionKind.TOKEN_ENDS, "created_at"):
        assert token.worker is not None
        rotate = reverse("admin:bert_training_worker_rotate_token", args=[token.worker_id])
        yield Decision(
            kind=DecisionKind.TOKEN_ENDS,
            number=token.pk,
            subject=token.worker.name,
            text=_("Its token %(expires)s; after that the portal refuses it.") % {"expires": expiry_words(token)},
            action=_("Make a new token") if may_rotate else _("Look at the computers"),
            address=rotate if may_rotate else reverse("pages:workers"),
            since=token.created_at,
        )


def open_invitations(user: User) -> Iterator[Decision]:
    """Yield the invitations that nobody has used yet."""
    waiting = Invitation.objects.pending().annotate(now=Now())
    for invitation in _not_aside(waiting, user, DecisionKind.INVITATION_OPEN, "created_at"):
        is_over = invitation.expires_at <= invitation.now
        until = date_format(timezone.localtime(invitation.expires_at), "SHORT_DATE_FORMAT")
        over, still = _("The invitation ended on %(date)s unused."), _("The invitation waits until %(date)s.")
        yield Decision(
            kind=DecisionKind.INVITATION_OPEN,
            number=invitation.pk,
            subject=invitation.full_name,
            text=(over if is_over else still) % {"date": until},
            action=_("Send it again") if is_over else _("Look at the invitation"),
            address=reverse("admin:bert_training_invitation_change", args=[invitation.pk]),
            since=invitation.created_at,
        )


def how_many(decisions: list[Decision]) -> str:
    """Say how many there are."""
    count = len(decisions)
    return ngettext("%(count)s thing waits for you", "%(count)s things wait for you", count) % {"count": count}
