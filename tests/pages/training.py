"""Plays a worker through the services, so that pages have something to show."""

from datetime import UTC, datetime

from bert_training.contract.enums import Outcome, Phase, Split
from bert_training.contract.messages import (
    ClassFigures,
    CompleteRequest,
    FailureReport,
    LongText,
    LongTextWay,
    ProgressRequest,
    Reproducibility,
    Result,
)
from bert_training.contract.streams import LogBatch, LogLine, MetricBatch, MetricPoint
from bert_training.models import Job, Run, Worker
from bert_training.services.jobs import complete_job, report_progress
from bert_training.services.telemetry import append_logs, append_metrics
from bert_training.tasks import TASKS
from tests.personas import claim

CLASSES = [
    ClassFigures(name="saúde", precision=0.9, recall=0.8, f1=0.847, support=20),
    ClassFigures(name="cobrança", precision=0.6, recall=0.5, f1=0.545, support=10),
    ClassFigures(name="tributário", precision=None, recall=None, f1=None, support=0),
]
BATCH = 500


def compared(*, rows: int = 60, windows: float = 0.9, trained_with: str = "right") -> LongText:
    """A comparison of long texts: each way, and how well windows read."""
    on_long = {"right": 0.7, "left": 0.64, "middle": 0.72, "none": windows}
    return LongText(
        truncation_side=trained_with,
        max_length=128,
        window_overlap=64,
        metric="f1_macro",
        test_rows=300,
        long_rows=60,
        compared_rows=rows,
        ways=[
            LongTextWay(
                way=way,
                unseen_share=0 if way == "none" else 0.4,
                on_long=value,
                on_all=None if rows < 60 and way != trained_with else 0.85,
            )
            for way, value in on_long.items()
        ],
    )


def train(
    worker: Worker, run: Run, *, lines: int = 3, message: str = "step {}", long_text: LongText | None = None
) -> Run:
    """Claim the run, send log and curves, complete it."""
    start(worker, run, lines=lines, message=message)
    complete(worker, Job.objects.get(run=run), lines=lines, long_text=long_text)
    run.refresh_from_db()
    return run


def complete(worker: Worker, job: Job, *, lines: int, points: int = 6, long_text: LongText | None = None) -> None:
    """End a started run with a result; `lines` log lines and `points` were sent."""
    metrics: dict[str, float | None] = {metric.name: 0.875 for metric in TASKS[job.task].metrics}
    figures = {"metrics": metrics | {"loss": 0.31}, "best_step": 20, "classes": CLASSES, "long_text": long_text}
    result = Result.model_validate({"model_fingerprint": "c" * 64, **figures})
    _end(worker, job, Outcome.COMPLETED, lines, points=points, result=result)


def fail(worker: Worker, run: Run, code: str) -> Run:
    """Claim the run and report that it failed."""
    start(worker, run, lines=1)
    error = FailureReport(code=code, message="CUDA out of memory <b>")
    _end(worker, Job.objects.get(run=run), Outcome.FAILED, 1, error=error)
    run.refresh_from_db()
    return run


def start(worker: Worker, run: Run, *, lines: int = 3, message: str = "step {}") -> Job:
    """Claim the run and train it up to step 20 of 40, two epochs with figures."""
    job_id = claim(worker).job_id
    job = Job.objects.get(run=run)
    assert job.pk == job_id
    progress = ProgressRequest(
        attempt=1,
        phase=Phase.TRAINING,
        epoch=2,
        step=20,
        total_steps=40,
        reproducibility=Reproducibility(
            code_commit="3f9c2ab",
            environment_fingerprint="e" * 64,
            base_model_revision="0.1.0",
            split_digest=run.split_digest,
            device="cpu",
        ),
    )
    report_progress(worker, job.pk, progress)
    send_lines(worker, job, [message.format(number) for number in range(1, lines + 1)])
    append_metrics(worker, MetricBatch(job_id=job.pk, attempt=1, first_seq=1, points=points(run)))
    return job


def points(run: Run) -> list[MetricPoint]:
    """Two epochs: the loss in training, every figure of the task in validation."""
    names = [metric.name for metric in TASKS[run.task].metrics]
    trained = [
        MetricPoint(
            epoch=1 + step // 11, step=step, split=Split.TRAIN, values={"loss": 1 / step, "learning_rate": 2e-5}
        )
        for step in (5, 10, 15, 20)
    ]
    validated = [
        MetricPoint(epoch=step // 10, step=step, split=Split.VALIDATION, values=dict.fromkeys(names, 0.6 + step / 100))
        for step in (10, 20)
    ]
    return trained + validated


def send_lines(worker: Worker, job: Job, messages: list[str], *, first_seq: int = 1, level: str = "INFO") -> None:
    """Send log lines in batches."""
    for start_at in range(0, len(messages), BATCH):
        now = datetime.now(UTC).isoformat()
        lines = [LogLine(ts=now, level=level, message=text) for text in messages[start_at : start_at + BATCH]]
        append_logs(worker, LogBatch(job_id=job.pk, attempt=1, first_seq=first_seq + start_at, lines=lines))


def _end(
    worker: Worker,
    job: Job,
    outcome: Outcome,
    lines: int,
    *,
    points: int = 6,
    result: Result | None = None,
    error: FailureReport | None = None,
) -> None:
    request = CompleteRequest(attempt=1, outcome=outcome, log_seq=lines, metric_seq=points, result=result, error=error)
    complete_job(worker, job.pk, request)
