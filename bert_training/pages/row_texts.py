"""The texts of rows on pages that list them: for who may see them, cut where they are long, else why there are none."""

from collections.abc import Collection, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from bert_training import access
from bert_training.models import Run
from bert_training.services.errors import DatasetGone, StorageAway
from bert_training.services.stored_files import read_some_rows
from bert_training.tasks import TASKS

SHORT_CHARACTERS = 160
TEXT_CHARACTERS = 5000  # the rest is in the spreadsheet


def row_values(user: User, run: Run, rows: Collection[int]) -> tuple[Mapping[int, Any], str]:
    """Return what the column of texts holds in some rows for who may see it, or why there is nothing."""
    if run.dataset.deleted_at is not None or run.task not in TASKS:
        return {}, _("The dataset of this run was deleted: only the numbers of the rows are left.")
    if not access.may_see_texts(user, run):
        return {}, _("The texts of this run are not shared with you: rows are named by their numbers.")
    name = TASKS[run.task].columns[0].name
    try:
        found = read_some_rows(run.dataset, set(rows))
    except (DatasetGone, StorageAway) as refusal:
        return {}, refusal.message
    return {row: values[name] for row, values in found.items()}, ""


def cut(text: str, characters: int) -> str:
    """Cut a text that has no room."""
    return text if len(text) <= characters else text[:characters].rstrip() + " …"
