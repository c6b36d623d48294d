"""The doubted labels of a run, as page, API and workbook need them; texts stay in the dataset.

A proof holds 1,000 of them at most (data.label_errors), so that a list of them is narrowed in memory.
"""

from collections import Counter
from collections.abc import Sequence

from django.db.models import F
from django.utils.translation import gettext as _

from bert_training.contract.enums import PredictionSource, ProofStatus
from bert_training.data.doubting.label_errors import MOST_SUSPECTS
from bert_training.data.proof.shape import PROOF_VERSION, LabelErrors, Suspect
from bert_training.models import Run, RunProof

NO_ENTITY = "-"  # in addresses, where "" stands for all; no type of entities is called so, though a label may be
STRONG, CLEAR = 0.9, 0.7  # of 1, as far as the model that doubts knows


def doubted_labels(run: Run) -> LabelErrors | None:
    """Return what a run's proof says of them and nothing else of it; None where nobody has looked. One query."""
    ready = RunProof.objects.filter(run=run, status=ProofStatus.READY, content__version=PROOF_VERSION)
    found: LabelErrors | None = ready.values_list(F("content__label_errors"), flat=True).first()
    return found


def is_cut(suspects: Sequence[Suspect]) -> bool:
    """Tell whether there may be more than are listed."""
    return len(suspects) >= MOST_SUSPECTS


def narrow(suspects: Sequence[Suspect], *, split: str = "", given: str = "", suggested: str = "") -> list[Suspect]:
    """Keep those of one split and with these labels; "" leaves all, NO_ENTITY stands for none."""
    wanted = {"split": split, "given": given, "suggested": suggested}
    wanted = {field: value for field, value in wanted.items() if value}
    return [each for each in suspects if all((each[field] or NO_ENTITY) == value for field, value in wanted.items())]  # type: ignore[literal-required]


def frequent_pairs(suspects: Sequence[Suspect], limit: int) -> list[tuple[str, str, int]]:
    """Return (given, suggested, how often), the most frequent first."""
    counts = Counter((each["given"], each["suggested"]) for each in suspects)
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return [(given, suggested, count) for (given, suggested), count in ordered[:limit]]


def source_sentence(found: LabelErrors) -> str:
    """Say who doubts, and what that is worth; of no doubt only who looked."""
    who = _("By the linear method, each time trained without the row.")
    if found["source"] == PredictionSource.NETWORK:
        who = _("By networks that had not seen the row (cross-validation of this run).")
    caution = _("A doubt may be wrong: look at each row.")
    return f"{who} {caution}" if found["suspects"] else who


def label_text(name: str) -> str:
    """Name a label; no entity has no name."""
    return name or _("no entity")


def suggestion_text(given: str, suggested: str) -> str:
    """Name a suggestion; of an entity whose type is right the borders are doubted."""
    words = _("%(name)s with other borders") if given == suggested else "%(name)s"
    return words % {"name": label_text(suggested)}


def doubt_text(doubt: float) -> str:
    """Say in a word how much a label is doubted."""
    if doubt >= STRONG:
        return _("strong doubt")
    return _("clear doubt") if doubt >= CLEAR else _("slight doubt")
