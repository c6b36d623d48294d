"""The rows of a result: errors first, narrowed by the address, with texts for those who may see them, as a file."""

import csv
import io

import pytest
from django.contrib.auth.models import User
from django.test import Client

from bert_training.contract.enums import AuditKind, ShareLevel, Split
from bert_training.models import AuditEvent, Dataset, Run, Team
from bert_training.services.stored_files import read_table
from tests.answered import answer, entities, labels, rows_of
from tests.pages.conftest import client_of
from tests.pages.queries import queries_of
from tests.personas import make_run, ready_dataset, share

NAMES = ["cobrança", "família", "saúde"]
COBRANCA, FAMILIA, SAUDE = range(3)


@pytest.fixture
def answered(ana: User, dataset: Dataset) -> Run:
    """A run with four test rows, of which the second and the fourth are wrong, and a validation row."""
    run = make_run(ana, dataset, name="Assunto")
    rows = rows_of(run, 5)
    test = labels(rows[:4], [0, 0, 2, 2], [0, 2, 2, 1], [0.95, 0.7, 0.6, 0.9])
    validation = labels(rows[4:], [1], [2], [0.75], split=Split.VALIDATION)
    return answer(run, [test, validation], NAMES)


def shown_rows(client: Client, run: Run, query: str = "") -> list[int]:
    """Return the numbers of the rows that the page lists, in its order."""
    response = client.get(f"/runs/{run.pk}/rows{query}")
    assert response.status_code == 200
    return [int(row.row) for row in response.context.get("labels") or response.context.get("sentences") or []]


def text_of(client: Client, run: Run, query: str = "") -> str:
    return str(client.get(f"/runs/{run.pk}/rows{query}").content.decode())


def file_of(client: Client, run: Run, query: str = "") -> list[list[str]]:
    """Return the lines of the file as an English spreadsheet program reads them."""
    response = client.get(f"/runs/{run.pk}/rows.csv{query}")
    assert response.status_code == 200
    content = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.reader(io.StringIO(content)))


def test_the_most_confident_errors_on_test_come_first_with_text_and_probabilities(
    as_ana: Client, answered: Run
) -> None:
    rows, texts = rows_of(answered), read_table(answered.dataset)["text"]
    assert shown_rows(as_ana, answered) == [rows[3], rows[1]]
    content = text_of(as_ana, answered)
    assert texts[3] in content
    assert texts[0] not in content
    assert "90.0%" in content
    assert '<meter min="0" max="1" value="0.8999">' in content
    assert "2 (50.0%)" in content


def test_the_address_narrows_and_orders(as_ana: Client, answered: Run) -> None:
    promised = {
        "?show=all&sort=row": [0, 1, 2, 3],
        "?show=right": [0, 2],
        "?show=all&sort=unsure": [2, 1, 3, 0],
        "?given=saúde&answered=família&split=test": [3],
        "?given=saúde&answered=saúde": [2],  # a cell of the confusion shows all of it, errors or not
        "?given=saúde": [3],
        "?show=all&low=65&high=92.5": [3, 1],
        "?show=all&low=89,5": [0, 3],
        "?split=validation": [4],
        "?split=nonsense&show=nonsense&given=nonsense&sort=nonsense&low=x": [3, 1],
    }
    rows = rows_of(answered)
    shown = {query: [rows.index(row) for row in shown_rows(as_ana, answered, query)] for query in promised}
    assert shown == promised


def test_bounds_of_the_confidence_hold_for_probabilities_as_they_are_stored(
    as_ana: Client, ana: User, dataset: Dataset
) -> None:
    run = make_run(ana, dataset)
    rows = rows_of(run, 2)
    answer(run, [labels(rows, [0, 0], [1, 1], [0.9, 0.95])], NAMES)  # in half precision 0.8999 and 0.9502
    assert shown_rows(as_ana, run, "?low=90&high=95") == [rows[1], rows[0]]
    assert shown_rows(as_ana, run, "?low=90.1") == [rows[1]]


def test_a_row_is_found_by_its_number(as_ana: Client, answered: Run) -> None:
    row = rows_of(answered)[0]
    assert shown_rows(as_ana, answered, f"?show=all&row={row}") == [row]
    assert "No row matches these filters." in text_of(as_ana, answered, f"?row={row}")


def test_the_file_holds_the_filtered_rows_and_is_on_record(as_ana: Client, answered: Run) -> None:
    rows, texts = rows_of(answered), read_table(answered.dataset)["text"]
    assert file_of(as_ana, answered) == [
        ["Row", "Split", "In the spreadsheet", "Answer of the model", "Right", "Probability", "Text"],
        [str(rows[1]), "test", "cobrança", "saúde", "no", "0.7002", texts[1]],
        [str(rows[3]), "test", "saúde", "família", "no", "0.8999", texts[3]],
    ]
    noted = AuditEvent.objects.filter(kind=AuditKind.EXPORTED).latest("pk")
    assert (noted.target_id, noted.facts["what"], noted.facts["texts"]) == (answered.pk, "rows", True)


def test_without_the_data_there_are_numbers_and_labels_but_no_texts(
    answered: Run, bruno: User, as_carla: Client, team: Team
) -> None:
    share(answered, team, ShareLevel.VIEW)
    as_bruno, texts = client_of(bruno), read_table(answered.dataset)["text"]
    content = text_of(as_bruno, answered)
    assert "are not shared with you" in content
    assert "família" in content
    lines = file_of(as_bruno, answered, "?show=all")
    assert len(lines) == 5
    assert not [text for text in texts if text in content or text in str(lines)]
    for address in (f"/runs/{answered.pk}/rows", f"/runs/{answered.pk}/rows.csv"):
        assert as_carla.get(address).status_code == 404


