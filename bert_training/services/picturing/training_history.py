"""Draws how a run learned as `training_history.png`: the loss, the figure that picked the network, the best step.

Always the same size, with the fonts that matplotlib brings. Holds steps and figures, and no name that anybody gave.
"""

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from bert_training.contract.enums import Split
from bert_training.models import Run
from bert_training.services.picturing.curve_points import Points, points_of
from bert_training.services.proving.figure_words import share_text
from bert_training.tasks import TASKS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FILE_NAME = "training_history.png"
WIDTH, HEIGHT, DOTS_PER_INCH = 1200, 720, 100  # pixels
FEW_POINTS = 60  # each is marked
COLOURS = {Split.TRAIN: "#0f6e90", Split.VALIDATION: "#c2530a"}
INK, MUTED, LINE = "#17212b", "#536070", "#dbe1e7"

# matplotlib keeps fonts and layouts that threads share.
_drawing = threading.Lock()


@dataclass(frozen=True)
class History:
    """What is drawn: points (step, value) of each curve. best_step: 0 where it is not known."""

    training: Points
    validation: Points
    figure: Points
    figure_label: str
    best_step: int

    def __bool__(self) -> bool:
        """Tell whether there is anything to draw."""
        return bool(self.training or self.validation or self.figure)


def training_history(run: Run) -> bytes | None:
    """Return the picture (PNG) in the active language; None for a run that has no curve. Nine queries.

    Takes 0.1 s; the first time in a process 0.5 s more and 41 MB, for matplotlib.
    """
    history = read_history(run)
    if not history:
        return None
    with _drawing:
        return _png(_draw(history))


def read_history(run: Run) -> History:
    """Return the curves of a run, and where it was best."""
    spec = TASKS.get(run.task)
    deciding = spec.deciding_metric(run.hyperparameters) if spec else None
    return History(
        training=points_of(run, Split.TRAIN, "loss"),
        validation=points_of(run, Split.VALIDATION, "loss"),
        figure=points_of(run, Split.VALIDATION, deciding.name) if deciding and deciding.name != "loss" else (),
        figure_label=_(deciding.label) if deciding else "",
        best_step=int((run.result or {}).get("best_step") or 0),
    )


def _draw(history: History) -> "Figure":
    # It writes a list of the system's fonts; the home folder may be read-only.
    os.environ.setdefault("MPLCONFIGDIR", str(settings.DATA_DIR / "matplotlib"))
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / DOTS_PER_INCH, HEIGHT / DOTS_PER_INCH), dpi=DOTS_PER_INCH)
    figure.set_layout_engine("constrained", w_pad=0.15, h_pad=0.15)  # inches
    panels = list(_panels(history))
    axes = figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0]
    for area, (label, curves, text) in zip(axes, panels, strict=True):
        _draw_panel(area, label, curves, best_step=history.best_step)
        area.yaxis.set_major_formatter(lambda value, _place, text=text: text(value))
    axes[-1].set_xlabel(_("Step"), color=MUTED)
    axes[-1].xaxis.set_major_formatter(lambda value, _place: number_format(round(value), force_grouping=True))
    return figure


def _panels(history: History) -> Iterator[tuple[str, dict[tuple[Split, str], Points], Any]]:
    losses = {(Split.TRAIN, _("training")): history.training, (Split.VALIDATION, _("validation")): history.validation}
    if history.training or history.validation:
        yield _("Loss"), losses, _plain
    if history.figure:
        yield history.figure_label, {(Split.VALIDATION, _("validation")): history.figure}, share_text


def _plain(value: float) -> str:
    return str(number_format(round(value, 2), decimal_pos=2))


def _draw_panel(area: "Axes", label: str, curves: dict[tuple[Split, str], Points], *, best_step: int) -> None:
    for (split, name), points in curves.items():
        if points:
            marker = "o" if len(points) <= FEW_POINTS else ""
            steps, values = zip(*points, strict=True)
            area.plot(steps, values, color=COLOURS[split], linewidth=1.8, marker=marker, markersize=4, label=name)
    if best_step:
        area.axvline(best_step, color=INK, linewidth=1.2, linestyle=(0, (4, 3)), label=_("best network"))
    area.set_title(label, loc="left", color=INK, fontsize=13)
    area.grid(axis="y", color=LINE)
    area.tick_params(colors=MUTED, length=0)
    area.spines[["top", "right", "left"]].set_visible(False)
    area.spines["bottom"].set_color(LINE)
    area.legend(frameon=False, labelcolor=INK)


def _png(figure: "Figure") -> bytes:
    file = BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()
