"""What the kinds of audit events are called."""

from django.utils.translation import gettext_lazy as _

from bert_training.contract.enums import AuditKind
from bert_training.models.choices import Label

AUDIT_LABELS: dict[AuditKind, Label] = {
    AuditKind.SIGNED_IN: _("signed in"),
    AuditKind.SIGN_IN_FAILED: _("sign-in failed"),
    AuditKind.LOCKED_OUT: _("locked out"),
    AuditKind.SIGNED_OUT: _("signed out"),
    AuditKind.SESSIONS_ENDED: _("sessions ended"),
    AuditKind.PASSWORD_CHANGED: _("password changed"),
    AuditKind.PASSWORD_RESET: _("password reset"),
    AuditKind.RESET_LINK_MADE: _("link to reset a password made"),
    AuditKind.TWO_FACTOR_ON: _("second factor switched on"),
    AuditKind.TWO_FACTOR_OFF: _("second factor switched off"),
    AuditKind.TWO_FACTOR_RESET: _("second factor reset by staff"),
    AuditKind.RECOVERY_CODES_MADE: _("recovery codes made"),
    AuditKind.IDENTITY_LINKED: _("outside account linked"),
    AuditKind.INVITATION_MADE: _("invitation made"),
    AuditKind.INVITATION_ACCEPTED: _("invitation accepted"),
    AuditKind.INVITATION_REVOKED: _("invitation revoked"),
    AuditKind.ACCESS_DENIED: _("access denied"),
    AuditKind.TOKEN_REFUSED: _("token refused"),
    AuditKind.RATE_LIMITED: _("limit reached"),
    AuditKind.TOKEN_MADE: _("token issued"),
    AuditKind.TOKEN_FIRST_USED: _("token used for the first time"),
    AuditKind.TOKEN_ROTATED: _("token rotated"),
    AuditKind.TOKEN_REVOKED: _("token revoked"),
    AuditKind.WORKER_REGISTERED: _("computer registered"),
    AuditKind.WORKER_CHANGED: _("computer changed"),
    AuditKind.WORKER_ACTIVATED: _("computer switched on"),
    AuditKind.WORKER_DEACTIVATED: _("computer switched off"),
    AuditKind.WORKER_DRAINING: _("computer told to finish its job and stop"),
    AuditKind.WORKER_DRAINING_ENDED: _("computer told to take jobs again"),
    AuditKind.WORKER_PAUSED: _("computer paused"),
    AuditKind.USER_CREATED: _("person added"),
    AuditKind.USER_CHANGED: _("person changed"),
    AuditKind.USER_DELETED: _("person deleted"),
    AuditKind.ROLE_CREATED: _("role added"),
    AuditKind.ROLE_CHANGED: _("role changed"),
    AuditKind.ROLE_DELETED: _("role deleted"),
    AuditKind.TEAM_CREATED: _("team added"),
    AuditKind.TEAM_CHANGED: _("team changed"),
    AuditKind.TEAM_DELETED: _("team deleted"),
    AuditKind.SHARED: _("shared with a team"),
    AuditKind.UNSHARED: _("no longer shared with a team"),
    AuditKind.QUOTA_CHANGED: _("quota changed"),
    AuditKind.DATASET_UPLOADED: _("dataset uploaded"),
    AuditKind.DATASET_CHANGED: _("dataset changed"),
    AuditKind.DATASET_DELETED: _("dataset deleted"),
    AuditKind.COPIES_FORGOTTEN: _("copies on a computer deleted"),
    AuditKind.MANIFEST_UPLOADED: _("own split uploaded"),
    AuditKind.MANIFEST_FORGOTTEN: _("own split deleted"),
    AuditKind.RUN_CREATED: _("run created"),
    AuditKind.RUN_CHANGED: _("run changed"),
    AuditKind.RUN_REPRODUCED: _("run reproduced"),
    AuditKind.RUN_REPEATED: _("run repeated"),
    AuditKind.RUN_CANCELED: _("run canceled"),
    AuditKind.RUN_FINISHED_EARLY: _("run told to finish early"),
    AuditKind.RUN_DELETED: _("run deleted"),
    AuditKind.QUEUE_REORDERED: _("place in the queue changed"),
    AuditKind.EXPORTED: _("data taken out"),
    AuditKind.GRADES_CHANGED: _("scale of grades changed"),
    AuditKind.BASE_MODEL_CHANGED: _("base model changed"),
    AuditKind.WEBHOOK_CHANGED: _("webhook changed"),
}


def audit_kind_choices() -> list[tuple[str, Label]]:
    """List the kinds of audit events."""
    return [(str(value), label) for value, label in AUDIT_LABELS.items()]
