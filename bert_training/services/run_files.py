"""What can be downloaded of a run: its model card and its figures as CSV."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _

from bert_training.contract.enums import ErrorCode
from bert_training.data.model_card import ModelCardFacts
from bert_training.data.model_card import model_card as write_card
from bert_training.models import Metric, Run, RunProof
from bert_training.services.csv_form import PLAIN, CsvForm, Value
from bert_training.services.divisions import division_of
from bert_training.services.errors import ServiceError
from bert_training.services.frequent_events import record_export
from bert_training.services.proving.proof_summary import usable
from bert_training.services.telemetry import iso_utc
from bert_training.tasks import TASKS

CSV_HEAD = ("attempt", "epoch", "step", "split", "name", "value", "received_at")


def model_card(run: Run) -> str:
    """Return the card of a completed run in Markdown; raises ServiceError not_found before."""
    if run.result is None:
        message = _("The model card is written when the run is completed.")
        raise ServiceError(ErrorCode.NOT_FOUND, message, http_status=404)
    result: dict[str, Any] = run.result
    record_export(run, what="model_card")
    facts = ModelCardFacts(
        task=run.task,
        base_model=run.base_model,
        revision=run.reproducibility.get("base_model_revision") or run.base_model_revision,
        fingerprint=run.model_fingerprint,
        best_metric=_deciding_metric(run, result["metrics"]),
        best_step=result["best_step"],
        metrics=result["metrics"],
        classes=result["classes"],
        rows=division_of(run).rows,
        provenance=_provenance(run),
        reading=run.hyperparameters,
        proof=usable(RunProof.objects.filter(run=run).first()),
    )
    return write_card(facts)


def _deciding_metric(run: Run, metrics: dict[str, Any]) -> str:
    """Name what decided; of a run whose task this portal no longer has, the figure that its worker named first."""
    spec = TASKS.get(run.task)
    return spec.deciding_metric(run.hyperparameters).name if spec else next(iter(metrics), "")


def _provenance(run: Run) -> dict[str, Any]:
    return {
        "run_id": run.pk,
        "dataset_sha256": run.dataset.sha256,
        "dataset_rows": run.dataset.rows,
        "split_digest": run.split_digest,
        **{name: value for name, value in run.reproducibility.items() if name not in ("split_digest", "packages")},
        "hyperparameters": run.hyperparameters,
        **({"initial_fingerprint": run.initial_fingerprint} if run.initial_fingerprint else {}),
        "finished_at": iso_utc(run.finished_at) if run.finished_at else "",
    }


def run_metrics_csv(run: Run, form: CsvForm = PLAIN) -> bytes:
    """Return every metric point as CSV, one figure a line; an undefined figure is empty."""
    record_export(run, what="metrics")
    return form.file(_metric_lines(run))


def _metric_lines(run: Run) -> Iterator[Sequence[Value]]:
    yield CSV_HEAD
    points = Metric.objects.filter(run=run).select_related("attempt").order_by("id")
    for point in points.iterator(chunk_size=2000):
        place = (point.attempt.number, point.epoch, point.step, point.split)
        stamp = iso_utc(point.received_at)
        for name, value in point.values.items():
            yield *place, name, value, stamp
