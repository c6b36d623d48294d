"""Says in the reader's language what the profile of a dataset found, for pages and API alike."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from bert_training.data.profiling.personal_data import Kind
from bert_training.data.profiling.quality import Part, judge_quality
from bert_training.data.profiling.token_lengths import LIMITS, share_cut
from bert_training.data.table import PART_STRIDE, PARTS
from bert_training.models import Dataset, TokenLengths
from bert_training.models.choices import SPLIT_LABELS

KIND_LABELS = {
    Kind.CPF: gettext_noop("CPF (person)"),
    Kind.CNPJ: gettext_noop("CNPJ (company)"),
    Kind.PROCESS: gettext_noop("Process number"),
    Kind.OAB: gettext_noop("OAB (lawyer)"),
    Kind.EMAIL: gettext_noop("E-mail address"),
    Kind.TELEPHONE: gettext_noop("Telephone number"),
}


@dataclass(frozen=True)
class ShownPart:
    """One part of the quality score; points is None while it is not known."""

    name: str
    label: str
    weight: int
    points: float | None
    reason: str


@dataclass(frozen=True)
class ShownQuality:
    """The quality score with the reasons for it."""

    score: int
    parts: list[ShownPart]


def shown_quality(dataset: Dataset, content: Mapping[str, Any], lengths: Sequence[TokenLengths]) -> ShownQuality:
    """Score a dataset by its profile, by what its check counted, and by the newest lengths in tokens if there are."""
    counted = lengths[0].content if lengths else None
    cut_share = None if counted is None else share_cut(counted, counted["max_length"])
    quality = judge_quality(content, dataset.report.get("counts", {}), cut_share=cut_share)
    return ShownQuality(quality.score, [_shown_part(part) for part in quality.parts])


def kind_label(kind: str) -> str:
    """Name a kind of personal data."""
    return _(KIND_LABELS[Kind(kind)])


def row_names(rows: Iterable[int]) -> str:
    """Name rows as a person finds them: 17, or validation 17 in the file that was sent for validation."""
    places = [divmod(row, PART_STRIDE) for row in rows]
    return ", ".join(f"{SPLIT_LABELS[PARTS[part]]} {row}" if part else str(row) for part, row in places)


def shares_cut(lengths: TokenLengths) -> dict[int, float | None]:
    """Return the share of texts that each usual max_length, and that of the run, would cut."""
    return {limit: share_cut(lengths.content, limit) for limit in sorted({*LIMITS, lengths.content["max_length"]})}


def _shown_part(part: Part) -> ShownPart:
    values = {name: number_format(value, force_grouping=True) for name, value in part.values.items()}
    return ShownPart(part.name, _(part.label), part.weight, part.points, _(part.reason) % values)
