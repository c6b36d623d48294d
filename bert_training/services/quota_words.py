"""How much of their quotas people and teams have, in words and as a bar; account page and admin share it."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from django.template.defaultfilters import filesizeformat
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bert_training.contract.enums import QuotaKind
from bert_training.services.proving.figure_words import count_text
from bert_training.services.quotas import Use

LABELS = {
    QuotaKind.DATASETS: gettext_lazy("Datasets"),
    QuotaKind.STORAGE_BYTES: gettext_lazy("Storage"),
    QuotaKind.QUEUED_RUNS: gettext_lazy("Runs in the queue"),
    QuotaKind.GPU_MINUTES: gettext_lazy("GPU minutes this month"),
}


@dataclass(frozen=True)
class ShownUse:
    """percent: how full it is, at most 100; None where there is no limit."""

    label: str
    text: str
    percent: int | None
    note: str


@dataclass(frozen=True)
class ShownHolder:
    """What one person or team has of all quotas. team: its name, "" for the person."""

    team: str
    uses: list[ShownUse]


def shown_holders(uses: Iterable[Use]) -> list[ShownHolder]:
    """Put uses into words, by holder in the order in which they come."""
    return [ShownHolder(team or "", list(map(_shown, own))) for team, own in groupby(uses, key=lambda use: use.team)]


def _shown(use: Use) -> ShownUse:
    label, used = str(LABELS[use.kind]), amount_text(use.kind, use.used)
    if use.limit is None:
        return ShownUse(label, _("%(used)s, no limit") % {"used": used}, None, "")
    text = _("%(used)s of %(limit)s") % {"used": used, "limit": amount_text(use.kind, use.limit)}
    percent = min(100, 100 * use.used // use.limit) if use.limit else 100
    return ShownUse(label, text, percent, _note(use))


def _note(use: Use) -> str:
    if use.resets_at is None:
        return ""
    return _("begins anew on %(date)s") % {"date": date_format(use.resets_at, "SHORT_DATE_FORMAT")}


def amount_text(kind: QuotaKind, amount: int) -> str:
    """Write an amount with its unit."""
    return filesizeformat(amount) if kind is QuotaKind.STORAGE_BYTES else count_text(amount)
