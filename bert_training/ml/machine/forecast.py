"""How long a run will take and how much memory: from past runs on this machine, else from the rehearsal.

While it runs, what it has taken so far counts more and more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median

from bert_training.ml.job import TrainingJob
from bert_training.ml.machine.history import PastRun, RunProfile, add_to_history, most_similar, read_history
from bert_training.ml.machine.memory_use import highest_bytes, shown_bytes
from bert_training.ml.machine.rehearsal import Rehearsal
from bert_training.ml.preparation import Prepared
from bert_training.ml.reporting import RunReport
from bert_training.ml.rows.batching import epoch_order

SAMPLED_ROWS = 1000  # of the first epoch, which are there first
SIMILAR_RUNS = 3
FURTHEST = 1.5  # distance of a past run that still tells something: twice as large in two respects
FORWARD_SHARE = 1 / 3  # of the time of a training step: the backward pass is twice the forward one
PRIOR_STEPS = 10  # what the forecast is worth against steps that were taken
PRIOR_EVALUATIONS = 0.25


@dataclass(frozen=True)
class Workload:
    """What a run will compute, in tokens."""

    total_steps: int
    step_tokens: float
    steps_per_evaluation: int
    evaluation_tokens: float
    final_tokens: float

    def evaluations(self, begin: int, end: int) -> int:
        """Count the evaluations after step `begin` up to step `end`; the last state is always judged."""
        is_odd_end = begin < end == self.total_steps and end % self.steps_per_evaluation > 0
        return end // self.steps_per_evaluation - begin // self.steps_per_evaluation + is_odd_end


@dataclass(frozen=True)
class Rates:
    """Seconds a token. memory_factor: highest memory over the rehearsed one.  origin: where they are from, in words."""

    train: float
    judge: float
    memory_factor: float
    origin: str


class Forecast:
    """The expectation of one run, which begins after a step."""

    def __init__(self, workload: Workload, rates: Rates, report: RunReport) -> None:
        self.workload = workload
        self.rates = rates
        self.report = report
        self.begin = report.step
        self.began_at = report.clock()

    def expected_seconds(self, end: int) -> float:
        """Return what was expected for the steps up to `end`, with their evaluations and the test."""
        work = self.workload
        judged_tokens = work.evaluations(self.begin, end) * work.evaluation_tokens + work.final_tokens
        return self.rates.train * (end - self.begin) * work.step_tokens + self.rates.judge * judged_tokens

    def remaining_seconds(self) -> float:
        """Return what is left by now, at most: a run may stop early."""
        report, work = self.report, self.workload
        if report.phase == "saving":
            return 0.0
        is_judging = report.phase == "evaluating"
        end = report.step if report.is_finishing else work.total_steps
        steps = max(0, end - report.step)
        evaluations = work.evaluations(report.step, end) + is_judging
        judge = self._judge_rate(is_judging)
        left = self._train_rate() * steps * work.step_tokens
        left += judge * (evaluations * work.evaluation_tokens + work.final_tokens)
        return max(0.0, left - (report.clock() - report.phase_began if is_judging else 0.0))

    def _train_rate(self) -> float:
        work = self.workload
        tokens = (self.report.step - self.begin) * work.step_tokens
        return _blend(self.rates.train, PRIOR_STEPS * work.step_tokens, self.report.seconds_in("training"), tokens)

    def _judge_rate(self, is_judging: bool) -> float:
        work = self.workload
        done = max(0, work.evaluations(self.begin, self.report.step) - is_judging)
        seconds = self.report.seconds["evaluating"]
        prior = PRIOR_EVALUATIONS * work.evaluation_tokens
        return _blend(self.rates.judge, prior, seconds, done * work.evaluation_tokens)


class Forecaster:
    """Makes the forecast of a run, and learns from how it went."""

    def __init__(self, job: TrainingJob, prepared: Prepared, rehearsal: Rehearsal, report: RunReport) -> None:
        self.history = job.history
        self.rehearsal = rehearsal
        self.report = report
        self.device = prepared.accelerator.device
        row_tokens = _mean_tokens(job, prepared)
        self.profile = _profile(prepared, row_tokens)
        self.workload = _workload(job, prepared, row_tokens)
        rates = expected_rates(self.profile, rehearsal, read_history(job.history))
        self.forecast = Forecast(self.workload, rates, report)

    def announce(self) -> None:
        """Say what is expected, and let the run's signs of life carry what is left."""
        seconds = self.forecast.expected_seconds(self.workload.total_steps)
        memory = self.rehearsal.peak_bytes * self.forecast.rates.memory_factor
        self.report.info(
            f"Forecast: at most about {shown_seconds(seconds)} and {shown_bytes(memory)} of memory "
            f"({self.forecast.rates.origin})"
        )
        self.report.seconds_left = self.forecast.remaining_seconds

    def learn(self) -> None:
        """Compare with what it was, and keep it for later forecasts; a run without a step teaches nothing."""
        report, forecast, work = self.report, self.forecast, self.workload
        steps = report.step - forecast.begin
        if not steps:
            return
        expected = forecast.expected_seconds(report.step)
        peak = highest_bytes(self.device)
        report.info(
            f"Forecast of these {steps:,} steps: {shown_seconds(expected)}, it took "
            f"{shown_seconds(report.clock() - forecast.began_at)}; memory {shown_bytes(peak)} at most"
        )
        judged = work.evaluations(forecast.begin, report.step) * work.evaluation_tokens + work.final_tokens
        run = PastRun(
            profile=self.profile,
            train_tokens=steps * work.step_tokens,
            train_seconds=report.seconds_in("training"),
            judged_tokens=judged,
            judged_seconds=report.seconds_in("evaluating"),
            rehearsed_bytes=self.rehearsal.peak_bytes,
            peak_bytes=peak,
        )
        self._keep(run)

    def _keep(self, run: PastRun) -> None:
        if self.history is None:
            return
        try:
            add_to_history(self.history, run)
        except OSError as error:  # a full disk must not cost a run that is done
            self.report.warning(f"What this run took is not kept for later forecasts: {error}")


