"""What the page of a run says of reproductions: the verdict on this one, and those that were made of it."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bert_training import access
from bert_training.contract.enums import Verdict
from bert_training.models import Run
from bert_training.services.reproducing.reproduction import (
    Comparison,
    Reason,
    compare_for,
    first_gone,
    reproductions_of,
)
from bert_training.services.reproducing.reproduction_words import (
    cause_label,
    change_sentence,
    results_of,
    sentences_of,
    value_text,
    verdict_label,
)

SHOWN_CAUSES = 20
BADGES = {
    Verdict.IDENTICAL: "badge-ready",
    Verdict.EQUIVALENT: "badge-ready",
    Verdict.DIFFERENT: "badge-warning",
    Verdict.NOT_COMPARABLE: "badge-plain",
}


@dataclass(frozen=True)
class ShownVerdict:
    """A verdict as a page shows it. causes: (what, first, second), last
    the digests of what came out.  more: how many causes are not shown, in words."""

    label: str
    badge: str
    sentences: list[str]
    causes: list[tuple[str, str, str]]
    more: str
    rows: list[str]


def reproduction_of(run: Run, user: User) -> dict[str, Any]:
    """Return what the page's section shows; nothing where there is neither a first run nor a reproduction."""
    visible = access.runs_visible_to(user)
    own = None
    if run.reproduced_from_id is not None:
        first = visible.filter(pk=run.reproduced_from_id).select_related("dataset", "job").first()
        own = shown_verdict(compare_for(user, first, run) if first else first_gone(), run)
    copies = [(copy, _short(comparison)) for copy, comparison in reproductions_of(run, visible)]
    return {"verdict": own, "reproductions": copies} if own or copies else {}


def shown_verdict(comparison: Comparison, run: Run) -> ShownVerdict:
    """Put a comparison into words."""
    causes = [
        (cause_label(each), value_text(each, each.first), value_text(each, each.second))
        for each in comparison.differences
    ]
    left, rows = len(causes) - SHOWN_CAUSES, comparison.rows
    more = ngettext("%(count)s more difference", "%(count)s more differences", left) % {"count": left}
    return ShownVerdict(
        label=verdict_label(comparison.verdict),
        badge=BADGES[comparison.verdict],
        sentences=sentences_of(comparison, run),
        causes=[*causes[:SHOWN_CAUSES], *results_of(comparison)],
        more=more if left > 0 else "",
        rows=[change_sentence(change) for change in rows["changes"]] if rows else [],
    )


def _short(comparison: Comparison) -> tuple[str, str]:
    """Return badge and word for a list, where nothing is computed."""
    if comparison.reason == Reason.BEING_COMPARED:
        return "badge-plain", _("not compared yet")
    if comparison.reason == Reason.NOT_COMPLETED:
        return "badge-plain", _("not completed")
    return BADGES[comparison.verdict], verdict_label(comparison.verdict)
