"""Writes figures in the reader's language: counts, shares, differences in points, intervals."""

from collections.abc import Callable

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from bert_training.data.proof.shape import Figure

UNKNOWN = "\u2013"  # a dash, for a figure that is not there
MINUS = "\u2212"


def count_text(value: int) -> str:
    """Write a count with the thousands of the reader's language apart."""
    return str(number_format(value, force_grouping=True))


def share_text(value: float | None) -> str:
    """Write a share of 1 as a percentage with one decimal; nothing known = a dash. number_format alone cuts off."""
    return UNKNOWN if value is None else f"{_tenths(100 * value)}%"


def round_share_text(value: float) -> str:
    """Write a share that is round, such as a threshold, without decimals that it does not have."""
    percent = round(100 * value, 1)
    return f"{number_format(int(percent) if percent.is_integer() else percent)}%"


def points_text(value: float | None) -> str:
    """Write a difference of shares in points, always with its sign."""
    if value is None:
        return UNKNOWN
    points = round(100 * value, 1)
    sign = "+" if points > 0 else MINUS if points < 0 else ""
    return f"{sign}{_tenths(abs(points))}"


def distance_text(value: float | None) -> str:
    """Write a difference of shares in points, without its sign."""
    return UNKNOWN if value is None else _tenths(100 * abs(value))


def interval_text(figure: Figure, text: Callable[[float], str]) -> str:
    """Write a 95 % interval, its ends as `text` writes them; empty where there is none."""
    if figure["low"] is None or figure["high"] is None:
        return ""
    return _("%(low)s to %(high)s") % {"low": text(figure["low"]), "high": text(figure["high"])}


def _tenths(value: float) -> str:
    return str(number_format(round(value, 1), decimal_pos=1))
