"""The result as pictures: the matrix and its rows, coverage, curves, many classes, and each picture as a file."""

import csv
import io
import re
from html import unescape
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client

from bert_training.contract.enums import PredictionSource
from bert_training.data.figures.labels import LABELS
from bert_training.data.proof.prove import prove as real_proof
from bert_training.data.proof.shape import CoveragePoint, Proof
from bert_training.models import Run, Worker
from tests.data.proof.worlds import labelled, stated
from tests.pages.results import page_of, prove
from tests.pages.training import train
from tests.personas import make_run, ready_dataset
from tests.predicting import label_predictions
from tests.proofs import class_proof, entity_proof, figure, make_proof

MANY = (*(f"Saúde {number:03}" for number in range(99)), "Tributário")
CONFUSION = [[0, 0, 80], [0, 1, 20], [1, 0, 1], [1, 1, 299]]


def proved_of(classes: int) -> Proof:
    """A proof of answers of which four of five are right."""
    names = [f"classe {number}" for number in range(classes)]
    sources = (PredictionSource.NETWORK, PredictionSource.LINEAR)
    answered = [label_predictions(range(2, 402), classes=classes, source=source) for source in sources]
    return real_proof(answered, judgement=LABELS, names=names, metric="f1_macro", seed=1, calibration=None, judged=0)


def matrix_of(content: str) -> list[list[tuple[str, str]]]:
    """Return the fields of the matrix: what stands in each, and where it leads."""
    body = content[content.index('class="matrix"') :]
    rows = re.findall(r"<tr><th.*?</tr>", body[: body.index("</table>")], re.DOTALL)
    fields = [re.findall(r"<td [^>]*>(?:<a href=\"([^\"]*)\">)?([^<]*)", row) for row in rows]
    return [[(text, unescape(link)) for link, text in row] for row in fields]


def point(threshold: float, taken: float, wrong: float) -> CoveragePoint:
    return CoveragePoint(threshold=threshold, answers=int(100 * taken), taken=figure(taken), wrong=figure(wrong))


def test_each_field_of_the_matrix_leads_to_its_rows(as_ana: Client, finished_run: Run) -> None:
    run = prove(finished_run, make_proof(names=("a & b", "c"), confusion=CONFUSION))
    (right, wrong), (rare, _usual) = matrix_of(page_of(as_ana, run))
    rows = f"/runs/{run.pk}/rows?given=a+%26+b"
    assert right == ("80", f"{rows}&answered=a+%26+b&show=right&split=test")
    assert wrong == ("20", f"{rows}&answered=c&show=wrong&split=test")
    assert rare[0] == "1"


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("rows", [["80%", "20%"], ["<1%", "100%"]]),
        ("columns", [["99%", "6%"], ["1%", "94%"]]),
        ("else", [["80", "20"], ["1", "299"]]),
    ],
)
def test_the_matrix_shows_counts_or_shares(
    as_ana: Client, finished_run: Run, chosen: str, expected: list[list[str]]
) -> None:
    run = prove(finished_run, make_proof(names=("alfa", "beta"), confusion=CONFUSION))
    content = page_of(as_ana, run, f"?matrix={chosen}")
    assert [[unescape(text) for text, _link in row] for row in matrix_of(content)] == expected
    assert "/rows?given=alfa" in content


def test_of_many_classes_the_matrix_holds_the_confused_and_the_file_every_pair(
    as_ana: Client, finished_run: Run
) -> None:
    confusion = [[place, place, 50] for place in range(100)] + [[7, 99, 9], [40, 41, 30], [3, 4, 1]]
    run = prove(finished_run, make_proof(names=MANY, classes=[class_proof(name) for name in MANY], confusion=confusion))
    content = page_of(as_ana, run)
    assert len(matrix_of(content)) == 6
    assert "Of 100 labels the 6 that are confused most" in content
    file = as_ana.get(f"/runs/{run.pk}/result/matrix.csv").content.decode("utf-8-sig")
    found = [*csv.reader(io.StringIO(file))]
    assert len(found) == 1 + 103
    assert ["Saúde 040", "Saúde 041", "30", "37.5%", "37.5%"] in found


def test_classes_are_searched_ordered_and_shown_all_without_a_script(as_ana: Client, finished_run: Run) -> None:
    classes = [class_proof(name, recall=0.5 + place / 250) for place, name in enumerate(MANY)]
    run = prove(finished_run, make_proof(names=MANY, classes=classes))

    def listed(query: str) -> list[str]:
        content = page_of(as_ana, run, query)
        table = content[content.index("classes-title") : content.index("A name leads to its test rows")]
        return re.findall(r"(?:Saúde \d+|Tributário)(?=</a>)", table)

    assert listed("") == [*MANY[:25]]
    assert listed("?find=tributario") == ["Tributário"]
    assert listed("?find=saude+01&order=name") == [f"Saúde 01{digit}" for digit in range(10)]
    assert len(listed("?classes=all")) == 100
    assert listed("?find=%3Cnone%3E&order=nonsense&threshold=x") == []


def test_coverage_is_said_for_the_chosen_threshold_and_where_errors_are_few(as_ana: Client, finished_run: Run) -> None:
    coverage = [point(0.0, 1.0, 0.2), point(0.5, 0.8, 0.04), point(0.7, 0.75, 0.08), point(0.9, 0.5, 0.03)]
    run = prove(finished_run, make_proof(coverage=coverage))
    content = page_of(as_ana, run)
    assert "At most 5% of the accepted answers are wrong from a confidence of 90% on." in content  # not from 50 % on
    assert "confidence of 90% or more are accepted, the model decides 50.0% (48.0% to 52.0%)" in content
    assert "3.0% (1.0% to 5.0%) of these are wrong; a person looks at the other 50.0%." in content
    assert "promises nothing about new texts" in content
    assert "confidence of 70% or more are accepted, the model decides 75.0%" in page_of(as_ana, run, "?threshold=0,7")


