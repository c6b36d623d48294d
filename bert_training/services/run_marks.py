"""What people write on a run after it was made: its name, tags and notes, and whether it is in the archive.

The archive only hides: nothing is deleted, and whoever asks for it sees it all.
"""

from collections.abc import Collection, Iterable

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from bert_training import access
from bert_training.contract.enums import TERMINAL_STATUSES, AuditKind, ErrorCode, ShareLevel
from bert_training.contract.text import clean_name, clean_text
from bert_training.models import Run, RunTag
from bert_training.models.run import NOTES_CHARACTERS
from bert_training.models.run_tag import TAG_CHARACTERS, TAGS_OF_A_RUN
from bert_training.services.audit import record
from bert_training.services.errors import ServiceError


def tag_name(text: str) -> str:
    """Write a tag as all are kept, so that "Urgente " and "urgente" are one: small letters, single spaces, no comma."""
    return " ".join(clean_text(text).replace(",", " ").split()).lower()


def tag_names(texts: Iterable[str]) -> list[str]:
    """Return the tags that are meant, each once. Raises ServiceError invalid_field for too many or too long a one."""
    names = list(dict.fromkeys(name for text in texts if (name := tag_name(text))))
    if len(names) > TAGS_OF_A_RUN:
        message = _("A run has at most %(count)s tags.") % {"count": TAGS_OF_A_RUN}
        raise ServiceError(ErrorCode.INVALID_FIELD, message)
    if any(len(name) > TAG_CHARACTERS for name in names):
        message = _("A tag has at most %(count)s characters.") % {"count": TAG_CHARACTERS}
        raise ServiceError(ErrorCode.INVALID_FIELD, message)
    return names


@transaction.atomic
def update_run(
    run: Run,
    *,
    name: str | None = None,
    tags: Iterable[str] | None = None,
    notes: str | None = None,
    is_archived: bool | None = None,
) -> None:
    """Write on a run; None leaves a thing as it is. Raises ServiceError invalid_field, or in_use before its end."""
    changed = []
    if name is not None:
        run.name = clean_name(name)
        changed.append("name")
    if notes is not None and notes != run.notes:
        run.notes = clean_text(notes).strip()[:NOTES_CHARACTERS]
        changed.append("notes")
    run.save(update_fields=changed)
    if tags is not None and _set_tags(run, tag_names(tags)):
        changed.append("tags")
    if changed:
        record(AuditKind.RUN_CHANGED, target=run, fields=changed)
    if is_archived is not None:
        _require_ended(run, is_archived=is_archived)
        _archive(Run.objects.filter(pk=run.pk), is_archived=is_archived)


def _require_ended(run: Run, *, is_archived: bool) -> None:
    if is_archived and not run.is_finished:
        message = _("A run that waits or trains stays in the list: cancel it first, or wait for its end.")
        raise ServiceError(ErrorCode.IN_USE, message, http_status=409)


def archivable_runs(user: User, pks: Collection[int], *, is_archived: bool) -> QuerySet[Run]:
    """Return which of these runs somebody may put away, or take back: those that they manage and that have ended."""
    managed = access.runs_visible_to(user, ShareLevel.MANAGE).filter(pk__in=pks)
    return managed.filter(status__in=TERMINAL_STATUSES, archived_at__isnull=is_archived)


@transaction.atomic
def archive_runs(user: User, pks: Collection[int], *, is_archived: bool) -> int:
    """Put runs away or take them back, as far as somebody may. Returns how many."""
    return _archive(archivable_runs(user, pks, is_archived=is_archived), is_archived=is_archived)


def _archive(runs: QuerySet[Run], *, is_archived: bool) -> int:
    moved = list(runs.filter(archived_at__isnull=is_archived).values_list("pk", flat=True))
    Run.objects.filter(pk__in=moved).update(archived_at=timezone.now() if is_archived else None)
    for pk in moved:
        record(AuditKind.RUN_CHANGED, target=Run(pk=pk), fields=["archived_at"], archived=is_archived)
    return len(moved)


def _set_tags(run: Run, names: list[str]) -> bool:
    """Give a run these tags and no others; tells whether that changed anything."""
    before = set(run.tags.values_list("name", flat=True))
    run.tags.exclude(name__in=names).delete()
    new = [RunTag(run=run, name=name) for name in names if name not in before]
    RunTag.objects.bulk_create(new, ignore_conflicts=True)  # twice at once is once
    return before != set(names)