def test_without_predictions_the_page_says_so(as_ana: Client, finished_run: Run) -> None:
    assert "has no predictions of this run" in text_of(as_ana, finished_run)
    assert as_ana.get(f"/runs/{finished_run.pk}/rows.csv").status_code == 302


def test_many_rows_cost_the_same_queries_and_come_in_pages(as_ana: Client, ana: User, dataset: Dataset) -> None:
    few, many = make_run(ana, dataset), make_run(ana, dataset)
    rows = list(range(2, 72))
    answer(few, [labels(rows[:1], [0], [1])], NAMES)
    answer(many, [labels(rows, [0] * 70, [1] * 70)], NAMES)
    paths = [f"/runs/{run.pk}/rows?page=2" for run in (few, many)]
    counts = [len(queries_of(as_ana, path)) for path in paths]
    assert counts[0] == counts[1]
    assert shown_rows(as_ana, many, "?page=3") == rows[50:]


def test_rows_are_set_against_those_of_another_run_on_the_same_data(
    as_ana: Client, answered: Run, ana: User, carla: User
) -> None:
    rows = rows_of(answered)
    other = answer(make_run(ana, answered.dataset, name="Outra"), [labels(rows[:4], [0, 0, 2, 2], [1, 0, 2, 0])], NAMES)
    query = f"?against={other.pk}&other=right&show=wrong"
    assert shown_rows(as_ana, answered, query) == [rows[1]]
    assert "Only rows that “Outra” answered right." in text_of(as_ana, answered, query)
    hidden = make_run(carla, ready_dataset(carla, request_digest="1" * 64))
    elsewhere = make_run(ana, ready_dataset(ana, request_digest="2" * 64))
    Dataset.objects.filter(pk=elsewhere.dataset_id).update(table_sha256="3" * 64)
    for run in (hidden, elsewhere):
        assert as_ana.get(f"/runs/{answered.pk}/rows?against={run.pk}").status_code == 404


@pytest.fixture
def tagged(ana: User) -> Run:
    """A tagger with three sentences: right, of wrong type and missed, with a wrong border and a spurious one."""
    dataset = ready_dataset(ana, task="token-classification")
    run = make_run(ana, dataset, name="Nomes")
    gold = [[("PESSOA", 0, 1)], [("PESSOA", 0, 1), ("LOCAL", 2, 3)], [("LOCAL", 0, 2)]]
    found = [
        [("PESSOA", 0, 1, 0.9)],
        [("LOCAL", 0, 1, 0.75)],
        [("LOCAL", 0, 1, 0.5), ("PESSOA", 3, 4, 0.625)],
    ]
    return answer(run, [entities(rows_of(run, 3), gold, found)], ["LOCAL", "PESSOA"])


def test_sentences_are_narrowed_by_type_and_kind_of_error(as_ana: Client, tagged: Run) -> None:
    promised = {
        "": [1, 2],
        "?sort=sure": [1, 2],
        "?show=all&sort=row": [0, 1, 2],
        "?error=missed": [1],
        "?error=right": [0],
        "?error=spurious&kind=PESSOA": [2],
        "?error=missed&kind=PESSOA": [],
        "?given=PESSOA&answered=LOCAL": [1],
        "?given=-&answered=PESSOA": [2],  # nothing was there
        "?given=LOCAL&answered=-": [1],  # nothing was found
    }
    rows = rows_of(tagged)
    shown = {query: [rows.index(row) for row in shown_rows(as_ana, tagged, query)] for query in promised}
    assert shown == promised


def test_sentences_show_what_was_given_and_answered_by_more_than_colour(as_ana: Client, tagged: Run) -> None:
    words = read_table(tagged.dataset)["tokens"][1]
    content = " ".join(text_of(as_ana, tagged).split())
    marked = f'<mark class="entity entity-missed">{words[2]} <span class="entity-kind">LOCAL<span> · missed</span>'
    assert marked in content
    assert f"Wrong type</strong>: in the spreadsheet PESSOA “{words[0]}”; answered LOCAL “{words[0]}”" in content
    lines = file_of(as_ana, tagged, "?error=missed")
    assert [line[2:8] for line in lines[1:]] == [
        ["wrong type", "PESSOA", "1", "LOCAL", "1", "0.75"],
        ["missed", "LOCAL", "3", "no entity", "", ""],
    ]


def test_words_of_strangers_are_shown_as_text(as_ana: Client, tagged: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    canary = "<img src=x onerror=alert(1)>"
    values = {row: {"tokens": [canary] * 90} for row in rows_of(tagged)}
    monkeypatch.setattr("bert_training.pages.row_texts.read_some_rows", lambda *_asked: values)
    content = text_of(as_ana, tagged)
    assert canary not in content
    assert content.count("<details><summary>") == 2


def test_a_row_that_the_table_has_lost_stands_without_its_text(as_ana: Client, ana: User, dataset: Dataset) -> None:
    run = answer(make_run(ana, dataset), [labels([9_999], [0], [1])], NAMES)
    assert shown_rows(as_ana, run) == [9_999]
    assert file_of(as_ana, run)[1][-1] == ""
