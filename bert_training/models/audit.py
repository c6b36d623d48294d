"""The audit: who did what to which row, from where. Rows are added and never changed or deleted.

People, workers and targets are plain values: an event outlives what it is about. No event holds a text, a name of a
dataset or run, or a secret.
"""

from typing import Any, NoReturn

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from bert_training.models.audit_words import audit_kind_choices


class AppendOnly(TypeError):
    """Somebody tried to change or delete an audit event."""

    def __init__(self) -> None:
        super().__init__("Audit events are never changed nor deleted: record another one.")


class AuditQuerySet(models.QuerySet["AuditEvent"]):
    """Events can be read and added."""

    def update(self, **_values: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnly

    def delete(self) -> NoReturn:
        """Refuse."""
        raise AppendOnly

    def bulk_update(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnly


class AuditEvent(models.Model):
    """One thing that somebody did, or was refused. A trigger of the database refuses UPDATE and DELETE too.

    A migration that changes the table makes SQLite build it anew, without its triggers: it must make them again.
    """

    at = models.DateTimeField(_("time"), db_default=Now(), editable=False)
    kind = models.CharField(_("event"), max_length=30, choices=audit_kind_choices)
    # Neither person nor worker: the system did it, or somebody who was not signed in.
    actor_id = models.BigIntegerField(_("number of the person"), null=True)
    actor_name = models.CharField(_("person"), max_length=150, blank=True)
    worker_id = models.BigIntegerField(_("number of the computer"), null=True)
    worker_name = models.CharField(_("computer"), max_length=100, blank=True)
    token_prefix = models.CharField(_("token"), max_length=20, blank=True)
    target_kind = models.CharField(_("kind of row"), max_length=40, blank=True)
    target_id = models.BigIntegerField(_("number of the row"), null=True)
    facts = models.JSONField(_("facts"), default=dict)
    request_id = models.CharField(_("request"), max_length=64, blank=True)
    address = models.CharField(_("address"), max_length=45, blank=True)

    objects = AuditQuerySet.as_manager()

    class Meta:
        db_table = "bert_audit_events"
        ordering = ("-id",)
        default_permissions = ("view",)
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        indexes = [
            models.Index(fields=["at"], name="ix_bert_audit_at"),
            models.Index(fields=["kind", "id"], name="ix_bert_audit_kind"),
            models.Index(fields=["actor_id", "id"], name="ix_bert_audit_actor"),
            models.Index(fields=["worker_id", "id"], name="ix_bert_audit_worker"),
            models.Index(fields=["target_kind", "target_id", "id"], name="ix_bert_audit_target"),
            models.Index(fields=["request_id"], name="ix_bert_audit_request"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"

    def save(self, **kwargs: Any) -> None:
        """Add the row; one that is there is not written again."""
        if not self._state.adding:
            raise AppendOnly
        super().save(**{**kwargs, "force_insert": True})

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnly
