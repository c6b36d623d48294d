"""Carries one claimed job from its data to its end report: table, trainer, orders, last words.

The trainer may die in any way and the portal may be away at any time; what happened is reported either way.
"""

import logging
import os
from pathlib import Path

from bert_training.contract.enums import LogLevel, Outcome, Phase, Reason
from bert_training.contract.messages import ClaimedJob
from bert_training.ml.keeping.folders import is_disk_full
from bert_training.worker.ballast import describe_full_disk, write_at_last
from bert_training.worker.client import Refused
from bert_training.worker.context import WorkerContext
from bert_training.worker.dataset_cache import DatasetCache, DatasetCorrupt, DatasetGone, DiskFull
from bert_training.worker.end_report import EndReport, report_failure
from bert_training.worker.ending import Death, Ending, failed, judge_end, stopped
from bert_training.worker.initial_weights import InitialWeightsMissing, find_initial_weights
from bert_training.worker.manifest_cache import ManifestCache
from bert_training.worker.memory_kills import count_memory_kills
from bert_training.worker.orders import JobOrders, Stop
from bert_training.worker.process_control import describe_exit
from bert_training.worker.progress import ProgressReporter
from bert_training.worker.resume import find_resume_step, job_identity, put_away
from bert_training.worker.retry import GaveUp
from bert_training.worker.sender import Sender
from bert_training.worker.spool import SpoolWriter, count_records, mend_file
from bert_training.worker.stall import StallGuard
from bert_training.worker.trainer_lock import await_former_trainer
from bert_training.worker.trainer_orders import CANCEL, FINISH, RELEASE, spool_path
from bert_training.worker.trainer_process import TrainerProcess, trainer_environment
from bert_training.worker.training_log import TrainingLog

WATCH_SECONDS = 0.1
STOP_SECONDS = 30.0  # between SIGTERM and SIGKILL
LOST_SECONDS = 10.0  # a trainer whose lease is lost must be gone within a heartbeat

logger = logging.getLogger(__name__)


def run_job(context: WorkerContext, job: ClaimedJob) -> None:
    """Run one job to its end. Our own mistakes are reported as its failure and do not end the worker."""
    orders = JobOrders(job.job_id, job.attempt, context.orders)
    context.heartbeat.attach(orders)
    try:
        JobRunner(context, job, orders).run()
    except Exception as error:
        logger.exception("job %d ended by a mistake of the worker", job.job_id)
        report_failure(context, orders, _judge_mistake(context, error))
    finally:
        context.heartbeat.attach(None)


