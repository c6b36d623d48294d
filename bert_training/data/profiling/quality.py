"""Scores a dataset from 0 to 100 by its profile, part by part, so that everybody sees what costs points.

The weights and tolerances are ours, written here and shown beside the score: a guide for whoever repairs a spreadsheet,
not a forecast of the figures of a model.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bert_training.contract.wording import gettext_noop

ENOUGH_EXAMPLES = 50  # of each class
# Share of the rows at which a part has lost all its points.
TOLERATED_CONTRADICTIONS = 0.1
TOLERATED_COPIES = 0.3
TOLERATED_NEAR_COPIES = 0.4
TOLERATED_CELLS = 0.1
TOLERATED_CUTS = 0.5

# Findings of the check about single cells that cost points; copies and contradictions have parts of their own.
CELL_CODES = frozenset(
    {
        *("error_cell", "formula_without_value", "merged_cells", "mojibake", "control_characters"),
        *("placeholder_text", "similar_labels", "tags_repaired"),
    }
)

Counts = Mapping[str, int]


@dataclass(frozen=True)
class Part:
    """One part of the score. share: 0..1 of its weight, None when it is not known; reason: message id."""

    name: str
    label: str
    weight: int
    share: float | None
    reason: str
    values: Mapping[str, int] = field(default_factory=dict)

    @property
    def points(self) -> float | None:
        """Return what it adds to the score."""
        return None if self.share is None else round(self.weight * self.share, 1)


@dataclass(frozen=True)
class Quality:
    """The score and its parts; parts that are not known count neither for nor against."""

    score: int
    parts: list[Part]


def judge_quality(content: Mapping[str, Any], problems: Counts, *, cut_share: float | None = None) -> Quality:
    """Score a profile. problems: counts of the check by code; cut_share: texts longer than the usual max_length."""
    parts = [
        _examples(content["classes"]),
        _contradictions(content),
        _cells(content, problems),
        _balance(content["classes"]),
        _copies(content),
        _near_copies(content),
        _fit(cut_share),
    ]
    known = [part for part in parts if part.share is not None]
    reached = sum(part.weight * (part.share or 0) for part in known)
    return Quality(round(100 * reached / sum(part.weight for part in known)), parts)


def _examples(classes: Mapping[str, Any]) -> Part:
    counts = classes["counts"].values()
    few = sum(count < ENOUGH_EXAMPLES for count in counts)
    share = sum(min(1, count / ENOUGH_EXAMPLES) for count in counts) / len(counts) if counts else 0.0
    reason = gettext_noop("Every class has %(enough)s examples or more.")
    if few or not counts:
        reason = gettext_noop(
            "%(few)s of %(classes)s classes have fewer than %(enough)s examples; the smallest has %(smallest)s."
        )
    values = {"enough": ENOUGH_EXAMPLES, "few": few, "classes": classes["number"], "smallest": classes["smallest"]}
    return Part("examples", gettext_noop("Enough examples of each class"), 25, share, reason, values)


def _balance(classes: Mapping[str, Any]) -> Part:
    number, effective = classes["number"], max(1.0, classes["effective"])
    share = math.log(effective) / math.log(number) if number > 1 else 0.0
    reason = gettext_noop("The largest class has %(largest)s examples, the smallest %(smallest)s.")
    values = {"largest": classes["largest"], "smallest": classes["smallest"]}
    return Part("balance", gettext_noop("Classes of similar size"), 10, min(1.0, share), reason, values)


def _contradictions(content: Mapping[str, Any]) -> Part:
    none = gettext_noop("No text occurs with two answers.")
    one = gettext_noop("1 row has a text that occurs with another answer too.")
    some = gettext_noop("%(rows)s rows have a text that occurs with another answer too.")
    rows = content["contradictions"]["rows"]
    share, reason = _lost(rows, content["rows"], TOLERATED_CONTRADICTIONS), _counted(rows, none, one, some)
    return Part("contradictions", gettext_noop("Answers without contradiction"), 20, share, reason, {"rows": rows})


def _cells(content: Mapping[str, Any], problems: Counts) -> Part:
    none = gettext_noop("No cell looked wrong.")
    one = gettext_noop("1 cell looked wrong or had to be mended.")
    some = gettext_noop("%(cells)s cells looked wrong or had to be mended.")
    cells = sum(problems.get(code, 0) for code in CELL_CODES)
    share, reason = _lost(cells, content["rows"], TOLERATED_CELLS), _counted(cells, none, one, some)
    return Part("cells", gettext_noop("Clean cells"), 15, share, reason, {"cells": cells})


def _copies(content: Mapping[str, Any]) -> Part:
    none = gettext_noop("No text is repeated.")
    one = gettext_noop("1 row repeats an earlier text to the letter.")
    some = gettext_noop("%(rows)s rows repeat an earlier text to the letter.")
    rows = content["exact"]["repeated"]
    share, reason = _lost(rows, content["rows"], TOLERATED_COPIES), _counted(rows, none, one, some)
    return Part("copies", gettext_noop("Texts without copies"), 10, share, reason, {"rows": rows})


def _near_copies(content: Mapping[str, Any]) -> Part:
    none = gettext_noop("No text is nearly the same as another.")
    one = gettext_noop("1 row is nearly the same as an earlier text.")
    some = gettext_noop("%(rows)s rows are nearly the same as an earlier text.")
    label = gettext_noop("Texts that differ enough")
    if content["near"] is None:
        return Part("near_copies", label, 10, None, gettext_noop("There is too much text to compare all with all."))
    rows = content["near"]["repeated"] - content["exact"]["repeated"]
    share, reason = _lost(rows, content["rows"], TOLERATED_NEAR_COPIES), _counted(rows, none, one, some)
    return Part("near_copies", label, 10, share, reason, {"rows": rows})


def _fit(cut_share: float | None) -> Part:
    label = gettext_noop("Texts that are read to their end")
    if cut_share is None:
        return Part("fit", label, 10, None, gettext_noop("Known once a computer has read the texts for a run."))
    reason = gettext_noop("%(percent)s%% of the texts are longer than what the model reads of them.")
    return Part("fit", label, 10, max(0.0, 1 - cut_share / TOLERATED_CUTS), reason, {"percent": round(100 * cut_share)})


def _counted(count: int, none: str, one: str, some: str) -> str:
    return none if not count else one if count == 1 else some


def _lost(bad: int, rows: int, tolerated: float) -> float:
    return max(0.0, 1 - bad / rows / tolerated) if rows else 0.0
