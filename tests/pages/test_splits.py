"""How rows are divided, on pages: previewed before a run, told of a run, and given by a manifest of one's own."""

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation

from bert_training.models import Dataset, DatasetManifest, Run, SplitManifest
from bert_training.pages.splits import shown_split
from tests.pages.test_run_new import send
from tests.personas import make_run

SPLITS = [*["treino"] * 8, *["validação"] * 3, "teste"]
OWN = "".join(f"{line}\n" for line in ["linha;conjunto", *(f"{row};{name}" for row, name in enumerate(SPLITS, 2))])
FACTS = {
    "source": "files",
    "protection": "exact",
    "groups": 12,
    "moved": 1,
    "left_out": 3,
    "rows": {"train": 700, "validation": 150, "test": 150},
}


def manifest(content: str = OWN) -> dict[str, SimpleUploadedFile]:
    return {"file": SimpleUploadedFile("divisao.csv", content.encode())}


@pytest.fixture
def address(dataset: Dataset) -> str:
    return f"/datasets/{dataset.pk}/manifest"


def test_the_facts_are_told_in_sentences() -> None:
    with translation.override("en"):
        shown = shown_split(FACTS)
    assert shown is not None
    assert [(fact.text, fact.unit) for fact in shown.rows] == [("700", "70.0%"), ("150", "15.0%"), ("150", "15.0%")]
    words = " ".join(shown.sentences)
    told = ("files that were sent", "12 groups", "moved 1 row ", "3 rows take no part")
    assert [part for part in told if part not in words] == []
    assert "nearly equal is not known" in shown.warning
    assert shown_split({}) is None


def test_the_split_is_shown_before_anything_starts(as_ana: Client, dataset: Dataset) -> None:
    answer = send(as_ana, dataset, preview="1")
    content = answer.content.decode()
    assert answer.status_code == 200
    assert 'id="split"' in content
    assert "Nothing has started yet." in content
    assert not Run.objects.exists()


def test_a_preview_of_impossible_shares_says_why(as_ana: Client, dataset: Dataset) -> None:
    answer = send(as_ana, dataset, train_split="0.7", validation_split="0,2", test_split="0.2", preview="1")
    assert answer.status_code == 422
    assert "add up to 1; together they are 1.1" in answer.content.decode()


def test_a_run_shows_its_split_and_gives_it_as_csv(as_ana: Client, run: Run) -> None:
    content = as_ana.get(f"/runs/{run.pk}").content.decode()
    assert "The protection moved 0 rows" in content
    answer = as_ana.get(f"/runs/{run.pk}/manifest")
    assert answer.headers["Content-Disposition"].endswith('-split.csv"')
    assert answer.content.decode("utf-8-sig").splitlines()[0] == "linha,conjunto"
    SplitManifest.objects.update(facts={})
    assert "The protection moved" not in as_ana.get(f"/runs/{run.pk}").content.decode()


def test_an_own_manifest_is_saved_shown_and_forgotten(
    as_ana: Client, ana: User, dataset: Dataset, address: str
) -> None:
    answer = as_ana.post(address, manifest(), follow=True)
    assert answer.redirect_chain == [(f"/datasets/{dataset.pk}", 302)]
    assert "divisao.csv" in answer.content.decode()
    assert make_run(ana, dataset).split_manifest.facts["rows"] == {"train": 8, "validation": 3, "test": 1}
    assert "Forget it" in as_ana.get(address).content.decode()
    as_ana.post(address, {"action": "forget"})
    assert not DatasetManifest.objects.exists()


def test_shares_that_an_own_manifest_makes_useless_are_said_to_be(
    as_ana: Client, dataset: Dataset, address: str
) -> None:
    form = f"/runs/new?dataset={dataset.pk}"
    assert "shares of training, validation and test are not used" not in as_ana.get(form).content.decode()
    as_ana.post(address, manifest())
    assert "shares of training, validation and test are not used" in as_ana.get(form).content.decode()


def test_a_manifest_that_does_not_fit_comes_back_with_each_line(as_ana: Client, address: str) -> None:
    answer = as_ana.post(address, manifest(OWN.replace("13;", "<b>;")))
    content = answer.content.decode()
    assert answer.status_code == 422
    assert "cell A13" in content
    assert "“&lt;b&gt;” is not the number of a row." in content
    assert "Row 13 of peticoes.xlsx has no line" in content
    assert not DatasetManifest.objects.exists()


def test_without_a_file_the_form_says_so(as_ana: Client, address: str) -> None:
    assert as_ana.post(address, {}).status_code == 422


def test_only_who_may_change_a_dataset_gives_it_a_manifest(as_carla: Client, as_root: Client, address: str) -> None:
    assert as_carla.get(address).status_code == 404
    assert as_carla.post(address, manifest()).status_code == 404
    assert as_root.post(address, manifest()).status_code == 302
