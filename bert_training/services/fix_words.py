"""The one-click repairs in the reader's language: what each does, and which of them a report offers."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from bert_training.contract.wording import gettext_noop
from bert_training.data.checks import REPAIRED
from bert_training.data.repairs import Fix

FIX_WORDS = {
    Fix.FIND_HEADER: gettext_noop("Take the row that names the columns as the header, leave out the rows above it"),
    Fix.FILL_MERGED: gettext_noop("Repeat the value of merged cells in every row of them"),
    Fix.LEAVE_OUT_HIDDEN: gettext_noop("Leave out hidden rows"),
    Fix.SWAP_COLUMNS: gettext_noop("Swap the two columns"),
    Fix.MEND_MOJIBAKE: gettext_noop("Mend broken accents (“aÃ§Ã£o” becomes “ação”)"),
    Fix.MASK_PERSONAL_DATA: gettext_noop("Mask personal data (a CPF becomes “[CPF]”)"),
    Fix.STRAIGHTEN_QUOTES: gettext_noop("Read lists that are written with curly or single quotes"),
    Fix.MEND_TAGS: gettext_noop("Write tags in the BIO form (“B_PER” becomes “B-PER”)"),
    Fix.RUNS_TO_ENTITIES: gettext_noop("Make one entity of neighbouring words with the same name"),
    Fix.WORDS_TO_ENTITIES: gettext_noop("Make every word an entity of its own (parts of speech)"),
    Fix.UNIFY_LABELS: gettext_noop("Write labels that look alike as the most frequent of them"),
    Fix.LEAVE_OUT_BAD_ROWS: gettext_noop("Leave out the rows that have an error"),
    Fix.LEAVE_OUT_DUPLICATES: gettext_noop("Keep only the first of rows that repeat text and answer"),
    Fix.LEAVE_OUT_CONTRADICTIONS: gettext_noop("Leave out texts that occur with different answers"),
    Fix.LEAVE_OUT_RARE_CLASSES: gettext_noop("Leave out labels with too few rows"),
}

ALWAYS_OFFERED = (Fix.MASK_PERSONAL_DATA.value,)  # no check finds personal data; the profile does


@dataclass(frozen=True)
class OfferedFix:
    """A repair that somebody may choose, and how many findings it mends."""

    name: str
    label: str
    count: int


def fix_label(name: str) -> str:
    """Say what a repair does; a name that is stored but not known any more stays as it is."""
    return _(FIX_WORDS[Fix(name)]) if name in list(Fix) else name


def fix_choices() -> list[tuple[str, str]]:
    """Return all repairs as the choices of a form."""
    return [(fix.value, fix_label(fix)) for fix in Fix]


def offered_fixes(report: Mapping[str, Any]) -> list[OfferedFix]:
    """Return the repairs that the groups of a report (Report.as_dict(), or a stored one) offer, in Fix's order."""
    counts: Counter[str] = Counter()
    for group in report.get("groups", []):
        if group["code"] != REPAIRED:
            counts.update(_mended(group))
    return [OfferedFix(fix.value, fix_label(fix), counts[fix]) for fix in Fix if counts[fix]]


def _mended(group: Mapping[str, Any]) -> Counter[str]:
    """Count what each repair would mend of a group: all of it, or the findings that name it when there are several."""
    named = Counter(problem["fix"] for problem in group["problems"] if problem["fix"])
    return Counter({group["fix"]: group["count"]}) if set(named) <= {group["fix"]} else named
