"""The profile on the page of a dataset, its charts as files, and who may ask for it again."""

import codecs
import re
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone, translation

from bert_training.charts.bars import Histogram, draw_bars, draw_histogram
from bert_training.models import Dataset, DatasetProfile
from tests.pages.conftest import client_of
from tests.pages.queries import queries_of
from tests.profiles import give_profile, give_token_lengths

CANARY = "<img src=x onerror=alert(1)>"
SVG = "{http://www.w3.org/2000/svg}"


def page_of(client: Client, dataset: Dataset) -> str:
    response = client.get(f"/datasets/{dataset.pk}")
    assert response.status_code == 200
    return response.content.decode()


def with_content(dataset: Dataset, **parts: Any) -> DatasetProfile:
    """A profile of which some parts are as the test wants them."""
    profile = give_profile(dataset)
    profile.content |= parts
    profile.save()
    return profile


def test_a_profile_in_the_making_asks_for_itself_again(as_ana: Client, dataset: Dataset) -> None:
    give_profile(dataset, status="pending", content={})
    content = page_of(as_ana, dataset)
    assert 'data-refresh="profile" data-refresh-seconds="2"' in content
    assert "longer than usual" not in content
    assert "cobrança" in content  # the labels that the check has counted


def test_a_profile_that_does_not_come_says_so(as_ana: Client, dataset: Dataset) -> None:
    give_profile(dataset, status="pending", content={}, created_at=timezone.now() - timedelta(minutes=5))
    DatasetProfile.objects.update(created_at=timezone.now() - timedelta(minutes=5))
    assert "longer than usual" in page_of(as_ana, dataset)


def test_a_profile_that_is_there_is_shown_and_asks_no_more(as_ana: Client, dataset: Dataset) -> None:
    give_profile(dataset)
    content = page_of(as_ana, dataset)
    assert "data-refresh-seconds" not in content
    score = re.search(r'class="figure-value">(\d+)<span class="muted"> / 100', content)
    assert score is not None
    assert 0 < int(score[1]) < 100  # four examples a class are few
    assert 'figure-value">1.0 : 1<' in content
    assert "3 of 3 classes have fewer than 50 examples; the smallest has 4." in content
    assert content.count('<svg xmlns="http://www.w3.org/2000/svg"') == 3
    assert "No CPF, CNPJ" in content
    assert "once a computer has read the texts" in content


def test_rows_with_personal_data_copies_and_contradictions_are_named(as_ana: Client, dataset: Dataset) -> None:
    personal = {"cpf": {"found": 1234, "rows": 2, "first_rows": [17, 10_000_018]}}
    contradictions = {"texts": 1, "rows": 2, "examples": [{"rows": [20, 21], "names": ["saúde", CANARY]}]}
    with_content(dataset, personal=personal, contradictions=contradictions)
    content = page_of(as_ana, dataset)
    assert "17, validation 18" in content
    assert "1,234" in content
    assert "20, 21" in content
    assert CANARY not in content


def test_lengths_in_tokens_are_shown_with_what_is_cut(as_ana: Client, dataset: Dataset) -> None:
    give_profile(dataset)
    lengths = give_token_lengths(dataset, max_length=200)
    content = page_of(as_ana, dataset)
    figures = re.findall(
        r'figure-value">([\d.]+%)</span><span class="figure-label">of the texts [^<]* at (\d+)', content
    )
    assert figures == [("50.0%", "128"), ("50.0%", "200"), ("50.0%", "256"), ("0.0%", "512")]
    assert "50% of the texts are longer than what the model reads of them." in content
    assert f"/datasets/{dataset.pk}/charts/tokens-{lengths.pk}.svg" in content


@pytest.mark.parametrize("name", ["classes", "lengths", "lengths-by-class", "tokens"])
def test_every_chart_can_be_saved_as_a_picture(as_ana: Client, dataset: Dataset, name: str) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(name="Petições/2025")
    give_profile(dataset)
    name = f"tokens-{give_token_lengths(dataset).pk}" if name == "tokens" else name
    response = as_ana.get(f"/datasets/{dataset.pk}/charts/{name}.svg")
    assert response.headers["Content-Type"] == "image/svg+xml"
    assert response.headers["Content-Disposition"].startswith("attachment")
    picture = ElementTree.fromstring(response.content)  # noqa: S314 - our own
    assert picture.tag == f"{SVG}svg"
    assert len(picture.findall(f"{SVG}rect")) > 3
    assert picture.find(f"{SVG}title") is not None


