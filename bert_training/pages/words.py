"""Puts figures and facts into words of the reader's language."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bert_training.services.queue import queue_status
from bert_training.tasks.spec import Metric, TaskSpec

UNKNOWN = "\u2013"  # a dash, for a figure that is not there


@dataclass(frozen=True)
class Fact:
    """A term and its value, as a definition list shows them."""

    label: str
    text: str
    unit: str = ""
    is_digest: bool = False
    is_first: bool = False


def count_text(value: int) -> str:
    """Write a count with the thousands of the reader's language apart."""
    return str(number_format(value, force_grouping=True))


def share_text(value: float | None) -> str:
    """Write a share of 1 as a percentage with one decimal; nothing known = a dash. number_format alone cuts off."""
    return UNKNOWN if value is None else f"{number_format(round(100 * value, 1), decimal_pos=1)}%"


def figure_text(metric: Metric, value: float | None) -> str:
    """Write a figure: those where more is better are shares, the others (a loss) plain numbers."""
    if value is None or metric.higher_is_better:
        return share_text(value)
    return str(number_format(round(value, 4), decimal_pos=4))


def headline(spec: TaskSpec | None, metrics: Mapping[str, Any] | None) -> Fact | None:
    """Return the figure that picks the best network, as the one to show in a list."""
    if spec is None or not metrics or metrics.get(spec.best_metric) is None:
        return None
    metric = next(metric for metric in spec.metrics if metric.name == spec.best_metric)
    return Fact(_(metric.label), figure_text(metric, metrics[metric.name]), is_first=True)


@dataclass(frozen=True)
class Computers:
    """How many PCs can take work now, in a sentence that everybody may read."""

    online: int
    busy: int

    @property
    def sentence(self) -> str:
        """Say how many are there, and what to do when none is."""
        if not self.online:
            return _("No computer is connected now: runs wait until one is started.")
        there = ngettext("%(count)s computer is online", "%(count)s computers are online", self.online)
        if not self.busy:
            return f"{there % {'count': self.online}}, {_('none is working')}."
        working = ngettext("%(count)s is working", "%(count)s are working", self.busy)
        return f"{there % {'count': self.online}}, {working % {'count': self.busy}}."


def computers() -> Computers:
    """Count the PCs that are online."""
    counts = queue_status()["workers"]
    return Computers(online=counts["online"], busy=counts["busy"])
