"""Tokens of workers and of people: only the SHA-256 is stored, the token itself is shown once."""

import hashlib

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bert_training.contract.enums import TokenScope
from bert_training.models.choices import token_scope_choices
from bert_training.models.worker import Worker

_SCOPES = tuple(TokenScope)  # each holds those before it


def token_digest(token: str) -> str:
    """Return the SHA-256 of a token. Unsalted on purpose: the secret has 256 random bits (ASVS 6.5.2)."""
    return hashlib.sha256(token.encode("ascii")).hexdigest()


class AccessTokenQuerySet(models.QuerySet["AccessToken"]):
    def usable(self) -> "AccessTokenQuerySet":
        """Keep the tokens that are neither revoked nor expired, by the database's clock."""
        return self.filter(revoked_at__isnull=True).filter(Q(expires_at__isnull=True) | Q(expires_at__gt=Now()))


class AccessToken(models.Model):
    """Belongs to a worker or to a user, never to both."""

    worker = models.ForeignKey(
        Worker, null=True, blank=True, on_delete=models.CASCADE, related_name="tokens", verbose_name=_("computer")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="access_tokens",
        verbose_name=_("user"),
    )
    label = models.CharField(_("label"), max_length=100, blank=True)
    # Of a person's token only: a worker's opens the addresses of workers, and nothing else.
    scope = models.CharField(_("scope"), max_length=20, blank=True, choices=token_scope_choices)
    prefix = models.CharField(_("begins with"), max_length=20)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    # By rotation: while both are valid the program that uses it is changed over.
    replaced_by = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="replaces",
        verbose_name=_("replaced by"),
    )

    objects = AccessTokenQuerySet.as_manager()

    class Meta:
        db_table = "bert_access_tokens"
        ordering = ("-id",)
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")
        constraints = [
            models.CheckConstraint(
                condition=Q(worker__isnull=False, user__isnull=True) | Q(worker__isnull=True, user__isnull=False),
                name="ck_bert_access_tokens_one_holder",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True) | Q(expires_at__gt=F("created_at")),
                name="ck_bert_access_tokens_expiry",
            ),
            models.CheckConstraint(
                condition=Q(user__isnull=True, scope="")
                | Q(user__isnull=False, scope__in=[str(s) for s in TokenScope]),
                name="ck_bert_access_tokens_scope",
            ),
        ]

    def allows(self, wanted: TokenScope) -> bool:
        """Tell whether the scope holds another; a worker's token has none."""
        return bool(self.scope) and _SCOPES.index(TokenScope(self.scope)) >= _SCOPES.index(wanted)

    def is_usable(self) -> bool:
        """Tell whether it still opens the door, by the clock of this process: for what is shown only."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())

    def __str__(self) -> str:
        return f"{self.prefix}..."
