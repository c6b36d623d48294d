"""The report of a run: one click, three forms, every figure that of the proof, no text of a row."""

import io
import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pypdf import PdfReader

from bert_training.contract.enums import AuditKind, ProofStatus, ShareLevel, Split
from bert_training.data.proof.shape import Proof
from bert_training.models import AuditEvent, Dataset, JobAttempt, Metric, Run, RunProof, Team
from bert_training.services.stored_files import read_table
from tests.answered import answer, entities, labels, rows_of
from tests.pages.conftest import client_of
from tests.pages.queries import queries_of
from tests.personas import make_run, ready_dataset, share
from tests.proofs import baseline, class_proof, entity_proof, figure, gain, label_errors, make_proof

CANARY = "<img src=x onerror=alert(1)>"
ACCENTS = "Petição inicial: ação, órgão, §, “aspas”, €, ½"


def prove(run: Run, proof: Proof, **changes: Any) -> Run:
    RunProof.objects.create(run=run, status=ProofStatus.READY, content=proof, key="proofs/x.parquet")
    Run.objects.filter(pk=run.pk).update(**changes)
    return run


def report_of(client: Client, run: Run, form: str) -> bytes:
    response = client.get(f"/runs/{run.pk}/report.{form}")
    assert response.status_code == 200
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["Cache-Control"] == "no-store"
    return bytes(response.content)


def pages_of(client: Client, run: Run) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(report_of(client, run, "pdf"))).pages]


def text_of(client: Client, run: Run, form: str) -> str:
    """The words of a report, in one line."""
    if form == "pdf":
        return " ".join(" ".join(pages_of(client, run)).split())
    text = report_of(client, run, form).decode()
    return " ".join((text.replace("\\", "") if form == "md" else unescape(re.sub(r"<[^>]+>", " ", text))).split())


@pytest.mark.parametrize("form", ["html", "md", "pdf"])
def test_a_report_says_what_was_done_how_good_it_is_and_where_it_fails(ana: User, finished_run: Run, form: str) -> None:
    classes = [
        class_proof("saude") | {"recall": figure(0.93, 0.04)},
        class_proof("pessoal", recall=0.5, support=12),
        class_proof("tributario", support=0),
    ]
    confusion = [[0, 0, 93], [0, 1, 7], [1, 1, 6], [1, 0, 6]]
    proof = make_proof(names=("saude", "pessoal", "tributario"), classes=classes, confusion=confusion)
    run = prove(finished_run, proof | {"label_errors": label_errors(7)}, name=ACCENTS, model_fingerprint="f" * 64)
    text = text_of(client_of(ana, "en"), run, form)
    assert ACCENTS in text
    assert "Of 100 texts it answers right: 90; between 88 and 92." in text
    assert "93; between 89 and 97" in text  # of one label
    assert text.index("pessoal *") < text.index("saude 93") if form != "md" else True
    assert "no examples" in text
    assert "90.0%" in text
    assert "85.0%" in text  # the linear method on the same rows
    assert "Gain of 5.0 points over the linear method; between 4.0 and 6.0." in text
    assert "50.0%" in text  # of the examples of pessoal are taken for saude
    assert "Doubted labels that nobody has looked at: 7." in text
    assert run.dataset.sha256 in text.replace(" ", "") if form == "pdf" else run.dataset.sha256 in text
    assert f"Run {run.pk} · model ffffffffffff" in text


def test_natural_frequencies_are_said_in_portuguese(ana: User, finished_run: Run) -> None:
    text = text_of(client_of(ana, "pt-br"), prove(finished_run, make_proof()), "md")
    assert "De cada 100 textos, acerta 90; entre 88 e 92." in text
    assert "88,0% a 92,0%" in text
    assert "| O método linear |" in text
    assert "Taxa de aprendizado: 0,00005" in text  # no code, no 5e-05
    assert "Tamanho do lote: 16 textos" in text
    assert "learning_rate" not in text


