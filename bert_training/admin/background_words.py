"""Words of django-q2's own admin pages, listed so that our catalogue translates them: it has no Portuguese."""

from bert_training.contract.wording import gettext_noop

WORDS = (
    *(gettext_noop("Successful task"), gettext_noop("Successful tasks")),
    *(gettext_noop("Failed task"), gettext_noop("Failed tasks")),
    *(gettext_noop("Scheduled task"), gettext_noop("Scheduled tasks")),
    *(gettext_noop("Queued task"), gettext_noop("Queued tasks")),
    *(gettext_noop("Function"), gettext_noop("Arguments"), gettext_noop("Keyword arguments"), gettext_noop("Result")),
    *(gettext_noop("Started at"), gettext_noop("Stopped at"), gettext_noop("Success"), gettext_noop("Attempt count")),
    *(gettext_noop("Schedule Type"), gettext_noop("Minutes"), gettext_noop("Repeats"), gettext_noop("Next Run")),
    *(gettext_noop("Once"), gettext_noop("Hourly"), gettext_noop("Daily"), gettext_noop("Weekly")),
    *(gettext_noop("Biweekly"), gettext_noop("Monthly"), gettext_noop("Bimonthly"), gettext_noop("Quarterly")),
    *(gettext_noop("Yearly"), gettext_noop("Cron")),
    *(gettext_noop("Cluster"), gettext_noop("Cluster key"), gettext_noop("Payload"), gettext_noop("Lock until")),
)
