"""The list of runs and the overview."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from bert_training.models import Dataset, Run, Worker
from tests.pages.queries import queries_of
from tests.pages.training import fail, start, train
from tests.personas import make_dataset, make_run


def test_the_list_shows_what_somebody_may_see(as_ana: Client, as_carla: Client, as_root: Client, run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(name="Só da Ana")
    assert "Só da Ana" in as_ana.get("/runs").content.decode()
    assert "Só da Ana" in as_root.get("/runs").content.decode()
    assert "Só da Ana" not in as_carla.get("/runs").content.decode()


def test_a_finished_run_shows_its_deciding_figure(as_ana: Client, finished_run: Run) -> None:
    content = as_ana.get("/runs").content.decode()
    assert "87.5%" in content
    assert "F1 (macro)" in content


def test_the_figure_by_which_a_run_chose_its_network_stands_first(as_ana: Client, ana: User, worker: Worker) -> None:
    finished_run = train(worker, make_run(ana, hyperparameters={"best_metric": "accuracy"}))
    listed = as_ana.get("/runs").content.decode()
    assert "Accuracy" in listed
    assert "F1 (macro)" not in listed
    assert as_ana.get(f"/runs/{finished_run.pk}").context["result"]["figures"][0].label == "Accuracy"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("status=completed", {"Assunto v1"}),
        ("status=queued", {"Outra"}),
        ("task=text-classification", {"Assunto v1", "Outra"}),
        ("task=token-classification", set()),
        ("search=assunto", {"Assunto v1"}),
        ("search=petições", {"Assunto v1", "Outra"}),
        ("search=nada", set()),
    ],
)
def test_the_list_can_be_filtered(as_ana: Client, ana: User, finished_run: Run, query: str, names: set[str]) -> None:
    make_run(ana, finished_run.dataset, name="Outra")
    shown = as_ana.get(f"/runs?{query}").context["page"].object_list
    assert {run.name for run in shown} == names


def test_the_list_can_be_filtered_by_dataset_and_for_staff_by_owner(as_root: Client, root: User, run: Run) -> None:
    other = make_run(root, make_dataset(root, name="Outros dados"))
    by_dataset = as_root.get(f"/runs?dataset={other.dataset_id}").context["page"].object_list
    by_owner = as_root.get(f"/runs?owner={run.owner_id}").context["page"].object_list
    assert ([shown.pk for shown in by_dataset], [shown.pk for shown in by_owner]) == ([other.pk], [run.pk])


@pytest.mark.parametrize("query", ["page=-1", "dataset=x", "dataset=9999999999999999999999", "owner=1", "status=x"])
def test_a_strange_address_still_opens_the_list(as_ana: Client, run: Run, query: str) -> None:
    assert as_ana.get(f"/runs?{query}").status_code == 200


@pytest.mark.parametrize(
    ("path", "most"), [("/runs", 10), ("/", 19)]
)  # the first page asks for eight kinds of decisions
def test_a_list_costs_the_same_queries_with_many_rows_and_never_reads_a_manifest(
    as_root: Client, ana: User, dataset: Dataset, path: str, most: int
) -> None:
    make_run(ana, dataset)
    as_root.get(path)  # the first visit is noted
    few = queries_of(as_root, path)
    for _ in range(5):
        make_run(ana, dataset)
    many = queries_of(as_root, path)
    assert len(many) == len(few) <= most
    assert not [sql for sql in many if "bert_split_manifests" in sql]


def test_markup_in_a_name_is_shown_as_text(as_ana: Client, ana: User) -> None:
    make_run(ana, name="<script>alert(1)</script>")
    for path in ("/", "/runs", "/queue"):
        assert "<script>alert" not in as_ana.get(path).content.decode()


def test_a_newcomer_sees_the_three_steps(as_ana: Client) -> None:
    content = as_ana.get("/").content.decode()
    assert "three steps" in content
    assert "/datasets/new" in content


def test_the_overview_shows_what_runs_and_what_ended(
    as_ana: Client, ana: User, worker: Worker, dataset: Dataset
) -> None:
    fail(worker, make_run(ana, dataset, name="Deu errado"), "gpu_out_of_memory")
    start(worker, make_run(ana, dataset, name="Treinando"))
    content = as_ana.get("/").content.decode()
    places = [content.index(words) for words in ("Treinando", "Needs a decision", "Deu errado", "Latest results")]
    assert places == sorted(places)
    assert '<progress max="100" value="50"' in content


def test_a_newcomers_list_says_what_to_do(as_ana: Client) -> None:
    assert "No runs yet" in as_ana.get("/runs").content.decode()
