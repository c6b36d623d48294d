"""The result of a run with its proof: the sentence on top, figures with intervals, and each state of the proof."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from bert_training.contract.enums import PredictionSource
from bert_training.data.figures.entities import ENTITIES
from bert_training.data.figures.labels import LABELS
from bert_training.data.proof.prove import prove as real_proof
from bert_training.models import GradeScale, Run, RunProof, Worker
from tests.pages.queries import queries_of
from tests.pages.results import page_of, prove
from tests.pages.training import train
from tests.personas import make_run, ready_dataset
from tests.predicting import entity_predictions, label_predictions
from tests.proofs import class_proof, entity_errors, entity_proof, gain, label_errors, make_proof

NETWORK, LINEAR = PredictionSource.NETWORK, PredictionSource.LINEAR
CANARY = "<img src=x onerror=alert(1)>"


def test_the_sentence_stands_on_top_with_its_reason(as_ana: Client, finished_run: Run) -> None:
    content = page_of(as_ana, prove(finished_run, make_proof(0.9, gain=gain(0.004))))
    assert "Use with review: gain over the linear method not shown" in content
    assert content.index("Use with review") < content.index("What to look at") < content.index("All figures")


def test_figures_stand_with_their_intervals_beside_the_simple_methods(as_ana: Client, finished_run: Run) -> None:
    content = page_of(as_ana, prove(finished_run, make_proof(0.9)))
    for text in ("90.0%", "88.0% to 92.0%", "excellent", "Linear method", "85.0%", "Most frequent answer", "30.0%"):
        assert text in content, text
    assert "Gain of 5.0 points over the linear method; between 4.0 and 6.0." in content
    assert "each of 300 test rows, of which 290 are independent" in content
    assert "2,000 replicates" in content
    assert f"/bert-training/api/runs/{finished_run.pk}/predictions" in content


def test_classes_are_shown_weakest_first_and_without_examples_never_as_zero(as_ana: Client, finished_run: Run) -> None:
    classes = [class_proof("bom"), class_proof("fraco", recall=0.4, support=12), class_proof("vazio", support=0)]
    content = page_of(as_ana, prove(finished_run, make_proof(names=("bom", "fraco", "vazio"), classes=classes)))
    table = content[content.index("For each label") :]
    assert table.index("fraco") < table.index("bom") < table.index("vazio")
    assert "few examples" in table
    assert "no examples" in table[table.index("vazio") :]
    assert ">0.0%" not in table


def test_what_is_taken_for_what_is_named_most_frequent_first(as_ana: Client, finished_run: Run) -> None:
    confusion = [[0, 0, 80], [0, 1, 3], [1, 0, 12], [1, 1, 88]]
    content = page_of(as_ana, prove(finished_run, make_proof(names=("alfa", "beta"), confusion=confusion)))
    pairs = content[content.index("Most frequent confusions") : content.index('class="matrix"')]
    assert pairs.index(">beta<") < pairs.index(">alfa<")
    assert "12.0%" in pairs
    assert ">80<" not in pairs


def test_entities_show_their_errors_and_their_scheme(as_ana: Client, ana: User, worker: Worker) -> None:
    run = train(worker, make_run(ana, ready_dataset(ana, task="token-classification", request_digest="e" * 64)))
    content = page_of(as_ana, prove(run, entity_proof(entities=entity_errors(12))))
    for text in ("IOB2 strict", "Spurious", "Wrong boundary", "12 were cut", "no entity", "not found", "Entity type"):
        assert text in content, text


def test_doubted_rows_are_counted_and_the_first_ones_listed(as_ana: Client, finished_run: Run) -> None:
    content = page_of(as_ana, prove(finished_run, make_proof(label_errors=label_errors(37))))
    assert "37 of 1,000 rows have a label that is doubted." in content
    assert "By the linear method" in content


@pytest.mark.parametrize("classes", [2, 77])
def test_what_is_really_proved_of_labels_opens(as_ana: Client, finished_run: Run, classes: int) -> None:
    names = [f"k{number}" for number in range(classes)]
    answered = [label_predictions(range(2, 42), classes=classes, source=source) for source in (NETWORK, LINEAR)]
    proof = real_proof(answered, judgement=LABELS, names=names, metric="f1_macro", seed=1, calibration=None, judged=0)
    content = page_of(as_ana, prove(finished_run, proof))
    assert "gain over the linear method not shown" in content  # both answer alike
    assert "More figures" in content


def test_what_is_really_proved_of_entities_opens(as_ana: Client, ana: User, worker: Worker) -> None:
    run = train(worker, make_run(ana, ready_dataset(ana, task="token-classification", request_digest="e" * 64)))
    answered = [entity_predictions(range(2, 42), "LOCAL")]
    names = ["LOCAL", "TEMPO"]
    proof = real_proof(answered, judgement=ENTITIES, names=names, metric="f1", seed=1, calibration=None, judged=0)
    content = page_of(as_ana, prove(run, proof))
    assert "“TEMPO” does not occur in the test rows" in content
    assert "Of 40 sentences 0 were cut" in content


def test_a_proof_of_nothing_opens(as_ana: Client, finished_run: Run) -> None:
    empty: dict[str, Any] = {"names": [], "classes": [], "confusion": [], "figures": {}, "baselines": [], "rows": {}}
    rest: dict[str, Any] = {"gain": None, "calibration": None, "validation": {}, "units": 0, "is_few": True}
    content = page_of(as_ana, prove(finished_run, make_proof(None, **empty | rest)))
    assert "Do not use: no test row says how good it is" in content


def test_names_of_labels_are_shown_as_text(as_ana: Client, finished_run: Run) -> None:
    proof = make_proof(names=(CANARY, "b"), classes=[class_proof(CANARY, recall=0.0)], confusion=[[0, 1, 3]])
    assert CANARY not in page_of(as_ana, prove(finished_run, proof))


def test_while_the_proof_is_made_the_worker_s_figures_stand_and_the_page_asks_again(
    as_ana: Client, finished_run: Run
) -> None:
    RunProof.objects.create(run=finished_run)
    content = page_of(as_ana, finished_run)
    assert "are being computed" in content
    assert 'data-refresh-seconds="3"' in content
    assert "87.5%" in content


@pytest.mark.parametrize(("status", "said"), [("failed", "could not be computed"), (None, "sent no predictions")])
def test_without_a_proof_the_page_says_why(as_ana: Client, finished_run: Run, status: str | None, said: str) -> None:
    if status:
        RunProof.objects.create(run=finished_run, status=status)
    content = page_of(as_ana, finished_run)
    assert said in content
    assert "87.5%" in content
    assert "data-refresh-seconds" not in content


def test_a_proof_of_a_later_program_is_not_guessed_at(as_ana: Client, finished_run: Run) -> None:
    prove(finished_run, make_proof(version=2))
    assert "could not be computed" in page_of(as_ana, finished_run)


def test_a_scale_that_staff_change_grades_older_runs_anew(as_ana: Client, finished_run: Run) -> None:
    prove(finished_run, make_proof(0.9))
    GradeScale.objects.filter(metric="f1_macro").update(excellent=0.99, good=0.95, fair=0.89)
    assert "Do not use: F1 (macro) may be as low as 88.0% (low)" in page_of(as_ana, finished_run)


def test_the_page_costs_the_same_queries_whatever_the_proof_holds(as_ana: Client, finished_run: Run) -> None:
    prove(finished_run, make_proof())
    few = queries_of(as_ana, f"/runs/{finished_run.pk}")
    RunProof.objects.update(content=make_proof(names=tuple(f"k{number}" for number in range(200))))
    assert len(queries_of(as_ana, f"/runs/{finished_run.pk}")) == len(few) <= 22


def test_the_api_gives_codes_and_sentences(as_ana: Client, finished_run: Run) -> None:
    prove(finished_run, make_proof(0.9, gain=gain(-0.03)))
    answer = as_ana.get(f"/bert-training/api/runs/{finished_run.pk}/proof").json()
    found = answer["summary"]
    assert (found["verdict"]["code"], found["verdict"]["reasons"][0]["code"]) == ("do_not_use", "below_baseline")
    assert found["verdict"]["sentence"] == "Do not use: gain not shown, worse than the linear method."
    assert (found["grade"]["code"], found["grade"]["low"]) == ("excellent", pytest.approx(0.88))
    assert found["alerts"][0]["code"] == "below_baseline"
    assert answer["proof"]["units"] == 290
