"""How the admin groups its lists: by what staff do with them, not by which program they come from."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from bert_training.models import (
    AccessToken,
    AuditEvent,
    BaseModel,
    Dataset,
    Dispatch,
    GradeScale,
    Invitation,
    Job,
    JobAttempt,
    Log,
    Metric,
    Quota,
    Run,
    Team,
    Webhook,
    Worker,
)
from bert_training.models.choices import Label

GROUPS: Sequence[tuple[str, Label, Sequence[type[Model]]]] = (
    ("training", _("Training"), (Dataset, Run, Job, JobAttempt, Log, Metric)),
    ("people", _("People and rights"), (User, Team, Group, Invitation, AccessToken, Quota)),
    ("computers", _("Computers and models"), (Worker, BaseModel, GradeScale)),
    ("messages", _("Messages"), (Webhook, Dispatch)),
    ("record", _("Record"), (AuditEvent,)),
)
NAMES: Mapping[type[Model], Label] = {User: _("People"), Group: _("Roles")}  # Django calls them users and groups
OTHERS = "background", _("Work in the background")


def grouped(apps: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Put the entries of Django's apps into our groups; what no group names comes last. Empty groups are left out."""
    entries = {entry["model"]: entry for app in apps for entry in app["models"]}
    shown = [
        _group(name, title, [entries.pop(model) for model in models if model in entries])
        for name, title, models in GROUPS
    ]
    return [group for group in (*shown, _group(*OTHERS, list(entries.values()))) if group["models"]]


def _group(name: str, title: Label, entries: list[dict[str, Any]]) -> dict[str, Any]:
    for entry in entries:
        entry["name"] = NAMES.get(entry["model"], entry["name"])
    return {"name": title, "app_label": name, "app_url": "", "has_module_perms": True, "models": entries}
