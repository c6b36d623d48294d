"""Staff upload spreadsheets in the admin with the checks of the portal, rename and delete datasets."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from bert_training.models import Dataset, DatasetProfile, Run
from tests.admin.rows import CANARY, Page, list_of, page_of, run_action
from tests.profiles import give_profile
from tests.workbooks import workbook_bytes, workbook_of

UPLOAD = f"{list_of('dataset')}add/"


def upload(staff: Client, content: bytes, *, task: str = "text-classification", **fields: str) -> Page:
    file = SimpleUploadedFile("peticoes.xlsx", content)
    return staff.post(f"{UPLOAD}?task={task}", {"file": file, **fields}, follow=True)


@pytest.mark.parametrize("task", ["text-classification", "token-classification"])
def test_a_good_spreadsheet_becomes_a_dataset(staff: Client, root: User, task: str) -> None:
    page = upload(staff, workbook_bytes(task), task=task, name="Petições", description="De 2025").content.decode()
    dataset = Dataset.objects.get()
    assert (dataset.owner, dataset.task, dataset.name, dataset.status) == (root, task, "Petições", "ready")
    assert "The spreadsheet is in order: 12 rows." in page
    assert LogEntry.objects.get().object_id == str(dataset.pk)


def test_the_same_spreadsheet_is_not_stored_twice(staff: Client) -> None:
    content = workbook_bytes("text-classification")
    upload(staff, content)
    page = upload(staff, content).content.decode()
    assert "was there already" in page
    assert Dataset.objects.count() == 1


def test_wrong_cells_are_named_and_nothing_is_kept(staff: Client) -> None:
    rows = [("texto", "label"), ("a", "x"), ("", "x"), ("c", "y")]
    page = upload(staff, workbook_of(rows)).content.decode()
    assert "was not saved" in page
    assert "cell A3" in page
    assert Dataset.objects.count() == 0


def test_errors_beyond_the_listed_ones_are_counted(staff: Client) -> None:
    rows = [("texto", "label"), ("a", "x"), ("b", "y"), *(("", "x") for _row in range(60))]
    assert "And 57 more like these." in upload(staff, workbook_of(rows)).content.decode()


def test_the_columns_of_an_unusual_spreadsheet_are_named_in_the_form(staff: Client) -> None:
    rows = [("pedido", "setor"), *((f"texto {number}", "ab"[number % 2]) for number in range(12))]
    upload(staff, workbook_of(rows), column_text="pedido", column_label="setor")
    assert Dataset.objects.get().columns == {"text": "pedido", "label": "setor"}


def test_a_refused_spreadsheet_is_answered_with_its_columns_and_repairs(staff: Client) -> None:
    rows = [
        ("pedido", "setor"),
        *((f"O autor {number} pede o que lhe é devido.", "ab"[number % 2]) for number in range(12)),
        ("", "a"),
    ]
    refused = upload(staff, workbook_of(rows)).content.decode()
    assert '<option value="pedido" selected>pedido (suggested)</option>' in refused
    named = {"column_text": "pedido", "column_label": "setor"}
    assert 'value="leave_out_bad_rows"' in upload(staff, workbook_of(rows), **named).content.decode()
    upload(staff, workbook_of(rows), recipe="leave_out_bad_rows", **named)
    dataset = Dataset.objects.get()
    assert (dataset.rows, dataset.recipe) == (12, ["leave_out_bad_rows"])
    assert "Leave out the rows that have an error" in staff.get(page_of("dataset", dataset.pk)).content.decode()


def test_names_in_a_refused_spreadsheet_are_shown_as_text(staff: Client) -> None:
    page = upload(staff, workbook_of([(CANARY, "outra"), ("a", "b")])).content.decode()
    assert "was not saved" in page
    assert CANARY not in page


def test_a_form_without_a_file_says_so(staff: Client) -> None:
    response = staff.post(UPLOAD, {"name": "x"})
    assert response.context["form"].errors["file"] == ["This field is required."]


def test_what_is_no_spreadsheet_is_refused(staff: Client) -> None:
    assert "was not saved" in upload(staff, b"not a spreadsheet").content.decode()


def test_an_upload_needs_the_permission_to_add(ana: User) -> None:
    ana.is_staff = True
    ana.save()
    client = Client()
    client.force_login(ana)
    assert client.post(UPLOAD, {}).status_code == 403


def test_a_dataset_is_renamed_and_its_facts_stay(staff: Client, dataset: Dataset) -> None:
    form = {"name": "Novo nome", "description": "Nova", "task": "token-classification", "rows": "1"}
    staff.post(page_of("dataset", dataset.pk), form)
    renamed = Dataset.objects.get()
    assert (renamed.name, renamed.description) == ("Novo nome", "Nova")
    assert (renamed.task, renamed.rows) == (dataset.task, dataset.rows)


def test_a_profile_is_made_again(staff: Client, dataset: Dataset) -> None:
    give_profile(dataset, status="failed", content={})
    assert "could not be made" in staff.get(page_of("dataset", dataset.pk)).content.decode()
    assert "Done for 1 entry." in run_action(staff, "dataset", "make_profile", dataset.pk)
    assert DatasetProfile.objects.get().status == "pending"


def test_a_dataset_is_deleted_after_a_question(staff: Client, dataset: Dataset) -> None:
    url = page_of("dataset", dataset.pk).replace("change", "delete")
    assert dataset.name in staff.get(url).content.decode()
    assert Dataset.objects.exists()
    staff.post(url)
    assert not Dataset.objects.exists()
    assert LogEntry.objects.get().object_repr == dataset.name


def test_a_dataset_on_which_runs_stand_is_not_deleted(staff: Client, run: Run) -> None:
    url = page_of("dataset", run.dataset_id).replace("change", "delete")
    page = staff.post(url, follow=True).content.decode()
    assert "needs this dataset" in page
    assert Dataset.objects.exists()


def test_the_action_asks_before_it_deletes(staff: Client, dataset: Dataset) -> None:
    assert "Yes, delete" in run_action(staff, "dataset", "delete_chosen", dataset.pk)
    assert Dataset.objects.exists()
    page = run_action(staff, "dataset", "delete_chosen", dataset.pk, confirmed="yes")
    assert "1 entry was deleted" in page
    assert not Dataset.objects.exists()


def test_a_run_can_only_choose_a_dataset_that_is_ready(staff: Client, dataset: Dataset) -> None:
    search = "/admin/autocomplete/?app_label=bert_training&model_name=run&field_name=dataset&term="
    assert len(staff.get(search).json()["results"]) == 1
    Dataset.objects.update(status="checking")
    assert staff.get(search).json()["results"] == []
