"""What becomes of the test rows if only sure answers are accepted, in sentences: a description, not a promise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from bert_training.data.proof.shape import CoveragePoint, Figure, Proof
from bert_training.pages.result_view import ResultView
from bert_training.services.proving.figure_words import interval_text, round_share_text, share_text

ERROR_LIMIT = 0.05  # of what is decided without a person, as offices ask for it
USUAL = 0.9


@dataclass(frozen=True)
class Threshold:
    """A threshold that can be chosen. value: as the address has it."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True)
class ShownCoverage:
    """chosen: what comes of the chosen threshold.  limit: where errors are few.  carried: of the form."""

    chosen: str
    limit: str
    caution: str
    thresholds: list[Threshold]
    carried: Mapping[str, str]


def shown_coverage(proof: Proof, view: ResultView) -> ShownCoverage | None:
    """Return the sentences; None where the proof has no probabilities, or is of an older program."""
    points = proof.get("coverage")
    if not points:
        return None
    lasting = limit_point(points)
    limit = lasting or next((each for each in points if _are_few_wrong(each)), None)
    chosen = _nearest(points, view.threshold if view.threshold is not None else limit["threshold"] if limit else USUAL)
    return ShownCoverage(
        chosen=point_sentence(chosen, is_entities="entities" in proof),
        limit=_limit_sentence(limit, is_lasting=lasting is not None),
        caution=_caution(limit),
        thresholds=[
            Threshold(f"{each['threshold']:g}", round_share_text(each["threshold"]), each is chosen) for each in points
        ],
        carried=view.beside("threshold"),
    )


def limit_point(points: Sequence[CoveragePoint]) -> CoveragePoint | None:
    """Return the lowest threshold from which errors stay within the limit, whatever higher one is chosen."""
    found = None
    for point in reversed(points):
        if not _are_few_wrong(point):
            break
        found = point
    return found


def _are_few_wrong(point: CoveragePoint) -> bool:
    return (point["wrong"]["value"] or 0.0) <= ERROR_LIMIT


def point_sentence(point: CoveragePoint, *, is_entities: bool) -> str:
    """Say what comes of one threshold."""
    words = _(
        "If only answers with a confidence of %(threshold)s or more are accepted, the model decides %(taken)s of the "
        "rows by itself and %(wrong)s of these are wrong; a person looks at the other %(left)s."
    )
    if is_entities:
        words = _(
            "If only entities with a confidence of %(threshold)s or more are accepted, %(taken)s of those that the "
            "model found are kept and %(wrong)s of these are wrong; a person looks at the other %(left)s."
        )
    values = {
        "threshold": round_share_text(point["threshold"]),
        "taken": _with_interval(point["taken"]),
        "wrong": _with_interval(point["wrong"]),
        "left": share_text(1.0 - (point["taken"]["value"] or 0.0)),
    }
    return words % values


def _limit_sentence(limit: CoveragePoint | None, *, is_lasting: bool) -> str:
    most = round_share_text(ERROR_LIMIT)
    if limit is None:
        return _("At no threshold are at most %(most)s of the accepted answers wrong.") % {"most": most}
    if not is_lasting:  # above it so few answers are left that a single error is more than the limit
        words = _(
            "At most %(most)s of the accepted answers are wrong at %(threshold)s, but not at every higher threshold."
        )
        return words % {"most": most, "threshold": round_share_text(limit["threshold"])}
    if not limit["threshold"]:
        return _("At most %(most)s are wrong even when every answer is accepted.") % {"most": most}
    words = _("At most %(most)s of the accepted answers are wrong from a confidence of %(threshold)s on.")
    return words % {"most": most, "threshold": round_share_text(limit["threshold"])}


def _caution(limit: CoveragePoint | None) -> str:
    """Say that another threshold may suit other rows, and how bad it may really be there."""
    said = _("This describes these test rows and promises nothing about new texts: the threshold was read off them.")
    worst = limit["wrong"]["high"] if limit else None
    if worst is None or worst <= ERROR_LIMIT:
        return said
    doubt = _("Among other rows of the same kind up to %(worst)s of the accepted answers may be wrong.")
    return f"{said} {doubt % {'worst': share_text(worst)}}"


def _nearest(points: Sequence[CoveragePoint], threshold: float) -> CoveragePoint:
    return min(points, key=lambda point: abs(point["threshold"] - threshold))


def _with_interval(figure: Figure) -> str:
    between = interval_text(figure, share_text)
    return f"{share_text(figure['value'])} ({between})" if between else share_text(figure["value"])
