"""Runs side by side: paired differences on the same test rows, refusals with their reason, settings and curves."""

import csv
import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from bert_training.contract.enums import JobStatus, Outcome, ShareLevel, Split
from bert_training.models import Dataset, Metric, Run, Team, Worker
from bert_training.services.answers import run_pairs
from tests.answered import answer, labels, rows_of
from tests.pages.conftest import client_of
from tests.pages.queries import queries_of
from tests.personas import make_run, ready_dataset, share

NAMES = ["cobrança", "família", "saúde"]
GOLD = [0, 1, 2, 0, 1, 2]


def judged(owner: User, dataset: Dataset, name: str, predicted: list[int], **wanted: Any) -> Run:
    """A run that answered the first six rows."""
    run = make_run(owner, dataset, name=name, **wanted)
    return answer(run, [labels(rows_of(run, 6), GOLD, predicted)], NAMES, f1_macro=0.5)


@pytest.fixture
def pair(ana: User, dataset: Dataset) -> tuple[Run, Run]:
    """Two runs on the same test rows; the second never answers “saúde”."""
    first = judged(ana, dataset, "Primeira", [0, 1, 2, 0, 1, 0])
    second = judged(ana, dataset, "Segunda", [0, 1, 0, 0, 0, 1], hyperparameters={"learning_rate": 0.0001})
    return first, second


def compare(client: Client, *runs: Run) -> Any:
    response = client.get("/runs/compare", {"runs": ",".join(str(run.pk) for run in runs)})
    assert response.status_code == 200
    return response


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def test_two_runs_are_set_against_each_other_figure_by_figure_class_by_class_row_by_row(
    as_ana: Client, pair: tuple[Run, Run]
) -> None:
    first, second = pair
    response = compare(as_ana, first, second)
    accuracy = next(row for row in response.context["figures"] if row.label == "Accuracy")
    assert [cell.text for cell in accuracy.cells] == ["83.3%", "50.0%"]
    assert accuracy.cells[1].points == "\u221233.3"
    assert response.context["classes"][0].label == "saúde"
    crossed = response.context["crossed"][0]
    assert (crossed.both, crossed.first_alone, crossed.own_alone, crossed.neither) == ("3", "2", "0", "1")
    content = text_of(response)
    assert "2 runs were judged on these same test rows. The best of them looks better than it is" in content
    address = f"/runs/{second.pk}/rows?show=wrong&amp;against={first.pk}&amp;other=right"
    assert f'<a href="{address}">2</a>' in content
    listed = as_ana.get(address.replace("&amp;", "&")).context["labels"]
    assert sorted(int(row.row) for row in listed) == sorted(rows_of(first)[place] for place in (2, 4))


def test_only_settings_that_differ_stand_open(as_ana: Client, pair: tuple[Run, Run]) -> None:
    settings = compare(as_ana, *pair).context["settings"]
    different = {fact.label: fact.texts for fact in settings.different}
    assert different["Learning rate"] == ["0.00005", "0.0001"]
    assert "Epochs" not in different
    assert "Epochs" in {fact.label for fact in settings.equal}


def test_both_forms_of_the_address_name_the_runs_once_and_at_most_eight(as_ana: Client, pair: tuple[Run, Run]) -> None:
    first, second = pair
    shown = as_ana.get(f"/runs/compare?runs={first.pk}&runs={second.pk},{first.pk}&runs=x").context["shown"]
    assert [each.run for each in shown] == [first, second]
    others = [make_run(first.owner, first.dataset) for _run in range(7)]
    response = compare(as_ana, first, second, *others)
    assert len(response.context["shown"]) == 8
    assert "At most 8 runs are compared" in text_of(response)
    assert "Choose at least two runs" in text_of(as_ana.get("/runs/compare"))


def test_other_test_rows_are_refused_with_the_reason(as_ana: Client, ana: User, pair: tuple[Run, Run]) -> None:
    first, _second = pair
    rows = rows_of(first)
    moved = make_run(ana, first.dataset, name="Outra divisão", hyperparameters={"seed": 99})
    answer(moved, [labels(rows[2:8], GOLD, GOLD)], NAMES)
    elsewhere = judged(ana, ready_dataset(ana, request_digest="2" * 64), "Outros dados", GOLD)
    Dataset.objects.filter(pk=elsewhere.dataset_id).update(table_sha256="3" * 64)
    waiting = make_run(ana, first.dataset, name="Na fila")
    played = make_run(ana, first.dataset, name="Simulada")
    Run.objects.filter(pk=played.pk).update(simulate=True)
    response = compare(as_ana, first, moved, elsewhere, waiting, played)
    assert "figures" not in response.context
    reasons = {run.name: " ".join(sentences) for run, sentences in response.context["refused"]}
    assert "4 test rows are the same; 2 only the first run has, 2 only this one." in reasons["Outra divisão"]
    assert "other data" in reasons["Outros dados"]
    assert "has not been completed" in reasons["Na fila"]
    assert "simulation" in reasons["Simulada"]
    assert "say nothing about which model is better" in text_of(response)