def test_each_page_of_a_pdf_names_the_run_and_its_number(ana: User, finished_run: Run) -> None:
    classes = [class_proof(f"classe {number:03d}") for number in range(100)]
    proof = make_proof(names=tuple(entry["name"] for entry in classes), classes=classes)
    pages = pages_of(client_of(ana, "en"), prove(finished_run, proof))
    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        assert f"Run {finished_run.pk} · model" in page
        assert f"{number} / {len(pages)}" in page
    assert "classe 099" in " ".join(pages)


def test_the_history_is_drawn_and_stands_as_a_table(ana: User, finished_run: Run) -> None:
    attempt = JobAttempt.objects.filter(job__run=finished_run).latest("number")
    Metric.objects.filter(run=finished_run).delete()
    for epoch, (train, judged) in enumerate([(1.2, 1.1), (0.6, 0.8), (0.3, 0.9)], start=1):
        for split, value in ((Split.TRAIN, train), (Split.VALIDATION, judged)):
            Metric.objects.create(
                run=finished_run, attempt=attempt, seq=9000 + 2 * epoch + (split == Split.TRAIN), epoch=epoch,
                step=10 * epoch, split=split, values={"loss": value},
            )  # fmt: skip
    run = prove(finished_run, make_proof())
    client = client_of(ana, "en")
    assert "| 3 | 0.300 | 0.900 |" in report_of(client, run, "md").decode().replace("\\", "")
    page = report_of(client, run, "html").decode()
    assert page.count("<polyline") >= 2
    assert ">2</text>" in page
    assert ">1.5</text>" not in page  # nobody trains half an epoch
    # Judged only every second epoch, and what a lost attempt told beyond its checkpoint no longer counts.
    Metric.objects.filter(run=finished_run, epoch=1).delete()
    again = JobAttempt.objects.create(
        job=attempt.job, number=attempt.number + 1, worker=attempt.worker, started_at=attempt.started_at,
        resumed_from_step=29,
    )  # fmt: skip
    values = {"run": finished_run, "attempt": again, "epoch": 3, "step": 30}
    Metric.objects.create(**values, seq=1, split=Split.TRAIN, values={"loss": 0.5})
    Metric.objects.create(**values, seq=2, split=Split.VALIDATION, values={"loss": 0.7})
    text = report_of(client, run, "md").decode().replace("\\", "")
    assert "| 2 | 0.600 | 0.800 |" in text
    assert "| 3 | 0.500 | 0.700 |" in text
    assert "How the training went" in " ".join(pages_of(client, run))


def test_entities_are_reported_as_entities(ana: User, finished_run: Run) -> None:
    text = text_of(client_of(ana, "en"), prove(finished_run, entity_proof()), "md")
    assert "Of 100 entities it finds, with both borders right: 88; between 86 and 90." in text
    assert "Of 100 texts" not in text
    assert "no entity" in text


def test_entities_with_wrong_borders_alone_are_not_called_right(ana: User, finished_run: Run) -> None:
    proof = entity_proof()
    assert "entities" in proof
    proof["confusion"], proof["entities"] = [[0, 0, 90]], {**proof["entities"], "wrong_boundary": 17}
    text = text_of(client_of(ana, "en"), prove(finished_run, proof), "md")
    assert "wrong boundary: 17" in text.lower()
    assert "answered wrong" not in text


@pytest.mark.parametrize("form", ["html", "md"])
def test_what_a_user_wrote_is_text_and_nothing_else(ana: User, finished_run: Run, form: str) -> None:
    proof = make_proof(
        names=(CANARY, "| a | b", "# x"), classes=[class_proof(CANARY), class_proof("| a | b"), class_proof("# x")]
    )
    run = prove(finished_run, proof, name=CANARY, base_model=f"x{CANARY}")
    text = report_of(client_of(ana, "en"), run, form).decode()
    assert "<img" not in text
    assert "javascript:" not in text
    if form == "html":
        assert "<script" not in text
        assert "http" not in text.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    else:
        assert r"\| a \| b" in text
        assert "| \\# x |" in text


