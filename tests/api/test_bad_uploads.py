"""The list of bad inputs, rows 43 to 48: uploads that are repeated, cut, raced, strangely named, too many, misshapen.

The number of the row stands in the id of each case. What is inside the files (rows 1 to 42): tests/data, tests/tasks.
"""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage

from bert_training.models import Dataset
from tests.api.conftest import Api, Caller, body_of, outcome_of
from tests.workbooks import workbook_bytes

pytestmark = pytest.mark.usefixtures("checked_here")

TASK = "text-classification"
GOOD = workbook_bytes(TASK)
FORM = "multipart/form-data; boundary=x"


def part(name: str, content: bytes, *, filename: str | None = None) -> bytes:
    """Write one part of a multipart form as it travels; a file name goes in as it is."""
    head = f'--x\r\nContent-Disposition: form-data; name="{name}"'
    head += "" if filename is None else f'; filename="{filename}"\r\nContent-Type: application/octet-stream'
    return head.encode() + b"\r\n\r\n" + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--x--\r\n"


TASK_PART = part("task", TASK.encode())
FILE_PART = part("file", GOOD, filename="dados.xlsx")


@pytest.fixture
def owner(api: Api, ana: User) -> Caller:
    return api.as_person(ana)


def test_row_43_the_same_file_of_somebody_else_tells_nothing_of_theirs(owner: Caller, api: Api, carla: User) -> None:
    sent = form(TASK_PART, FILE_PART)
    first = owner.raw("POST", "/datasets/upload", sent, FORM)
    again = owner.raw("POST", "/datasets/upload", sent, FORM)
    other = api.as_person(carla).raw("POST", "/datasets/upload", sent, FORM)
    assert [answer.status_code for answer in (first, again, other)] == [201, 200, 201]
    assert first.json() == again.json()
    assert (other.json()["owner"], other.json()["id"] != first.json()["id"]) == ("carla", True)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_row_44_an_upload_that_is_cut_leaves_nothing(owner: Caller, share: float) -> None:
    whole = form(TASK_PART, FILE_PART)
    response = owner.raw("POST", "/datasets/upload", whole[: int(share * len(whole))], FORM)
    assert response.status_code == 400
    assert not Dataset.objects.exists()


# (name that is sent, name that is shown)
NAMES = [
    ("../../etc/passwd", "passwd"),
    ("..\\..\\boot.ini", "boot.ini"),
    ("C:\\x", "x"),
    ("CON", "CON"),
    ("x" * 300 + ".xlsx", None),
    ("", None),
    ("a%0D%0Ab.xlsx", None),
    ("\u202excod.xlsx", None),
    (".htaccess", ".htaccess"),
    ("x.xlsx.exe", "x.xlsx.exe"),
    ("<script>alert(1)</script>.xlsx", None),
]


@pytest.mark.parametrize(("name", "shown"), NAMES, ids=[f"row 46: {name:.30}" for name, _shown in NAMES])
def test_a_file_name_is_only_words(owner: Caller, name: str, shown: str | None) -> None:
    response = owner.raw("POST", "/datasets/upload", form(TASK_PART, part("file", GOOD, filename=name)), FORM)
    if response.status_code == 400:  # no name at all means that no file was sent
        assert (outcome_of(response), name) == ((400, "invalid_field"), "")
        return
    dataset = Dataset.objects.get()
    assert dataset.original_key == f"datasets/{dataset.uuid}/original"
    assert default_storage.exists(dataset.original_key)
    assert len(dataset.original_name) <= 255
    assert not any(letter in dataset.original_name for letter in "/\\\r\n\u202e")
    assert shown in (None, dataset.original_name)
    sent_back = owner.get(f"/datasets/{dataset.pk}/download")
    assert sent_back.headers["Content-Disposition"].startswith("attachment")
    assert body_of(sent_back) == GOOD


FORMS: list[tuple[str, bytes, str]] = [
    ("no file", form(TASK_PART), "file"),
    ("two files", form(TASK_PART, FILE_PART, FILE_PART), "file"),
    ("the file as a text", form(TASK_PART, part("file", b"texto,label")), "file"),
    ("two test files", form(TASK_PART, FILE_PART, *[part("test_file", b"a", filename="a")] * 2), "test_file"),
    ("a validation file as a text", form(TASK_PART, FILE_PART, part("validation_file", b"a")), "validation_file"),
    ("a file of another name", form(TASK_PART, part("planilha", b"a", filename="a.csv")), "planilha"),
    ("far too many fields", form(TASK_PART, *(part(f"f{number}", b"x") for number in range(2_000))), ""),
    ("far too many files", form(TASK_PART, *(part(f"f{number}", b"x", filename="a") for number in range(2_000))), ""),
]


@pytest.mark.parametrize(("body", "path"), [case[1:] for case in FORMS], ids=[f"row 48: {case[0]}" for case in FORMS])
@pytest.mark.parametrize("address", ["/datasets/validate", "/datasets/upload"])
def test_a_misshapen_form_is_refused_in_json(owner: Caller, address: str, body: bytes, path: str) -> None:
    response = owner.raw("POST", address, body, FORM)
    assert response.status_code == 400
    errors: list[dict[str, Any]] = response.json()["errors"]
    assert [error["path"] for error in errors] == ([path] if path else [])
    assert not Dataset.objects.exists()
