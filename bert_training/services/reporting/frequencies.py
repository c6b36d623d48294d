"""Shares as natural frequencies, which people without statistics judge rightly: "93; between 88 and 96" of 100.

Gigerenzer and Hoffrage, "How to improve Bayesian reasoning without instruction: frequency formats", 1995.
"""

from django.utils.translation import gettext as _

from bert_training.data.proof.shape import Figure
from bert_training.services.proving.figure_words import UNKNOWN

WHOLE = 100


def of_hundred(figure: Figure | None) -> str:
    """Say how many of 100, with the 95 % interval; a dash where the figure is not defined."""
    if figure is None or figure["value"] is None:
        return UNKNOWN
    count = _count(figure["value"])
    if figure["low"] is None or figure["high"] is None:
        return str(count)
    words = _("%(count)s; between %(low)s and %(high)s")
    return words % {"count": count, "low": _count(figure["low"]), "high": _count(figure["high"])}


def _count(share: float) -> int:
    return round(WHOLE * share)