def expected_rates(profile: RunProfile, rehearsal: Rehearsal, past: Sequence[PastRun]) -> Rates:
    """Return the medians of the most similar past runs, or what the rehearsal says."""
    similar = most_similar(profile, past, most=SIMILAR_RUNS, within=FURTHEST)
    if not similar:
        rate = rehearsal.usual_seconds_a_token
        return Rates(rate, rate * FORWARD_SHARE, 1.0, "from the rehearsal; there is no similar run on this machine yet")
    train, judge, memory = zip(*(_rates_of(run, profile) for run in similar), strict=True)
    plural = "runs" if len(similar) > 1 else "run"
    origin = f"from {len(similar)} similar {plural} on this machine"
    return Rates(median(train), median(judge), median(memory), origin)


def shown_seconds(seconds: float) -> str:
    """Write a duration as a person says it."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours {minutes % 60} minutes"


def _rates_of(run: PastRun, profile: RunProfile) -> tuple[float, float, float]:
    """Return training and judging seconds a token, scaled to the size of this network, and the memory factor."""
    size = profile.parameters / max(1, run.profile.parameters)
    train = size * run.train_seconds / run.train_tokens
    judge = size * run.judged_seconds / run.judged_tokens if run.judged_tokens else train * FORWARD_SHARE
    return train, judge, max(1.0, run.peak_bytes / max(1, run.rehearsed_bytes))


def _blend(rate: float, worth: float, seconds: float, tokens: float) -> float:
    """Return a rate that is worth so many tokens, mixed with what so many tokens have taken."""
    return (rate * worth + seconds) / (worth + tokens) if worth + tokens else rate


def _mean_tokens(job: TrainingJob, prepared: Prepared) -> float:
    """Return how many tokens of a row go through the network, from rows that the first epoch begins with."""
    train, cutting = prepared.rows.splits["train"], prepared.rows.cutting
    sampled = epoch_order(len(train), seed=job.settings.seed, epoch=1)[:SAMPLED_ROWS]
    return mean(sum(len(piece.input_ids) for piece in cutting.cut(train[row])) for row in sampled)


def _profile(prepared: Prepared, row_tokens: float) -> RunProfile:
    machine, model = prepared.machine, prepared.network.model
    sizes = [(item.numel(), item.requires_grad) for name, item in model.named_parameters() if "embedding" not in name]
    return RunProfile(
        device=machine["device_name"],
        precision=machine["precision"],
        processes=prepared.world.size,
        threads=machine["threads"],
        parameters=sum(size for size, _is_trained in sizes),
        trained_parameters=sum(size for size, is_trained in sizes if is_trained),
        row_tokens=row_tokens,
        step_tokens=row_tokens * prepared.plan.rows_per_step,
        is_sharded=prepared.is_sharded,
    )


def _workload(job: TrainingJob, prepared: Prepared, row_tokens: float) -> Workload:
    plan, splits = prepared.plan, prepared.rows.splits
    rows_per_step = min(plan.rows_per_step, len(splits["train"]) / plan.steps_per_epoch)  # the last one is smaller
    return Workload(
        total_steps=plan.total_steps,
        step_tokens=row_tokens * rows_per_step,
        steps_per_evaluation=job.settings.eval_steps or plan.steps_per_epoch,
        evaluation_tokens=row_tokens * len(splits["validation"]),
        final_tokens=row_tokens * (len(splits["validation"]) + len(splits["test"])),
    )
