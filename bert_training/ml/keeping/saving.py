"""What of a run is kept, and when: the whole state to go on from, the best weights, and how many of them stay.

The whole state is three times the weights (optimizer), so an evaluation that is not far from the one before writes the
weights alone, and only when they are the best. A power cut costs at most TrainingJob.checkpoint_seconds of training.
"""

from collections.abc import Callable
from typing import Any

from bert_training.ml.job import TrainingJob
from bert_training.ml.judging.early_stopping import EarlyStopping
from bert_training.ml.keeping.checkpoints import forget_after, keep_newest, write_checkpoint
from bert_training.ml.keeping.folders import is_disk_full
from bert_training.ml.keeping.snapshot import Learner, Write
from bert_training.ml.reporting import RunReport

# After an evaluation the whole state is saved this much sooner than elsewhere: a long epoch ends with it (a minute at
# ten minutes), and an evaluation every few seconds does not write gigabytes each time.
EVALUATION_SHARE = 0.1


class Saver:
    """Writes the checkpoints of one run. place: returns what the run remembers beside the learner, as JSON values."""

    def __init__(
        self,
        job: TrainingJob,
        learner: Learner,
        stopping: EarlyStopping,
        report: RunReport,
        *,
        place: Callable[[], dict[str, Any]],
    ) -> None:
        self.job = job
        self.folder = job.job_dir / "checkpoints"
        self.learner = learner
        self.stopping = stopping
        self.report = report
        self.place = place
        self.saved_at = report.clock()
        self.world = learner.world
        if self.world.is_main:
            forget_after(self.folder, job.resume_step)  # what was written later is written again

    def after_step(self) -> None:
        """Save the whole state where the settings or the clock ask for it."""
        if self._is_due(self.job.checkpoint_seconds):
            self._save(self.learner.gather_tensors)

    def after_evaluation(self, *, is_best: bool, is_over: bool) -> None:
        """Save the weights when they are the best, and the whole state where it is due.

        At the end of the training nothing will be learned from the optimizer any more. A state that was saved at this
        step has these weights, and goes on with judging them.
        """
        if self.report.checkpoint_step == self.report.step:
            return
        if not is_over and self._is_due(self.job.checkpoint_seconds * EVALUATION_SHARE):
            self._save(self.learner.gather_tensors)
        elif is_best or is_over:
            self._save(self.learner.gather_weights if is_best else _gather_nothing, is_resumable=is_over)

    def before_leaving(self) -> None:
        """Save the whole state, for this worker to go on later."""
        if self.report.step > self.report.checkpoint_step:
            self._save(self.learner.gather_tensors)

    def _is_due(self, seconds: float) -> bool:
        every = self.job.settings.save_steps
        is_step = bool(every) and self.report.step % (every or 1) == 0
        return is_step or bool(self.world.agree(self.report.clock() - self.saved_at >= seconds))

    def _save(self, gather: Callable[[], Write], *, is_resumable: bool = True) -> None:
        step, began = self.report.step, self.report.clock()
        write_files = gather()
        if self.world.is_main:
            self._write(write_files, is_resumable=is_resumable)
            keep_newest(self.folder, self.job.settings.save_total_limit, best_step=self.stopping.best_step)
        self.world.wait()
        now = self.report.clock()
        if is_resumable:
            self.saved_at = now
            self.report.checkpoint_step = step
            self.report.tell_place()  # not a pulse: a run that is stopping must not be stopped here
        kind = "Checkpoint" if is_resumable else "Best weights"
        self.report.info(f"{kind} of step {step:,} saved ({now - began:.1f} s)")

    def _write(self, write_files: Write, *, is_resumable: bool) -> None:
        """Write it; on a full disk once more without the older ones but the one that alone could be gone on from."""
        best_step = self.stopping.best_step
        facts = {"identity": self.job.identity, "step": self.report.step, "best_step": best_step}
        state = {**facts, "is_resumable": is_resumable, "learner": self.learner.facts(), **self.place()}
        try:
            write_checkpoint(self.folder, state, write_files=write_files)
        except OSError as error:
            if not is_disk_full(error):
                raise
            self.report.warning("The disk is full: older checkpoints are removed, then this one is written again")
            keep_newest(self.folder, 1, best_step=best_step)
            write_checkpoint(self.folder, state, write_files=write_files)


def _gather_nothing() -> Write:
    """Leave only the state: the weights that count are those of the best step."""
    return lambda _folder: None