def test_in_which_rows_data_differ_is_told_only_to_who_sees_both(
    as_ana: Client, ana: User, bruno: User, pair: tuple[Run, Run], team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A guess at unshared texts, uploaded and compared, must not be confirmed cell by cell."""
    asked: list[Run] = []

    def note(_user: User, first: Run, second: Run) -> Any:
        asked.extend((first, second))
        return type("Nothing", (), {"rows": None})

    monkeypatch.setattr("bert_training.services.answers.comparison_words.compare_for", note)
    share(pair[0], team, ShareLevel.VIEW)
    guess = judged(bruno, ready_dataset(bruno, request_digest="4" * 64), "Palpite", GOLD)
    Dataset.objects.filter(pk=guess.dataset_id).update(table_sha256="5" * 64)
    response = compare(client_of(bruno), pair[0], guess)
    assert [sentences for _run, sentences in response.context["refused"]] == [
        ["It was trained and tested on other data."]
    ]
    assert asked == []
    own = judged(ana, ready_dataset(ana, request_digest="6" * 64), "Própria", GOLD)
    Dataset.objects.filter(pk=own.dataset_id).update(table_sha256="7" * 64)
    compare(as_ana, pair[0], own)
    assert asked == [pair[0], own]


def test_a_run_that_one_may_not_see_is_not_there(as_carla: Client, carla: User, pair: tuple[Run, Run]) -> None:
    own = make_run(carla)
    for address in ("compare", "compare.csv", "compare/charts/loss-train.csv"):
        assert as_carla.get(f"/runs/{address}?runs={own.pk},{pair[0].pk}").status_code == 404, address


def test_the_file_holds_numbers_with_their_intervals(as_ana: Client, pair: tuple[Run, Run]) -> None:
    response = as_ana.get(f"/runs/compare.csv?runs={pair[0].pk},{pair[1].pk}")
    lines = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    accuracy = next(line for line in lines if line[0] == "accuracy")
    value, low, high = map(float, accuracy[6:9])
    assert low <= value <= high
    assert value == pytest.approx(-1 / 3)
    assert {line[0] for line in lines} >= set(NAMES)


def test_curves_lie_over_each_other_and_can_be_saved(as_ana: Client, pair: tuple[Run, Run], worker: Worker) -> None:
    for place, run in enumerate(pair):
        tried = {"worker": worker, "started_at": timezone.now(), "ended_at": timezone.now(), "outcome": Outcome.LOST}
        attempt, again = (run.job.attempts.create(number=number, **tried) for number in (1, 2))
        points = [(attempt, 10, 0.9), (attempt, 30, 0.1), (again, 20, 0.7 - place / 10)]
        for seq, (own, step, loss) in enumerate(points, start=1):
            values = {"loss": loss, "f1_macro": 1 - loss}
            Metric.objects.create(
                run=run, attempt=own, seq=seq, epoch=1, step=step, split=Split.VALIDATION, values=values
            )
    charts = {chart.name: chart for chart in compare(as_ana, *pair).context["charts"]}
    assert set(charts) == {"loss-validation", "f1-macro-validation"}
    # What the first attempt told beyond the step from which the second went on is not shown.
    assert charts["loss-validation"].table.rows == [["10", "0.9000", "0.9000"], ["20", "0.7000", "0.6000"]]
    saved = as_ana.get(f"/runs/compare/charts/loss-validation.csv?runs={pair[0].pk},{pair[1].pk}")
    assert "0.6000" in saved.content.decode()
    assert as_ana.get("/runs/compare/charts/nothing.svg").status_code == 302


def test_many_answers_are_compared_in_the_background(
    as_ana: Client, pair: tuple[Run, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    cache.clear()
    monkeypatch.setattr(run_pairs, "LABELS_AT_ONCE", 5)
    monkeypatch.setattr(run_pairs, "async_task", lambda *arguments: asked.append(arguments))
    for _time in range(2):
        assert "this takes a minute" in text_of(compare(as_ana, *pair))
    assert asked == [(run_pairs.PAIR_FUNCTION, [run.pk for run in pair])]
    run_pairs.pair_stored_runs(asked[0][1])
    assert compare(as_ana, *pair).context["figures"]


def test_more_runs_beside_them_cost_no_more_queries(as_ana: Client, ana: User, pair: tuple[Run, Run]) -> None:
    path = f"/runs/compare?runs={pair[0].pk},{pair[1].pk}"
    before = len(queries_of(as_ana, path))
    for _run in range(3):
        judged(ana, pair[0].dataset, "Mais uma", GOLD)
    assert len(queries_of(as_ana, path)) <= before


def test_runs_whose_split_is_not_known_are_not_counted_as_judged_on_the_same_rows(
    as_ana: Client, ana: User, pair: tuple[Run, Run]
) -> None:
    judged(ana, pair[0].dataset, "Mais uma", GOLD)
    assert compare(as_ana, *pair).context["tested"] == 3
    Run.objects.update(split_digest="")
    assert compare(as_ana, *pair).context["tested"] == 2


def test_a_scatter_shows_the_runs_that_one_may_see(
    as_ana: Client, as_carla: Client, ana: User, pair: tuple[Run, Run]
) -> None:
    response = as_ana.get("/runs/scatter?x=learning_rate&metric=f1_macro")
    assert [row[2:] for row in response.context["chart"].table.rows] == [["0.0001", "50.0%"], ["0.00005", "50.0%"]]
    assert "All 2 runs were tested on the same rows" in text_of(response)
    assert as_ana.get("/runs/scatter?x=nonsense&metric=nonsense&task=x&dataset=x").context["chart"] is not None
    assert as_ana.get("/runs/scatter/charts/scatter.csv").status_code == 200
    assert as_carla.get("/runs/scatter").context["chart"] is None
    namesake = ready_dataset(ana, name=pair[0].dataset.name, request_digest="7" * 64)
    Run.objects.filter(pk=pair[1].pk).update(dataset=namesake)
    assert [count for *_colour, count in as_ana.get("/runs/scatter").context["legend"]] == [1, 1]
    Run.objects.filter(pk=pair[0].pk).update(status=JobStatus.FAILED)
    assert len(as_ana.get("/runs/scatter").context["chart"].dots) == 1
    few = len(queries_of(as_ana, "/runs/scatter"))
    for _run in range(3):
        judged(ana, pair[0].dataset, "Mais uma", GOLD)
    assert len(queries_of(as_ana, "/runs/scatter")) == few
