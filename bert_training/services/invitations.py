"""Invites people and makes their accounts, each once. A link's secret leaves this module once and is never stored."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from bert_training.contract.enums import AuditKind, ErrorCode
from bert_training.models import Invitation, Team
from bert_training.models.token import token_digest
from bert_training.services.audit import record
from bert_training.services.emails import Delivery, Letter, send_letter
from bert_training.services.errors import AlreadyInvited, InvitationClosed, NameTaken

SECRET_BYTES = 32  # 256 bits: their SHA-256 needs no salt (ASVS 6.5.2)
SECRET_CHARACTERS = 43  # of base64 without padding
VALID_DAYS = 7


@dataclass(frozen=True)
class InvitationRequest:
    """Whom to invite, and what the account may do."""

    email: str
    full_name: str
    groups: Collection[Group] = ()
    teams: Collection[Team] = ()
    is_staff: bool = False
    days: int = VALID_DAYS


def invite(wanted: InvitationRequest, *, by: User) -> tuple[Invitation, str]:
    """Make an invitation; returns the row and the secret of its link, which is not to be had again.

    Raises AlreadyInvited.
    """
    email = wanted.email.lower()
    if User.objects.filter(email__iexact=email).exists():
        raise AlreadyInvited(ErrorCode.INVALID_FIELD, _("There is an account with this e-mail already."))
    secret = secrets.token_urlsafe(SECRET_BYTES)
    invitation = Invitation(
        email=email,
        full_name=wanted.full_name,
        is_staff=wanted.is_staff,
        digest=token_digest(secret),
        invited_by=by,
        expires_at=timezone.now() + timedelta(days=wanted.days),
    )
    try:
        with transaction.atomic():
            invitation.save(force_insert=True)
            invitation.groups.set(wanted.groups)
            invitation.teams.set(wanted.teams)
            record(AuditKind.INVITATION_MADE, target=invitation, staff=wanted.is_staff, days=wanted.days)
    except IntegrityError:
        message = _("This e-mail was invited before. Make a new link on that invitation, or withdraw it.")
        raise AlreadyInvited(ErrorCode.INVALID_FIELD, message) from None
    return invitation, secret


def mail_invitation(invitation: Invitation, url: str) -> Delivery:
    """Send the link to the person it is for, in the language of who invites."""
    context: dict[str, object] = {"invitation": invitation, "url": url}
    letter = Letter(_("Your invitation to the BERT Training Portal"), "invitations/email.txt", context)
    return send_letter(invitation.email, letter)


@transaction.atomic
def renew_invitation(invitation: Invitation, *, days: int = VALID_DAYS) -> str:
    """Give an invitation a new link for some days; the old one opens nothing any more. Raises InvitationClosed."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    changed = {"digest": token_digest(secret), "expires_at": timezone.now() + timedelta(days=days)}
    if not Invitation.objects.pending().filter(pk=invitation.pk).update(**changed):
        raise _closed()
    record(AuditKind.INVITATION_MADE, target=invitation, days=days, renewed=True)
    return secret


@transaction.atomic
def withdraw_invitation(invitation: Invitation) -> None:
    """Let an invitation make no account any more. Raises InvitationClosed when it was used or withdrawn before."""
    if not Invitation.objects.pending().filter(pk=invitation.pk).update(withdrawn_at=Now()):
        raise _closed()
    record(AuditKind.INVITATION_REVOKED, target=invitation)


def find_invitation(secret: str) -> Invitation | None:
    """Return the invitation of a link, in whatever state; None for a secret that is no invitation's."""
    if len(secret) != SECRET_CHARACTERS or not secret.isascii():
        return None
    return Invitation.objects.filter(digest=token_digest(secret)).first()


def open_invitation_for(email: str) -> Invitation | None:
    """Return the open invitation of an address that somebody else has verified."""
    return Invitation.objects.open().filter(email__iexact=email).first()


@transaction.atomic
def accept_invitation(invitation: Invitation, *, username: str, password: str | None) -> User:
    """Make the account, once: without a password it signs in by OpenID Connect alone.

    Raises InvitationClosed, AlreadyInvited or NameTaken; then the invitation stays as it was.
    """
    # Compare-and-set: of two that use one link at the same time, the one whose UPDATE hits the row makes the account.
    # The digest is compared too: a link that was replaced while its form was being filled in opens nothing.
    won = Invitation.objects.open().filter(pk=invitation.pk, digest=invitation.digest).update(accepted_at=Now())
    if not won:
        raise _closed()
    if User.objects.filter(email__iexact=invitation.email).exists():
        raise AlreadyInvited(ErrorCode.INVALID_FIELD, _("There is an account with this e-mail already."))
    person = _make_person(invitation, username=username, password=password)
    person.groups.set(invitation.groups.all())
    person.teams.set(invitation.teams.all())
    Invitation.objects.filter(pk=invitation.pk).update(accepted_by=person)
    record(AuditKind.INVITATION_ACCEPTED, actor=person, target=invitation)
    return person


def free_username(wanted: str) -> str:
    """Return a user name that nobody has: the wanted one, or with a number behind it."""
    name, number = wanted, 1
    while User.objects.filter(username__iexact=name).exists():
        number += 1
        name = f"{wanted}{number}"
    return name


def _make_person(invitation: Invitation, *, username: str, password: str | None) -> User:
    first_name, _space, last_name = invitation.full_name.partition(" ")
    if User.objects.filter(username__iexact=username).exists():
        raise _taken()
    try:
        with transaction.atomic():
            return User.objects.create_user(
                username,
                invitation.email,
                password,
                first_name=first_name,
                last_name=last_name,
                is_staff=invitation.is_staff,
            )
    except IntegrityError:
        raise _taken() from None


def _closed() -> InvitationClosed:
    return InvitationClosed(ErrorCode.NOT_FOUND, _("This invitation was used, was withdrawn or has expired."))


def _taken() -> NameTaken:
    return NameTaken(ErrorCode.INVALID_FIELD, _("This user name is taken. Choose another one."))
