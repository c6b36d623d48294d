"""The list of a run's doubted labels: rows of the spreadsheet, filtered, for those who may see run and dataset."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.test import Client

from bert_training.contract.enums import ProofStatus
from bert_training.data.table import PART_STRIDE
from bert_training.models import Run, RunProof
from bert_training.services.stored_files import read_table
from tests.pages.queries import queries_of
from tests.proofs import make_proof

CANARY = "<img src=x onerror=alert(1)>"


def suspect(row: int, **changes: Any) -> dict[str, Any]:
    return {"row": row, "split": "train", "given": "saúde", "suggested": "cobrança", "doubt": 0.93, **changes}


def doubt(run: Run, suspects: list[dict[str, Any]], source: str = "linear") -> str:
    """Give a run a proof with these suspects; returns the address of their list."""
    counts = {split: sum(each["split"] == split for each in suspects) for split in {each["split"] for each in suspects}}
    found = {"source": source, "judged": 12, "counts": counts, "suspects": suspects}
    content = make_proof(label_errors=found)
    RunProof.objects.update_or_create(run=run, defaults={"status": ProofStatus.READY, "content": content})
    return f"/runs/{run.pk}/label-errors"


def text_of(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return str(response.content.decode())


def test_each_doubted_label_stands_with_its_row_its_text_and_what_is_suggested(
    as_ana: Client, finished_run: Run
) -> None:
    table = read_table(finished_run.dataset)
    content = text_of(as_ana, doubt(finished_run, [suspect(table["row"][3]), suspect(table["row"][0], doubt=0.5)]))
    assert table["text"][3] in content
    assert content.index(f">{table['row'][3]}</th>") < content.index(f">{table['row'][0]}</th>")
    for text in ("By the linear method", "strong doubt", "93.0%", "slight doubt", "saúde", "cobrança", "training"):
        assert text in content, text
    assert f'href="/runs/{finished_run.pk}/label-errors"' in text_of(as_ana, f"/runs/{finished_run.pk}")


def test_of_an_entity_whose_type_is_right_the_borders_are_doubted(as_ana: Client, finished_run: Run) -> None:
    content = text_of(as_ana, doubt(finished_run, [suspect(2, given="LEI", suggested="LEI")]))
    assert "LEI, perhaps LEI with other borders" in content
    assert "<strong>LEI with other borders</strong>" in content


def test_of_no_doubt_only_who_looked_is_told(as_ana: Client, finished_run: Run) -> None:
    doubt(finished_run, [])
    content = text_of(as_ana, f"/runs/{finished_run.pk}")
    assert "None of 12 rows has a label that is doubted. By the linear method" in content
    assert "look at each row" not in content


def test_the_list_is_narrowed_by_split_and_labels(as_ana: Client, finished_run: Run) -> None:
    rows = [suspect(2), suspect(3, split="test"), suspect(4, split="test", given="cobrança", suggested="")]
    url = doubt(finished_run, rows, source="network")
    shown = text_of(as_ana, f"{url}?split=test&given=saúde")
    assert "cross-validation of this run" in shown
    assert ">3</th>" in shown
    assert ">2</th>" not in shown
    assert ">4</th>" not in shown
    assert ">4</th>" in text_of(as_ana, f"{url}?suggested=-")
    assert ">2</th>" in text_of(as_ana, f"{url}?split=nonsense")


def test_a_label_that_is_a_dash_is_found(as_ana: Client, finished_run: Run) -> None:
    shown = text_of(as_ana, doubt(finished_run, [suspect(2, given="-"), suspect(3)]) + "?given=-")
    assert ">2</th>" in shown
    assert ">3</th>" not in shown


def test_rows_of_a_file_sent_for_validation_name_the_file(as_ana: Client, finished_run: Run) -> None:
    assert "validation 17" in text_of(as_ana, doubt(finished_run, [suspect(PART_STRIDE + 17, split="validation")]))


def test_long_texts_open_on_demand_and_what_strangers_wrote_is_shown_as_text(
    as_ana: Client, finished_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = {2: {"text": CANARY + "x" * 300}, 3: {"text": "curto"}}
    monkeypatch.setattr("bert_training.pages.row_texts.read_some_rows", lambda *_asked: rows)
    content = text_of(as_ana, doubt(finished_run, [suspect(2, given=CANARY), suspect(3)]))
    assert CANARY not in content
    assert content.count("<details><summary>") == 1


def test_a_thousand_of_them_cost_the_same_queries_as_one(as_ana: Client, finished_run: Run) -> None:
    few = queries_of(as_ana, doubt(finished_run, [suspect(2)]))
    many = queries_of(as_ana, doubt(finished_run, [suspect(2 + at % 10) for at in range(1000)]))
    assert len(many) == len(few) <= 6
    assert "Only the most doubtful ones are listed." in text_of(as_ana, f"/runs/{finished_run.pk}/label-errors")


def test_only_who_sees_the_run_sees_its_doubts(
    as_ana: Client, as_carla: Client, as_root: Client, finished_run: Run
) -> None:
    url = doubt(finished_run, [suspect(2)])
    assert as_carla.get(url).status_code == 404
    assert as_root.get(url).status_code == 200
    assert as_carla.get(f"/bert-training/api{url}").status_code == 404


def test_without_the_dataset_the_numbers_of_rows_are_left(as_ana: Client, finished_run: Run) -> None:
    url = doubt(finished_run, [suspect(2)])
    default_storage.delete(finished_run.dataset.table_key)
    assert "is missing" in text_of(as_ana, url)
    finished_run.dataset.deleted_at = finished_run.created_at
    finished_run.dataset.save()
    content = text_of(as_ana, url)
    assert "only the numbers of the rows are left" in content
    assert ">2</th>" in content


def test_a_run_in_which_nobody_has_looked_has_no_list(as_ana: Client, finished_run: Run) -> None:
    RunProof.objects.create(run=finished_run, status=ProofStatus.READY, content=make_proof())
    assert as_ana.get(f"/runs/{finished_run.pk}/label-errors").status_code == 404
    assert as_ana.get(f"/bert-training/api/runs/{finished_run.pk}/label-errors").status_code == 404


def test_the_api_pages_them_without_texts(as_ana: Client, ana: User, finished_run: Run) -> None:
    url = "/bert-training/api" + doubt(finished_run, [suspect(2), suspect(3, split="test"), suspect(4, split="test")])
    answer = as_ana.get(url, {"split": "test", "page_size": "1"}).json()
    assert (answer["count"], len(answer["results"])) == (2, 1)
    assert answer["results"][0] == {**suspect(3, split="test"), "source": "linear"}
    assert as_ana.get(url, {"split": "all"}).status_code == 400
