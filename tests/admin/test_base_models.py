"""Staff edit the catalogue of base models by hand."""

from django.test import Client

from bert_training.models import BaseModel
from tests.admin.rows import list_of, page_of

FORM = {
    "name": "pierreguillou/bert-large-cased-squad",
    "label": "Outro",
    "tasks": ["text-classification"],
    "size_bytes": "1300000000",
    "parameters": "0",
    "max_length": "512",
    "licence": "MIT",
    "active": "on",
}


def test_an_entry_is_added_for_chosen_tasks(staff: Client, db: None) -> None:
    staff.post(f"{list_of('basemodel')}add/", FORM)
    entry = BaseModel.objects.get(name=FORM["name"])
    assert entry.tasks == ["text-classification"]
    assert entry in BaseModel.objects.offered_for("text-classification")
    assert entry not in BaseModel.objects.offered_for("token-classification")


def test_a_task_that_does_not_exist_is_refused(staff: Client, db: None) -> None:
    response = staff.post(f"{list_of('basemodel')}add/", {**FORM, "tasks": ["telepathy"]})
    assert "tasks" in response.context["adminform"].form.errors


def test_an_entry_is_switched_off(staff: Client, base_model: BaseModel) -> None:
    form = {**FORM, "name": base_model.name, "label": base_model.label, "active": ""}
    staff.post(page_of("basemodel", base_model.pk), form)
    base_model.refresh_from_db()
    assert not base_model.active


def test_the_list_names_tasks_and_sizes_in_words(staff: Client, base_model: BaseModel) -> None:
    page = staff.get(list_of("basemodel")).content.decode()
    assert "Text classification, " in page
    assert "440 MB" in page
    assert "1.1 GB" in page
