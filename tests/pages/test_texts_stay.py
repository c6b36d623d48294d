"""A run that is shared without its dataset: nothing that its pages send holds a text, and no link leads nowhere."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, reverse

from bert_training.contract.enums import ShareLevel
from bert_training.models import Dataset, Run, Team
from bert_training.pages.urls import urlpatterns
from bert_training.services.stored_files import read_table
from tests.access.callers import CHART_NAMES
from tests.checking import make_workbooks_here
from tests.pages.conftest import client_of
from tests.pages.test_doubted_labels import doubt, suspect
from tests.personas import make_run, share

OF_RUNS = [pattern for pattern in urlpatterns if str(pattern.name).startswith("run") and pattern.pattern.converters]
DESCRIPTION, FILE, SHEET = "canário da descrição", "canario-do-arquivo.xlsx", "aba do canário"


@pytest.fixture
def canaries(finished_run: Run, ana: User, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Everything of the dataset that is a text of its owner; the run has doubts, repeats and a reproduction."""
    make_workbooks_here(monkeypatch)
    Dataset.objects.update(description=DESCRIPTION, original_name=FILE, sheet=SHEET)
    table = read_table(finished_run.dataset)
    doubt(finished_run, [suspect(row) for row in table["row"]])
    make_run(ana, finished_run.dataset)
    Run.objects.filter(owner=ana).exclude(pk=finished_run.pk).update(reproduced_from=finished_run)
    return [*table["text"], DESCRIPTION, FILE, SHEET]


def body_of(client: Client, path: str) -> tuple[int, str]:
    response: Any = client.get(path)
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return response.status_code, content.decode(errors="replace")


def address_of(pattern: URLPattern, run: Run) -> str:
    values = {"pk": run.pk, "name": CHART_NAMES.get(f"pages:{pattern.name}", "classes")}
    return reverse(f"pages:{pattern.name}", kwargs={name: values[name] for name in pattern.pattern.converters})


def test_no_page_of_the_run_sends_a_text(bruno: User, finished_run: Run, team: Team, canaries: list[str]) -> None:
    share(finished_run, team, ShareLevel.MANAGE)
    client = client_of(bruno)
    statuses = {}
    for pattern in OF_RUNS:
        path = address_of(pattern, finished_run)
        statuses[pattern.name], content = body_of(client, path)
        assert [canary for canary in canaries if canary in content] == [], path
    for name in ("run", "run-label-errors", "run-metrics", "run-model-card"):
        assert statuses[name] == 200, name
    assert statuses["run-label-errors-workbook"] == 404
    for path in ("/", "/runs", "/queue", "/datasets"):
        content = body_of(client, path)[1]
        assert [canary for canary in canaries if canary in content] == [], path


def test_the_same_pages_show_texts_to_who_sees_the_dataset_too(
    bruno: User, finished_run: Run, team: Team, canaries: list[str]
) -> None:
    share(finished_run, team)
    share(finished_run.dataset, team)
    content = body_of(client_of(bruno), f"/runs/{finished_run.pk}/label-errors")[1]
    assert canaries[0] in content


@pytest.mark.parametrize("level", [ShareLevel.VIEW, ShareLevel.MANAGE])
def test_the_page_says_so_and_every_link_of_it_opens(
    bruno: User, finished_run: Run, team: Team, canaries: list[str], level: ShareLevel
) -> None:
    share(finished_run, team, level)
    client = client_of(bruno)
    for path in ("/runs", "/", f"/runs/{finished_run.pk}", f"/runs/{finished_run.pk}/label-errors"):
        content = body_of(client, path)[1]
        assert finished_run.dataset.name in content or "label-errors" in path, path
        links = {url for url in re.findall(r'href="(/[^"#]*)', content) if not url.startswith("/static/")}
        assert {url: status for url in links if (status := client.get(url).status_code) >= 400} == {}, path
    assert "are not shared with you" in body_of(client, f"/runs/{finished_run.pk}")[1]
