"""What a run tells while it works: phases, lines, points, signs of life; and the orders that come back.

Lines are few enough to read and frequent enough to show that the run lives. Never a row's text.
"""

from collections import defaultdict
from collections.abc import Callable
from math import ceil
from typing import Any

from bert_training.data.predicting.predictions import Predictions
from bert_training.ml.job import Ended, Reporter
from bert_training.ml.learning.stepping import StepFigures
from bert_training.ml.machine.distributed import ALONE, World
from bert_training.ml.rows.step_plan import StepPlan

LINE_SECONDS = 5.0  # a step line no more often than this
POINTS_PER_EPOCH = 200
METER_SUMS = ("tokens", "steps", "loss_sum", "weight_sum", "point_loss_sum", "point_weight_sum")


class StopRequested(Exception):
    """The reporter's directive ends this run before its time."""

    def __init__(self, ended: Ended) -> None:
        super().__init__(ended)
        self.ended: Ended = ended


class RunReport:
    """Speaks to the reporter on behalf of one run and knows where the run is."""

    def __init__(self, reporter: Reporter, clock: Callable[[], float]) -> None:
        self.reporter = reporter
        self.clock = clock  # monotonic seconds
        self.world = ALONE  # whom to agree with on orders; alone until the loop begins: see `join`
        self.phase = "preparing"
        self.epoch = self.step = self.total_steps = self.checkpoint_step = 0
        self.is_finishing = False  # asked to stop training, judge and keep the best
        self.seconds: defaultdict[str, float] = defaultdict(float)  # by phase; the current phase is added when it ends
        self.phase_began = clock()
        self.seconds_left: Callable[[], float] | None = None  # at most, as far as can be told by now

    def info(self, message: str) -> None:
        """Write a line."""
        self.reporter.log("INFO", message)

    def warning(self, message: str) -> None:
        """Write a line about something that a person should look at."""
        self.reporter.log("WARNING", message)

    def enter(self, phase: str) -> None:
        """Go into the next phase (names of the contract), and obey what is asked meanwhile."""
        now = self.clock()
        self.seconds[self.phase] += now - self.phase_began
        self.phase, self.phase_began = phase, now
        self.pulse()
        self.meet()

    def join(self, world: World) -> None:
        """From here on several processes obey orders where they `meet`, so that all do it at the same step.

        Before, rank 0 alone is asked to stop; it ends, and the others with it.
        """
        self.world = world

    def meet(self) -> None:
        """Obey the directive that rank 0 got, together with all other processes; raises StopRequested. Collective."""
        if self.world.size > 1:
            self._obey(self.world.agree(self.reporter.directive()))

    def pulse(self) -> None:
        """Give a sign of life and, where there is one process, obey the directive; raises StopRequested."""
        self.tell_place()
        if self.world.size == 1:
            self._obey(self.reporter.directive())

    def _obey(self, directive: str) -> None:
        if directive == "cancel":
            raise StopRequested("canceled")
        if directive == "release":
            raise StopRequested("released")
        if directive == "finish" and not self.is_finishing:
            self.is_finishing = True
            self.info("Asked to finish: training stops here, the best checkpoint is judged and kept.")

    def tell_place(self) -> None:
        """Say where the run is."""
        self.reporter.progress(
            phase=self.phase,
            epoch=self.epoch,
            step=self.step,
            total_steps=self.total_steps,
            checkpoint_step=self.checkpoint_step,
        )
        if self.seconds_left is not None:
            self.reporter.remaining(self.seconds_left())

    def split_figures(self, split: str, values: dict[str, float | None], *, epoch: int, step: int) -> None:
        """Send figures of a split; those that are not defined there are left out."""
        known = {name: value for name, value in values.items() if value is not None}
        self.reporter.metrics(epoch=epoch, step=step, split=split, values=known)

    def seconds_in(self, phase: str) -> float:
        """Return how long a phase took so far."""
        return self.seconds[phase] + (self.clock() - self.phase_began if phase == self.phase else 0.0)

    def durations(self) -> str:
        """Say how long each phase took so far."""
        phases = {**self.seconds, self.phase: self.seconds[self.phase] + self.clock() - self.phase_began}
        parts = ", ".join(f"{phase} {seconds:.1f} s" for phase, seconds in phases.items())
        return f"{parts}; in all {sum(phases.values()):.1f} s"


