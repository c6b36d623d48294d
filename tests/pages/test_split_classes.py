"""How the examples of each class lie in training, validation and test: of a run, and as a new run would divide them."""

import re

import pytest
from django.test import Client

from bert_training.contract.enums import Split
from bert_training.models import Dataset, Run, SplitManifest
from bert_training.services.divisions import pack_letters, unpack_letters
from bert_training.services.split_classes import classes_of_run


def rows_of_csv(content: bytes) -> dict[str, list[int]]:
    lines = content.decode("utf-8-sig").splitlines()[1:]
    return {line.split(",")[0]: [int(cell) for cell in line.split(",")[1:]] for line in lines}


def test_the_split_of_a_run_is_shown_by_class(as_ana: Client, run: Run) -> None:
    html = as_ana.get(f"/runs/{run.pk}/split").content.decode()
    found = rows_of_csv(as_ana.get(f"/runs/{run.pk}/split/classes.csv").content)
    letters = unpack_letters(run.split_manifest.letters)
    assert [sum(counts[place] for counts in found.values()) for place in range(3)] == [
        letters.count(letter) for letter in "tve"
    ]
    for name in found:
        assert name in html
    assert f"/runs/{run.pk}/split/classes.svg" in html
    picture = as_ana.get(f"/runs/{run.pk}/split/classes.svg").content.decode()
    assert picture.count("<rect") > len(found) * 2


def test_classes_without_an_example_are_warned_of_first(as_ana: Client, run: Run) -> None:
    name, counts = next(iter(classes_of_run(run).counts.items()))
    table = unpack_letters(run.split_manifest.letters)
    SplitManifest.objects.filter(run=run).update(letters=pack_letters("t" * len(table)))
    html = as_ana.get(f"/runs/{run.pk}/split").content.decode()
    assert counts[Split.TRAIN]
    assert re.search(rf"Without an example in the test[^<]*{name}", html)
    assert html.index("Without an example") < html.index('class="chart-box')


def test_a_dataset_shows_how_a_new_run_would_divide_it(as_ana: Client, dataset: Dataset) -> None:
    html = as_ana.get(f"/datasets/{dataset.pk}/split").content.decode()
    found = rows_of_csv(as_ana.get(f"/datasets/{dataset.pk}/split/classes.csv").content)
    assert sum(map(sum, found.values())) == dataset.rows
    assert "usual settings" in html
    assert f"/datasets/{dataset.pk}/split" in as_ana.get(f"/datasets/{dataset.pk}").content.decode()


@pytest.mark.parametrize("path", ["/runs/{run}/split", "/runs/{run}/split/classes.csv", "/datasets/{data}/split"])
def test_a_stranger_finds_no_split(as_carla: Client, run: Run, path: str) -> None:
    assert as_carla.get(path.format(run=run.pk, data=run.dataset_id)).status_code == 404


def test_a_run_without_a_stored_split_leads_back(as_ana: Client, run: Run) -> None:
    SplitManifest.objects.all().delete()
    assert "not known" in as_ana.get(f"/runs/{run.pk}/split", follow=True).content.decode()
    assert as_ana.get(f"/runs/{run.pk}/split/classes.csv").status_code == 404
    assert as_ana.get(f"/runs/{run.pk}/split/other.csv").status_code == 404
