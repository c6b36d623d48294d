"""Invitations: how somebody gets an account. Of a link only the SHA-256 of its secret is stored."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bert_training.contract.enums import InvitationState
from bert_training.models.team import Team

FULL_NAME_CHARACTERS = 150  # what Django's column of a first name holds


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def pending(self) -> "InvitationQuerySet":
        """Keep those that were neither used nor withdrawn; an expired one may still get a new link."""
        return self.filter(accepted_at__isnull=True, withdrawn_at__isnull=True)

    def open(self) -> "InvitationQuerySet":
        """Keep those that make an account now, by the database's clock."""
        return self.pending().filter(expires_at__gt=Now())

    def expired(self) -> "InvitationQuerySet":
        """Keep those that nobody used in time."""
        return self.pending().filter(expires_at__lte=Now())


class Invitation(models.Model):
    """Somebody who may make one account: with this address, these roles, in these teams."""

    email = models.EmailField(_("e-mail"))
    full_name = models.CharField(_("full name"), max_length=FULL_NAME_CHARACTERS)
    groups = models.ManyToManyField(
        Group, blank=True, related_name="+", verbose_name=_("roles"), db_table="bert_invitation_groups"
    )
    teams = models.ManyToManyField(
        Team, blank=True, related_name="+", verbose_name=_("teams"), db_table="bert_invitation_teams"
    )
    is_staff = models.BooleanField(
        _("staff"), default=False, help_text=_("Administers the portal and sees everything in it.")
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("invited by"),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"))
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)
    accepted_at = models.DateTimeField(_("used"), null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("account"),
    )

    objects = InvitationQuerySet.as_manager()

    class Meta:
        db_table = "bert_invitations"
        ordering = ("-id",)
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                condition=Q(accepted_at__isnull=True, withdrawn_at__isnull=True),
                name="uq_bert_invitations_pending",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True) | Q(withdrawn_at__isnull=True),
                name="ck_bert_invitations_one_end",
            ),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def state(self) -> InvitationState:
        """Return what became of it."""
        if self.accepted_at is not None:
            return InvitationState.ACCEPTED
        if self.withdrawn_at is not None:
            return InvitationState.WITHDRAWN
        return InvitationState.EXPIRED if self.expires_at <= timezone.now() else InvitationState.OPEN
