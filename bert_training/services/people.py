"""Switches accounts off and on and deletes those that own nothing: what staff do to the accounts of others."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from bert_training.contract.enums import AuditKind, ErrorCode
from bert_training.services.audit import record
from bert_training.services.errors import InUse
from bert_training.services.sessions import end_sessions_of
from bert_training.services.transactions import short_transaction


@short_transaction
def set_person_active(person: User, active: bool) -> None:
    """Switch an account off or on; off, its sessions and tokens open nothing. Raises InUse for the last superuser."""
    if not active:
        require_other_superuser(person)
    changed = User.objects.filter(pk=person.pk).exclude(is_active=active).update(is_active=active)
    if changed and not active:
        end_sessions_of(person)
    if changed:
        record(AuditKind.USER_CHANGED, target=person, did="activated" if active else "deactivated")


def delete_person(person: User) -> None:
    """Delete an account for good; raises InUse when it owns anything, or is the last superuser."""
    with transaction.atomic():
        require_other_superuser(person)
        record(AuditKind.USER_DELETED, target=person, did="deleted")
        try:
            person.delete()
        except ProtectedError:
            message = _("This person owns data or runs, which would go too. Deactivate the account instead.")
            raise InUse(ErrorCode.IN_USE, message) from None


def require_other_superuser(person: User) -> None:
    """Raise InUse when nobody could administer the portal without this person. Stands in the caller's transaction.

    Two superusers that end each other's rights at once take turns here: the second finds itself alone.
    """
    can = {"is_superuser": True, "is_staff": True, "is_active": True}  # without is_staff the administration stays shut
    superusers = User.objects.select_for_update().filter(**can).order_by("pk")
    if list(superusers.values_list("pk", flat=True)) == [person.pk]:
        message = _("This is the last superuser: make somebody else one first, or nobody can administer the portal.")
        raise InUse(ErrorCode.IN_USE, message)
