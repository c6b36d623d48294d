"""Downloads of a run: the model card and the figures."""

import csv
import io

import pytest

from bert_training.contract.enums import ProofStatus, Split
from bert_training.contract.streams import MetricBatch, MetricPoint
from bert_training.data.proof.shape import PROOF_VERSION
from bert_training.models import Job, Run, RunProof, Worker
from bert_training.services.errors import ServiceError
from bert_training.services.jobs import complete_job
from bert_training.services.run_files import model_card, run_metrics_csv
from bert_training.services.telemetry import append_metrics
from tests.data.test_proof_card import PROOF
from tests.service_layer.test_jobs import completion


def test_the_card_names_figures_classes_rows_and_fingerprint(running_job: Job, worker: Worker) -> None:
    complete_job(worker, running_job.pk, completion())
    run = Run.objects.select_related("dataset").get()
    card = model_card(run)
    assert "| f1_macro | 0,8000 |" in card
    assert "| auc_roc | sem exemplos |" in card
    assert "| saúde | 0,7000 | 0,9000 | 0,8000 | 10 |" in card
    assert f"`{'a' * 64}`" in card
    assert (
        sum(
            int(line.split("|")[2]) for line in card.splitlines() if line.startswith(("| train ", "| test ", "| valid"))
        )
        == 12
    )


def test_the_card_of_a_proved_run_has_intervals_and_baselines(running_job: Job, worker: Worker) -> None:
    complete_job(worker, running_job.pk, completion())
    run = Run.objects.select_related("dataset").get()
    content = {**PROOF, "version": PROOF_VERSION}
    RunProof.objects.update_or_create(run=run, defaults={"status": ProofStatus.READY, "content": content})
    card = model_card(run)
    assert "| f1_macro | 0,8000 | 0,7500 a 0,8500 |" in card
    assert "Ganho em `f1_macro` sobre o método linear: 10,0 pontos" in card
    assert "| método linear | 0,7000 | 0,6500 a 0,7500 |" in card


def test_a_run_without_a_result_has_no_card(run: Run) -> None:
    with pytest.raises(ServiceError):
        model_card(run)


def test_the_figures_are_a_table_with_a_line_each(running_job: Job, worker: Worker) -> None:
    point = MetricPoint.of(epoch=1, step=3, split=Split.TRAIN, values={"loss": float("nan"), "learning_rate": 0.1})
    append_metrics(worker, MetricBatch(job_id=running_job.pk, attempt=1, first_seq=1, points=[point]))
    lines = list(csv.DictReader(io.StringIO(run_metrics_csv(running_job.run).decode())))
    assert [(line["split"], line["step"], line["name"], line["value"]) for line in lines] == [
        ("train", "3", "loss", ""),
        ("train", "3", "learning_rate", "0.1"),
    ]