def test_texts_are_quoted_only_when_asked_for_and_to_who_may_see_them(
    ana: User, bruno: User, dataset: Dataset, team: Team
) -> None:
    run = make_run(ana, dataset, name="Assunto")
    rows = rows_of(run, 4)
    names = ["cobrança", "família", "saúde"]
    answer(run, [labels(rows, [0, 0, 2, 2], [0, 2, 2, 1], [0.95, 0.7, 0.6, 0.9])], names)
    share(run, team, ShareLevel.VIEW)
    wrong, right = (read_table(dataset)["text"][place] for place in (3, 0))
    client, path = client_of(ana, "en"), f"/runs/{run.pk}/report.md"
    assert wrong not in client.get(path).content.decode()
    quoted = client.get(f"{path}?examples=1").content.decode()
    assert wrong in quoted
    assert right not in quoted
    assert "| saúde | família | 90.0% |" in quoted
    link = f'href="/runs/{run.pk}/report.pdf?examples=1"'
    assert link in client.get(f"/runs/{run.pk}").content.decode()
    assert link not in client_of(bruno, "en").get(f"/runs/{run.pk}").content.decode()
    assert client_of(bruno, "en").get(path).status_code == 200
    assert client_of(bruno, "en").get(f"{path}?examples=1").status_code == 403
    exports = AuditEvent.objects.filter(kind=AuditKind.EXPORTED).values_list("facts__what", flat=True)
    assert {"report_md", "report_md_with_texts"} <= set(exports)


def test_without_a_proof_there_is_no_report(as_ana: Client, finished_run: Run) -> None:
    for form in ("html", "md", "pdf"):
        assert as_ana.get(f"/runs/{finished_run.pk}/report.{form}").status_code == 404
    assert f"/runs/{finished_run.pk}/report" not in as_ana.get(f"/runs/{finished_run.pk}").content.decode()


def test_a_report_is_one_click_away_and_a_stranger_s_is_not_found(
    as_ana: Client, as_carla: Client, finished_run: Run
) -> None:
    run = prove(finished_run, make_proof(baselines=[baseline("linear", 0.9)], gain=gain(-0.02)))
    page = as_ana.get(f"/runs/{run.pk}").content.decode()
    for form in ("html", "md", "pdf"):
        assert f'href="/runs/{run.pk}/report.{form}"' in page
        assert as_carla.get(f"/runs/{run.pk}/report.{form}").status_code == 404
    assert as_ana.get(f"/runs/{run.pk}/report.docx").status_code == 404


def test_a_report_of_many_labels_asks_no_more_of_the_database(ana: User, finished_run: Run) -> None:
    client = client_of(ana, "en")
    run = prove(finished_run, make_proof())
    report_of(client, run, "md")  # the first export is noted in the audit, more of the same are counted there
    few = len(queries_of(client, f"/runs/{run.pk}/report.md"))
    classes = [class_proof(f"c{number}") for number in range(80)]
    RunProof.objects.filter(run=run).update(
        content=make_proof(names=tuple(c["name"] for c in classes), classes=classes)
    )
    assert len(queries_of(client, f"/runs/{run.pk}/report.md")) == few


def test_of_entities_the_surest_errors_are_quoted_first(as_ana: Client, ana: User) -> None:
    run = make_run(ana, ready_dataset(ana, task="token-classification"))
    many: list[Any] = [("PESSOA", 0, 1, 0.5), ("PESSOA", 2, 3, 0.625)]
    answer(run, [entities(rows_of(run, 2), [[], []], [many, [("LOCAL", 0, 1, 0.75)]])], ["LOCAL", "PESSOA"])
    RunProof.objects.filter(run=run).update(content=entity_proof())
    text = as_ana.get(f"/runs/{run.pk}/report.md?examples=1").content.decode()
    shares = re.findall(r"\| (\d\d)[.,]\d% \|", text[text.index("## Examples of errors") :])
    assert shares == ["75", "50", "62"]