def test_the_figures_of_a_chart_open_in_the_reader_s_spreadsheet_program(ana: User, dataset: Dataset) -> None:
    with_content(
        dataset,
        classes={"counts": {"saúde": 12345, "=SOMA(A1)": 7}, "number": 2, "largest": 1, "smallest": 1, "effective": 1},
    )
    response = client_of(ana, "pt-br").get(f"/datasets/{dataset.pk}/charts/classes.csv")
    assert response.content.startswith(codecs.BOM_UTF8)
    assert response.content.decode("utf-8-sig").splitlines() == [
        "Nome;Quantidade;Proporção",
        "saúde;12.345;99,9%",
        "'=SOMA(A1);7;0,1%",
    ]


def test_a_chart_reads_the_same_in_every_language(ana: User, dataset: Dataset) -> None:
    """A decimal comma in a coordinate would break the picture."""
    with_content(
        dataset,
        classes={"counts": {"saúde": 12345, CANARY: 7}, "number": 2, "largest": 1, "smallest": 1, "effective": 1},
    )
    path = f"/datasets/{dataset.pk}/charts/classes.svg"
    shapes = []
    for language in ("en", "pt-br"):
        picture = ElementTree.fromstring(client_of(ana, language).get(path).content)  # noqa: S314 - our own
        shapes.append([rect.attrib for rect in picture.findall(f"{SVG}rect")])
        assert CANARY in "".join(picture.itertext())
    assert shapes[0] == shapes[1]


def test_a_chart_that_does_not_exist_is_not_found(as_ana: Client, dataset: Dataset) -> None:
    assert as_ana.get(f"/datasets/{dataset.pk}/charts/classes.svg").status_code == 404
    give_profile(dataset)
    assert as_ana.get(f"/datasets/{dataset.pk}/charts/nothing.svg").status_code == 404


def test_the_owner_asks_for_a_profile_again(as_ana: Client, dataset: Dataset) -> None:
    give_profile(dataset, status="failed", content={})
    assert "could not be made" in page_of(as_ana, dataset)
    assert as_ana.post(f"/datasets/{dataset.pk}/profile").headers["Location"] == f"/datasets/{dataset.pk}"
    assert DatasetProfile.objects.get().status == "pending"


def test_a_stranger_learns_nothing_and_changes_nothing(dataset: Dataset, as_carla: Client) -> None:
    give_profile(dataset, status="failed", content={})
    path = f"/datasets/{dataset.pk}"
    for found in ("/profile", "/charts/classes.svg"):
        assert as_carla.get(path + found).status_code == 404
    assert as_carla.post(f"{path}/profile").status_code == 404
    assert DatasetProfile.objects.get().status == "failed"


def test_a_dataset_of_before_there_were_profiles_offers_one(as_ana: Client, dataset: Dataset) -> None:
    assert "There is no profile yet" in page_of(as_ana, dataset)
    assert as_ana.get(f"/datasets/{dataset.pk}/profile").status_code == 302
    assert not DatasetProfile.objects.exists()


def test_the_page_costs_the_same_queries_with_a_profile_of_many_findings(as_ana: Client, dataset: Dataset) -> None:
    give_profile(dataset, status="pending", content={})
    few = queries_of(as_ana, f"/datasets/{dataset.pk}")
    give_profile(dataset)
    for number in range(4):
        give_token_lengths(dataset, base_model=f"bert-{number}")
    assert len(queries_of(as_ana, f"/datasets/{dataset.pk}")) == len(few)


def test_a_chart_names_every_bar_and_joins_the_small_classes() -> None:
    with translation.override("en"):
        chart = draw_bars("classes", "Classes", {f"c{number}": 100 - number for number in range(30)}, shown=20)
    assert len(chart.bars) == 21
    assert chart.bars[0].width == max(bar.width for bar in chart.bars)
    assert chart.words[-2].text == "10 others"
    assert chart.bars[-1].width == 0


def test_bars_above_the_limit_are_marked_and_stay_in_the_picture() -> None:
    with translation.override("en"):
        chart = draw_histogram("tokens", "Tokens", Histogram([0, 33, 65, 97], [5, 0, 2], "tokens", limit=64))
    assert [bar.is_marked for bar in chart.bars] == [False, False, True]
    assert [bar.title for bar in chart.bars] == [
        "0-32 tokens: 5 (71.4%)",
        "33-64 tokens: 0 (0.0%)",
        "65-96 tokens: 2 (28.6%)",
    ]
    assert all(bar.x >= 0 and bar.x + bar.width <= chart.width and bar.y >= 0 for bar in chart.bars)


@pytest.mark.parametrize("counts", [{}, {"a": 0}, {"a" * 500: 1}])
def test_odd_counts_are_drawn_too(counts: dict[str, int]) -> None:
    assert draw_bars("classes", "Classes", counts, shown=20).height >= 0
