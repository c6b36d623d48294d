"""Whether somebody needs a second factor and has none: staff do, where REQUIRE_STAFF_2FA says so.

Asked of sessions. A token is a credential of its own and goes on to work: making one needs a session that has passed.
"""

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from bert_training.contract.enums import AuditKind
from bert_training.services.audit import record


def is_required_of(user: User) -> bool:
    """Tell whether somebody may not be without a second factor."""
    return bool(settings.REQUIRE_STAFF_2FA) and user.is_staff


def has_second_factor(user: User) -> bool:
    """Tell whether somebody is asked for a code when they sign in. One query."""
    return bool(Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists())


def lacks_second_factor(user: User) -> bool:
    """Tell whether somebody must set one up before anything else. No query unless it is required."""
    return is_required_of(user) and not has_second_factor(user)


@transaction.atomic
def reset_second_factor(person: User) -> bool:
    """Take the second factor from somebody who lost it, recovery codes too; tells whether there was one."""
    deleted, _of_each = Authenticator.objects.filter(user=person).delete()
    if deleted:
        record(AuditKind.TWO_FACTOR_RESET, target=person)
    return bool(deleted)