class JobRunner:
    """One attempt at one job."""

    def __init__(self, context: WorkerContext, job: ClaimedJob, orders: JobOrders) -> None:
        self._context = context
        self._timing = context.timing
        self._job = job
        self._orders = orders
        self._folder = context.store.job_folder(job)
        self._spool = spool_path(self._folder, job.attempt)
        self._writer = SpoolWriter(self._spool)
        self._trainer = TrainerProcess(self._folder, job.attempt)
        self._sender = Sender(self._spool, orders, context, sends_predictions=job.wants_predictions)
        self._progress = ProgressReporter(orders, context)
        self._log = TrainingLog(context.store.folder, self._spool, run_id=job.run_id, attempt=job.attempt)
        self._resume_step = 0
        self._initial_weights: Path | None = None

    def run(self) -> None:
        """Do the whole job."""
        job = self._job
        self._log.begin(job, self._timing)
        kind = "simulated run" if job.simulate else "run"
        self._say(LogLevel.INFO, f"Worker took {kind} {job.run_id}: job {job.job_id}, attempt {job.attempt}.")
        self._sender.start()
        try:
            self._find_resume_step()
            self._progress.start(resumed_from_step=self._resume_step)
            ending = self._work()
            self._progress.finish()
            self._say(LogLevel.ERROR if ending.is_failure else LogLevel.INFO, ending.describe())
            self._writer.close()
            self._sender.seal()
            report = EndReport(self._context, self._orders, self._sender, count_records(self._spool))
            # An end that a heartbeat heard of first is one too: the answer to our report may have been lost.
            if report.deliver(ending) or self._orders.stop is Stop.FINISHED:
                put_away(self._folder, is_completed=ending.outcome is Outcome.COMPLETED)
        finally:
            self._progress.stop()
            self._sender.stop()
            self._trainer.kill()
            self._writer.close()
            self._log.follow()

    def _find_resume_step(self) -> None:
        """Choose a checkpoint as soon as no former trainer can write one any more."""
        await_former_trainer(self._folder, self._timing)
        step = find_resume_step(
            self._folder, self._job, on_skipped=lambda message: self._say(LogLevel.WARNING, message)
        )
        if self._job.attempt > 1:
            place = f"the verified checkpoint of step {step}" if step else "the beginning: no checkpoint is here"
            self._say(LogLevel.INFO, f"Attempt {self._job.attempt} goes on from {place}.")
        self._resume_step = step

    def _work(self) -> Ending:
        try:
            self._find_initial_weights()
            table, manifest = (None, None) if self._job.simulate else self._fetch_data()
            return self._train(table, manifest)
        except GaveUp:
            return stopped(self._orders.stop)
        except InitialWeightsMissing as error:
            return failed(Reason.INITIAL_WEIGHTS_MISSING, str(error))
        except DatasetCorrupt as error:
            return failed(Reason.DATASET_CORRUPT, str(error))
        except DatasetGone as error:
            return failed(Reason.DATASET_GONE, str(error))
        except DiskFull as error:
            return failed(Reason.DISK_FULL, str(error))
        except OSError as error:
            if not is_disk_full(error):
                raise
            return failed(Reason.DISK_FULL, describe_full_disk(self._context.store.folder, error))
        except Refused as error:
            if self._orders.obey_refusal(error):
                return stopped(self._orders.stop)
            return failed(Reason.CRASHED, f"The portal refused the data: {error.message}")

    def _find_initial_weights(self) -> None:
        """Find the model to begin from, before anything is fetched for a job that cannot begin."""
        job = self._job
        if job.initial_fingerprint and not job.simulate:
            self._initial_weights = find_initial_weights(self._context.store.folder, job)
            self._say(LogLevel.INFO, f"Begins from the model in {self._initial_weights}, fingerprint verified.")

    def _fetch_data(self) -> tuple[Path, Path | None]:
        """Return the table and, unless the portal is too old to have it, the manifest."""
        self._progress.enter(Phase.DOWNLOADING)
        context = self._context

        def give_up() -> bool:
            return self._orders.stop > Stop.NO

        table = DatasetCache(context.store.datasets, context.client, context.retrier).fetch(
            self._job.dataset, give_up=give_up
        )
        manifest = ManifestCache(context.store.datasets, context.client, context.retrier).fetch(
            self._job, give_up=give_up
        )
        self._say(LogLevel.INFO, f"The data are here: {self._job.dataset.rows} rows, digest verified.")
        self._progress.enter(Phase.PREPARING)
        return table, manifest

    def _train(self, table: Path | None, manifest: Path | None) -> Ending:
        options, token = self._context.options, self._context.client.token
        secrets = (token.current, f"//{options.netloc}")  # a bare host may be part of a home folder's name
        environ = trainer_environment(os.environ, secrets=secrets, offline=options.offline)
        local = {
            "table": str(table or ""),
            "manifest": str(manifest or ""),
            "device": options.device,
            "processes": options.processes,
            "offline": options.offline,
            "base_models_dir": str(options.base_models_dir or ""),
            "identity": job_identity(self._job),
            "resume_step": self._resume_step,
            "initial_weights": str(self._initial_weights or ""),
        }
        self._say(LogLevel.INFO, "The trainer starts; loading its libraries takes some seconds.")
        memory_kills = count_memory_kills()
        self._trainer.start({**self._job.model_dump(mode="json"), **local}, environ=environ)
        is_stalled = self._watch()
        code = self._trainer.close()
        outcome = self._trainer.read_outcome()
        lacked_memory = code < 0 and count_memory_kills() > memory_kills
        death = Death(describe_exit(code), code < 0, self._trainer.last_lines, lacked_memory)
        if is_stalled and outcome is None and not self._orders.stop:
            minutes = options.stall_seconds / 60
            ending = failed(Reason.STALLED, f"The trainer gave no sign of life for {minutes:g} minutes; it was killed.")
        else:
            ending = judge_end(outcome, death, self._orders.stop)
        if outcome is None:
            mend_file(self._spool)
            self._show_last_lines(death, ending)
        return ending

    def _watch(self) -> bool:
        """Pass progress on and orders in until the trainer is gone. Returns whether it had to be killed as stalled."""
        guard, is_stalled = StallGuard(self._context.options.stall_seconds, self._timing), False
        told, has_told_finish = Stop.NO, False
        deadline = float("inf")
        while self._trainer.is_alive:
            self._pass_progress()
            self._log.follow_at_times(self._timing)
            if self._orders.must_finish and not has_told_finish:
                has_told_finish = True
                self._trainer.tell(FINISH)
            stop = self._orders.stop
            if stop > told:
                told = stop
                deadline = self._timing.monotonic() + self._tell_stop(stop)
            is_stalled = guard.is_stalled(self._trainer.signs_of_life)
            worker = self._context.orders
            is_too_late = self._timing.monotonic() >= deadline or worker.must_report_now
            if is_stalled or is_too_late or worker.must_kill:
                self._trainer.kill()
            self._timing.sleep(WATCH_SECONDS)
        self._pass_progress()
        return is_stalled

    def _tell_stop(self, stop: Stop) -> float:
        """Tell the trainer to stop. Returns the seconds after which it is killed."""
        if stop is Stop.PAUSE:
            self._trainer.tell(RELEASE)
            return float("inf")  # nobody waits for this worker to end; the stall guard ends one that hangs
        if stop is Stop.RELEASE:
            self._trainer.tell(RELEASE)
            worker = self._context.orders
            return max(0.0, worker.grace_left - worker.report_reserve_seconds)
        if stop in (Stop.LEASE_LOST, Stop.LEAVE):
            self._trainer.tell(RELEASE)  # its checkpoint may still be of use to this worker
            return LOST_SECONDS
        self._trainer.tell(CANCEL)
        self._trainer.terminate()
        return STOP_SECONDS

    def _pass_progress(self) -> None:
        state = self._trainer.new_progress()
        if state is not None:
            self._progress.update(state)

    def _show_last_lines(self, death: Death, ending: Ending) -> None:
        if not ending.is_failure or not death.last_lines:
            return
        place = f"run {self._job.run_id}, attempt {self._job.attempt}, step {self._trainer.last_step}"
        self._say(LogLevel.ERROR, f"The last lines of the trainer ({place}):")
        for line in death.last_lines:
            self._say(LogLevel.ERROR, f"  {line}")

    def _say(self, level: LogLevel, message: str) -> None:
        logger.log(logging.getLevelNamesMapping()[level.value], "job %d: %s", self._job.job_id, message)
        now = self._timing.utc_now()
        try:
            write_at_last(self._context.store.folder, lambda: self._writer.append_log(level.value, message, ts=now))
        except OSError as error:
            if not is_disk_full(error):
                raise
            logger.warning("job %d: the disk is full, so that the portal does not get this line", self._job.job_id)
        self._log.follow()


def _judge_mistake(context: WorkerContext, error: Exception) -> Ending:
    if isinstance(error, OSError) and is_disk_full(error):
        return failed(Reason.DISK_FULL, describe_full_disk(context.store.folder, error))
    return failed(Reason.CRASHED, f"The worker itself failed: {type(error).__name__}: {error}")