class Silent:
    """The reporter of a process that is not rank 0: what it would say, rank 0 says for all."""

    def log(self, level: str, message: str) -> None:
        """Say nothing."""

    def metrics(self, *, epoch: int, step: int, split: str, values: dict[str, float]) -> None:
        """Say nothing."""

    def progress(self, *, phase: str, epoch: int, step: int, total_steps: int, checkpoint_step: int) -> None:
        """Say nothing."""

    def token_lengths(self, counts: dict[str, Any]) -> None:
        """Say nothing."""

    def remaining(self, seconds: float) -> None:
        """Say nothing."""

    def machine(self, *, device: str, precision: str, threads: int) -> None:
        """Say nothing."""

    def predictions(self, predictions: Predictions) -> None:
        """Say nothing."""

    def directive(self) -> str:
        """Ask for nothing: rank 0 hears the orders."""
        return "continue"


class StepMeter:
    """Collects the losses of one epoch and turns them into points and lines at a sensible pace.

    logging_steps: a point and a line every so many steps instead.
    """

    def __init__(self, report: RunReport, plan: StepPlan, *, logging_steps: int | None = None) -> None:
        self.report = report
        self.plan = plan
        self.logging_steps = logging_steps
        self.steps_per_point = ceil(plan.steps_per_epoch / POINTS_PER_EPOCH)
        self.point_loss_sum = self.point_weight_sum = 0.0
        self.begin_epoch()

    def begin_epoch(self) -> None:
        """Count anew. With logging_steps a point may be of steps before and after: they have their own pace."""
        self.began = self.line_at = self.report.clock()
        self.tokens = self.steps = 0
        self.loss_sum = self.weight_sum = 0.0
        if not self.logging_steps:
            self.point_loss_sum = self.point_weight_sum = 0.0

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs, as JSON values."""
        sums = {name: getattr(self, name) for name in METER_SUMS}
        return {**sums, "seconds": self.elapsed_seconds}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on in the middle of an epoch, where `state` was taken; the time between does not count."""
        for name in METER_SUMS:
            setattr(self, name, state[name])
        self.began = self.report.clock() - state["seconds"]

    def leave_out(self, seconds: float) -> None:
        """Do not count time in which no step was taken."""
        self.began += seconds

    def add(self, figures: StepFigures, *, learning_rate: float) -> None:
        """Take one step."""
        loss, weight = figures.loss, figures.weight
        self.steps += 1
        self.tokens += figures.tokens
        self.loss_sum += loss * weight
        self.weight_sum += weight
        self.point_loss_sum += loss * weight
        self.point_weight_sum += weight
        if self.logging_steps:
            if self.report.step % self.logging_steps == 0:
                self._write_line(self._send_point(learning_rate), learning_rate)
            return
        if self.steps % self.steps_per_point == 0:
            self._send_point(learning_rate)
        if self.report.step == 1 or self.report.clock() - self.line_at >= LINE_SECONDS:
            self._write_line(loss, learning_rate)

    @property
    def mean_loss(self) -> float:
        """Mean training loss of the epoch so far, each label by its weight."""
        return self.loss_sum / self.weight_sum if self.weight_sum else 0.0

    @property
    def elapsed_seconds(self) -> float:
        """Seconds since the epoch began."""
        return self.report.clock() - self.began

    def _send_point(self, learning_rate: float) -> float:
        """Send the mean loss of the steps since the last point, and return it."""
        loss = self.point_loss_sum / self.point_weight_sum if self.point_weight_sum else 0.0
        self.point_loss_sum = self.point_weight_sum = 0.0
        values = {"loss": loss, "learning_rate": learning_rate}
        self.report.reporter.metrics(epoch=self.report.epoch, step=self.report.step, split="train", values=values)
        return loss

    def _write_line(self, loss: float, learning_rate: float) -> None:
        self.line_at = self.report.clock()
        speed = self.tokens / max(self.elapsed_seconds, 1e-9)
        self.report.info(
            f"Epoch {self.report.epoch} of {self.plan.epochs}, step {self.report.step} of {self.plan.total_steps}: "
            f"loss {loss:.4f}, learning rate {learning_rate:.2e}, {speed:,.0f} tokens/s"
        )