@pytest.mark.parametrize(
    ("wrong", "said"), [(0.3, "At no threshold are at most 5%"), (0.01, "At most 5% are wrong even when every")]
)
def test_coverage_that_is_bad_or_good_everywhere_is_said(
    as_ana: Client, finished_run: Run, wrong: float, said: str
) -> None:
    run = prove(finished_run, make_proof(coverage=[point(0.0, 1.0, wrong), point(0.9, 0.5, wrong)]))
    assert said in page_of(as_ana, run)


def test_few_errors_at_some_threshold_are_not_denied_for_one_error_among_the_surest(
    as_ana: Client, finished_run: Run
) -> None:
    coverage = [point(0.0, 1.0, 0.2), point(0.9, 0.6, 0.03), point(0.99, 0.1, 0.08)]
    content = page_of(as_ana, prove(finished_run, make_proof(coverage=coverage)))
    assert "At most 5% of the accepted answers are wrong at 90%, but not at every higher threshold." in content
    assert "confidence of 90% or more are accepted" in content


def test_a_proof_of_an_older_program_says_nothing_of_coverage(as_ana: Client, finished_run: Run) -> None:
    assert "coverage-title" not in page_of(as_ana, prove(finished_run, make_proof()))


def test_every_picture_is_shown_and_saved_with_its_figures(as_ana: Client, as_carla: Client, finished_run: Run) -> None:
    run = prove(finished_run, proved_of(3))
    content = page_of(as_ana, run)
    pictures = set(re.findall(rf"/runs/{run.pk}/result/([a-z]+)\.svg", content))
    assert pictures == {"headline", "classes", "matrix", "coverage", "reliability", "roc", "pr"}
    for name in sorted(pictures):
        picture = as_ana.get(f"/runs/{run.pk}/result/{name}.svg?matrix=rows")
        assert ElementTree.fromstring(picture.content).get("viewBox"), name  # noqa: S314 - our own
        figures = as_ana.get(f"/runs/{run.pk}/result/{name}.csv").content.decode("utf-8-sig")
        assert len(figures.splitlines()) > 2, name
        assert as_carla.get(f"/runs/{run.pk}/result/{name}.svg").status_code == 404
    assert as_ana.get(f"/runs/{run.pk}/result/nothing.svg").status_code == 404


def test_a_run_without_a_proof_has_no_pictures(as_ana: Client, finished_run: Run) -> None:
    assert as_ana.get(f"/runs/{finished_run.pk}/result/matrix.svg").status_code == 404


def test_curves_are_read_where_they_are(as_ana: Client, finished_run: Run) -> None:
    curves = {
        "roc": {"alfa": [[0, 0], [0.04, 0.6], [0.2, 0.9], [1, 1]]},
        "pr": {"alfa": [[0, 1], [0.8, 0.75], [1, 0.5]]},
    }
    run = prove(finished_run, make_proof(names=("alfa",), curves=curves))

    def row(name: str) -> list[str]:
        file = as_ana.get(f"/runs/{run.pk}/result/{name}.csv").content.decode("utf-8-sig")
        _head, first = csv.reader(io.StringIO(file))
        return list(first)

    assert row("roc") == ["alfa", "0.0%", "60.0%", "60.0%", "90.0%"]  # at 1, 5, 10, 20 % of the others
    assert row("pr") == ["alfa", "75.0%", "75.0%", "50.0%", "50.0%"]  # at 50, 80, 90, 95 % found


def test_entities_show_errors_and_types_as_pictures(as_ana: Client, ana: User, worker: Worker) -> None:
    run = train(worker, make_run(ana, ready_dataset(ana, task="token-classification", request_digest="e" * 64)))
    content = page_of(as_ana, prove(run, entity_proof(coverage=[point(0.0, 1.0, 0.01)])))
    assert "errors.svg" in content
    assert "of those that the model found are kept" in content
    fields = matrix_of(content)
    assert fields[0][3] == ("6", f"/runs/{run.pk}/rows?given=LOCAL&answered=-&show=all&split=test")
    assert fields[3][3] == ("0", "")  # nothing that was taken for nothing is counted


def test_the_weakest_label_is_named_for_what_it_is_weak_in(as_ana: Client, finished_run: Run) -> None:
    often: dict[str, Any] = {**class_proof("b", recall=0.9), "f1": figure(0.5), "precision": figure(0.25)}
    proof = make_proof(names=("a", "b"), classes=[class_proof("a"), {**often, "predicted": 40}])
    assert "Weakest on “b”: of 40 such answers 10 are right." in page_of(as_ana, prove(finished_run, proof))


def test_probabilities_of_half_precision_make_a_whole_page(as_ana: Client, finished_run: Run) -> None:
    chance = np.random.default_rng(5)
    gold = chance.integers(0, 2, 60)
    parts = [labelled(gold, gold, probabilities=stated(chance, gold, 2))]  # never wrong
    proof = real_proof(parts, judgement=LABELS, names=["a", "b"], metric="accuracy", seed=1, calibration=None, judged=0)
    assert "even when every answer is accepted" in page_of(as_ana, prove(finished_run, proof))
