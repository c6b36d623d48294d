"""Datasets over the API: checked, uploaded, seen, changed, deleted and downloaded."""

import hashlib
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from bert_training.models import Dataset, Run
from tests.api.conftest import Api, Caller, body_of, outcome_of
from tests.personas import XLSX, make_dataset, ready_dataset
from tests.profiles import give_profile, give_token_lengths
from tests.workbooks import workbook_bytes, workbook_of

TASK = "text-classification"
PROBLEM_FIELDS = {"code", "part", "sheet", "row", "column", "cell", "excerpt", "message", "repair", "fix"}


def spreadsheet(content: bytes | None = None, name: str = "petições.xlsx") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, workbook_bytes(TASK) if content is None else content, content_type=XLSX)


def bad_spreadsheet() -> SimpleUploadedFile:
    """One class only, one empty label."""
    return spreadsheet(workbook_of([("texto", "label"), ("Um pedido.", "saúde"), ("Outro pedido.", "")]))


@pytest.fixture
def owner(api: Api, ana: User) -> Caller:
    return api.as_person(ana)


@pytest.fixture
def outsider(api: Api, carla: User) -> Caller:
    return api.as_person(carla)


def test_a_good_spreadsheet_is_judged_and_nothing_is_kept(owner: Caller) -> None:
    report = owner.upload("/datasets/validate", file=spreadsheet(), task=TASK).json()
    assert (report["valid"], report["rows"], report["errors"]) == (True, 12, [])
    assert report["columns"] == {"text": "texto", "label": "label"}
    assert set(report["summary"]["labels"]) == {"cobrança", "indenização", "saúde"}
    assert not Dataset.objects.exists()


def test_a_bad_spreadsheet_is_an_answer_with_each_cell(owner: Caller) -> None:
    response = owner.upload("/datasets/validate", file=bad_spreadsheet(), task=TASK)
    report = response.json()
    assert (response.status_code, report["valid"]) == (200, False)
    assert set(report["errors"][0]) == PROBLEM_FIELDS
    assert any(error["row"] == 3 for error in report["errors"])
    assert sum(report["counts"].values()) >= len(report["errors"])


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7 nothing", b"PK\x03\x04 cut"])
def test_any_file_that_arrives_is_judged(owner: Caller, content: bytes) -> None:
    response = owner.upload("/datasets/validate", file=spreadsheet(content), task=TASK)
    assert (response.status_code, response.json()["valid"]) == (200, False)
    assert len(response.json()["errors"]) == 1


def test_sentences_come_in_the_language_of_the_caller(owner: Caller) -> None:
    owner.headers["accept-language"] = "en"
    report = owner.upload("/datasets/validate", file=bad_spreadsheet(), task=TASK).json()
    assert all("%(" not in error["message"] for error in report["errors"])


def test_an_upload_is_stored_once(owner: Caller) -> None:
    content = workbook_bytes(TASK)
    first = owner.upload("/datasets/upload", file=spreadsheet(content), task=TASK, name="Petições", description="2026")
    again = owner.upload("/datasets/upload", file=spreadsheet(content), task=TASK, name="Outra")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    shown = first.json()
    assert (shown["name"], shown["status"], shown["rows"], shown["owner"]) == ("Petições", "ready", 12, "ana")
    assert shown["sha256"] == hashlib.sha256(content).hexdigest()
    assert default_storage.open(Dataset.objects.get().original_key).read() == content


def test_the_same_file_of_another_person_is_a_record_of_their_own(owner: Caller, outsider: Caller) -> None:
    content = workbook_bytes(TASK)
    first = owner.upload("/datasets/upload", file=spreadsheet(content), task=TASK)
    other = outsider.upload("/datasets/upload", file=spreadsheet(content), task=TASK)
    assert (first.status_code, other.status_code) == (201, 201)
    assert first.json()["id"] != other.json()["id"]


def test_a_refused_upload_says_why_and_keeps_nothing(owner: Caller) -> None:
    response = owner.upload("/datasets/upload", file=bad_spreadsheet(), task=TASK)
    assert outcome_of(response) == (400, "invalid_dataset")
    answer = response.json()
    assert (answer["valid"], answer["errors"] != [], answer["counts"] != {}) == (False, True, True)
    assert "warnings" in answer
    assert not Dataset.objects.exists()


def test_a_large_upload_is_checked_in_the_background(owner: Caller, settings: Any) -> None:
    settings.BACKGROUND_CHECK_BYTES = 100
    response = owner.upload("/datasets/upload", file=spreadsheet(), task=TASK)
    assert (response.status_code, response.json()["status"]) == (202, "checking")


def test_a_dataset_that_the_background_refused_says_why(owner: Caller, ana: User) -> None:
    values = {"code": "no_rows", "message": "The sheet has no rows.", "repair": "", "values": {}, "sheet": "Dados"}
    problem = {**values, "row": None, "column": "", "cell": ""}
    refused = ready_dataset(ana, status="refused", report={"errors": [problem], "counts": {"no_rows": 1}})
    shown = owner.get(f"/datasets/{refused.pk}").json()
    assert (shown["status"], shown["refusal"]["counts"]) == ("refused", {"no_rows": 1})
    assert shown["refusal"]["errors"][0]["code"] == "no_rows"
    assert owner.get(f"/datasets/{ready_dataset(ana).pk}").json()["refusal"] is None


def test_warnings_come_as_sentences(owner: Caller) -> None:
    rows = [("texto", "label"), *[(f"Pedido {number}", label) for number in range(6) for label in ("saúde", "Saúde")]]
    report = owner.upload("/datasets/validate", file=spreadsheet(workbook_of(rows)), task=TASK).json()
    assert report["warnings"]
    for warning in [*report["warnings"], *report["summary"]["warnings"]]:
        assert set(warning) == PROBLEM_FIELDS
        assert "%(" not in warning["message"]


BAD_FORMS: dict[str, tuple[dict[str, Any], str, str]] = {
    "no file": ({"file": None}, "invalid_field", "file"),
    "two files": ({"file": [spreadsheet(b"a"), spreadsheet(b"b")]}, "invalid_field", "file"),
    "file as text": ({"file": "texto,label"}, "invalid_field", "file"),
    "no task": ({"task": None}, "invalid_field", "task"),
    "unknown task": ({"task": "telepathy"}, "invalid_field", "task"),
    "task twice": ({"task": [TASK, TASK]}, "invalid_field", "task"),
    "columns no JSON": ({"columns": "{"}, "invalid_json", ""),
    "columns a list": ({"columns": "[]"}, "invalid_field", "columns"),
    "columns of numbers": ({"columns": '{"text": 1}'}, "invalid_field", "columns"),
    "columns of empty lists": ({"columns": '{"text": []}'}, "invalid_field", "columns"),
    "columns nested": ({"columns": '{"text": {"a": "b"}}'}, "invalid_field", "columns"),
    "recipe no list": ({"recipe": '{"a": 1}'}, "invalid_field", "recipe"),
    "recipe of an unknown repair": ({"recipe": '["tidy_up"]'}, "invalid_field", "recipe"),
    "recipe of objects": ({"recipe": '[{"a": [1]}]'}, "invalid_field", "recipe"),
    "validation file as text": ({"validation_file": "texto,label"}, "invalid_field", "validation_file"),
    "two test files": ({"test_file": [spreadsheet(b"a"), spreadsheet(b"b")]}, "invalid_field", "test_file"),
    "unknown field": ({"owner": "root"}, "unknown_field", "owner"),
    "NUL in the sheet": ({"sheet": "a\x00b"}, "invalid_field", "sheet"),
    "sheet too long": ({"sheet": "x" * 101}, "invalid_field", "sheet"),
    "privacy not built yet": ({"privacy": "local"}, "invalid_field", "privacy"),
    "name too long": ({"name": "x" * 201}, "invalid_field", "name"),
}


@pytest.mark.parametrize(("changes", "code", "path"), BAD_FORMS.values(), ids=BAD_FORMS.keys())
def test_a_wrong_form_is_refused(owner: Caller, changes: dict[str, Any], code: str, path: str) -> None:
    parts = {"file": spreadsheet(b"x"), "task": TASK, **changes}
    sent = {name: value for name, value in parts.items() if value is not None}
    response = owner.upload("/datasets/upload", **sent)
    assert outcome_of(response) == (400, code)
    assert [error["path"] for error in response.json()["errors"]] == ([path] if path else [])


def test_an_unknown_repair_is_answered_with_those_there_are(owner: Caller) -> None:
    response = owner.upload("/datasets/validate", file=spreadsheet(), task=TASK, recipe='["tidy_up"]')
    assert "tidy_up" in response.json()["message"]
    assert "unify_labels" in response.json()["message"]


@pytest.mark.usefixtures("checked_here")
def test_files_for_validation_and_test_are_kept_and_downloaded(owner: Caller) -> None:
    files = {name: workbook_bytes(TASK, salt=name) for name in ("file", "validation_file", "test_file")}
    parts = {name: spreadsheet(content, f"{name}.xlsx") for name, content in files.items()}
    shown = owner.upload("/datasets/upload", task=TASK, **parts).json()
    assert (shown["status"], shown["rows"]) == ("ready", 36)
    assert {part: file["name"] for part, file in shown["extra_files"].items()} == {
        "validation": "validation_file.xlsx",
        "test": "test_file.xlsx",
    }
    for part, name in {"train": "file", "validation": "validation_file", "test": "test_file"}.items():
        response = owner.get(f"/datasets/{shown['id']}/download?part={part}")
        assert body_of(response) == files[name]
        assert f'filename="{name}.xlsx"' in response.headers["Content-Disposition"]
    again = {name: spreadsheet(content, f"{name}.xlsx") for name, content in files.items()}
    assert owner.upload("/datasets/upload", task=TASK, **again).json()["id"] == shown["id"]


def test_a_part_that_was_not_sent_is_not_there(owner: Caller, dataset: Dataset) -> None:
    assert outcome_of(owner.get(f"/datasets/{dataset.pk}/download?part=test")) == (404, "not_found")
    assert outcome_of(owner.get(f"/datasets/{dataset.pk}/download?part=all")) == (400, "invalid_field")


@pytest.mark.usefixtures("checked_here")
def test_the_files_of_an_upload_share_the_limit(owner: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    content = workbook_bytes(TASK)
    monkeypatch.setattr("bert_training.services.sources.UPLOAD_BYTES", 2 * len(content))
    two = owner.upload("/datasets/validate", task=TASK, file=spreadsheet(content), test_file=spreadsheet(content))
    assert two.status_code == 200
    parts = {name: spreadsheet(content) for name in ("file", "validation_file", "test_file")}
    assert outcome_of(owner.upload("/datasets/validate", task=TASK, **parts)) == (413, "too_large")


@pytest.mark.usefixtures("checked_here")
def test_a_group_column_is_taken_beside_those_of_the_task(owner: Caller) -> None:
    rows = [("texto", "label", "processo"), *((f"Pedido {row}", "ab"[row % 2], f"p{row // 3}") for row in range(12))]
    report = owner.upload(
        "/datasets/validate", file=spreadsheet(workbook_of(rows)), task=TASK, columns='{"group": "processo"}'
    ).json()
    assert (report["valid"], report["columns"]["group"]) == (True, "processo")


@pytest.mark.usefixtures("checked_here")
def test_a_stored_dataset_is_repaired(owner: Caller, outsider: Caller, api: Api, ana: User, root: User) -> None:
    first = make_dataset(ana)
    path, body = f"/datasets/{first.pk}/repair", {"recipe": ["unify_labels"]}
    made, again = owner.post(path, body), owner.post(path, body)
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json() == again.json()
    assert (made.json()["recipe"], made.json()["derived_from"]) == (["unify_labels"], first.pk)
    assert outcome_of(outsider.post(path, body)) == (404, "not_found")
    assert api.as_person(root).post(path, body).json()["id"] == made.json()["id"]


@pytest.mark.usefixtures("checked_here")
def test_who_keeps_as_much_as_one_may_is_told_so(owner: Caller, dataset: Dataset, settings: Any) -> None:
    settings.DATASETS_PER_USER = 1
    response = owner.upload("/datasets/upload", file=spreadsheet(workbook_bytes(TASK, salt="another")), task=TASK)
    assert outcome_of(response) == (429, "quota_exceeded")
    assert response.json()["limit"] == 1


WRONG_REPAIRS: list[tuple[Any, str]] = [
    ({}, "invalid_field"),
    ({"recipe": []}, "invalid_field"),
    ({"recipe": "unify_labels"}, "invalid_field"),
    ({"recipe": ["tidy_up"]}, "invalid_field"),
    ({"recipe": ["unify_labels"], "owner": 1}, "unknown_field"),
]


@pytest.mark.parametrize(("body", "code"), WRONG_REPAIRS)
def test_a_wrong_repair_is_refused(owner: Caller, dataset: Dataset, body: Any, code: str) -> None:
    assert outcome_of(owner.post(f"/datasets/{dataset.pk}/repair", body)) == (400, code)
    assert Dataset.objects.count() == 1


def test_a_form_with_20000_fields_is_refused(owner: Caller) -> None:
    fields = {f"f{number}": "x" for number in range(2_000)}  # the limit is 1,000
    assert outcome_of(owner.upload("/datasets/upload", **fields)) == (400, "invalid_field")


@pytest.mark.parametrize("content_type", ["application/json", "text/csv", "application/x-www-form-urlencoded", ""])
def test_an_upload_that_is_no_multipart_form_is_refused(owner: Caller, content_type: str) -> None:
    response = owner.raw("POST", "/datasets/upload", b"{}", content_type)
    assert outcome_of(response) == (415, "unsupported_media_type")


@pytest.mark.parametrize("body", [b"", b"--x\r\nnonsense", b"--x\r\nContent-Disposition: form-data\r\n\r\nv\r\n--x--"])
def test_a_broken_form_is_refused(owner: Caller, body: bytes) -> None:
    response = owner.raw("POST", "/datasets/validate", body, "multipart/form-data; boundary=x")
    assert outcome_of(response) == (400, "invalid_field")
    no_boundary = owner.raw("POST", "/datasets/validate", body or b"x", "multipart/form-data")
    assert outcome_of(no_boundary) == (400, "invalid_field")


def test_a_file_above_the_limit_is_refused(owner: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bert_training.services.sources.UPLOAD_BYTES", 1000)
    response = owner.upload("/datasets/validate", file=spreadsheet(), task=TASK)
    assert outcome_of(response) == (413, "too_large")
    assert response.json()["limit"] == 1000


def test_the_profile_is_there_once_it_is_made(owner: Caller, dataset: Dataset) -> None:
    assert outcome_of(owner.get(f"/datasets/{dataset.pk}/profile")) == (404, "not_found")
    give_profile(dataset, status="pending", content={})
    waiting = owner.get(f"/datasets/{dataset.pk}/profile").json()
    assert (waiting["status"], waiting["findings"], waiting["quality"]) == ("pending", None, None)
    give_profile(dataset)
    give_token_lengths(dataset)
    shown = owner.get(f"/datasets/{dataset.pk}/profile", accept_language="en").json()
    assert (shown["status"], shown["findings"]["rows"]) == ("ready", 12)
    assert shown["findings"]["classes"]["counts"] == {"cobrança": 4, "indenização": 4, "saúde": 4}
    assert sum(part["weight"] for part in shown["quality"]["parts"]) == 100
    assert "fewer than 50 examples" in shown["quality"]["parts"][0]["reason"]
    assert (shown["token_lengths"][0]["base_model"], sum(shown["token_lengths"][0]["counts"])) == ("bert-a", 12)


def test_a_stranger_sees_nothing_of_a_dataset(outsider: Caller, dataset: Dataset) -> None:
    assert outsider.get("/datasets").json()["count"] == 0
    for path in ("", "/download", "/download?form=table", "/profile"):
        assert outcome_of(outsider.get(f"/datasets/{dataset.pk}{path}")) == (404, "not_found")
    assert outcome_of(outsider.patch(f"/datasets/{dataset.pk}", {"name": "mine"})) == (404, "not_found")
    assert outcome_of(outsider.delete(f"/datasets/{dataset.pk}")) == (404, "not_found")


def test_a_dataset_is_renamed_and_described(owner: Caller, dataset: Dataset) -> None:
    changed = owner.patch(f"/datasets/{dataset.pk}", {"name": "Nova", "description": "linha\noutra"}).json()
    assert (changed["name"], changed["description"]) == ("Nova", "linha\noutra")
    assert owner.patch(f"/datasets/{dataset.pk}", {}).json()["name"] == "Nova"
    assert outcome_of(owner.patch(f"/datasets/{dataset.pk}", {"sha256": "0" * 64})) == (400, "unknown_field")
    assert outcome_of(owner.patch(f"/datasets/{dataset.pk}", {"name": ""})) == (400, "invalid_field")


def test_a_dataset_is_deleted_with_its_files(owner: Caller, ana: User, django_capture_on_commit_callbacks: Any) -> None:
    dataset = make_dataset(ana, name="to delete")
    with django_capture_on_commit_callbacks(execute=True):
        assert owner.delete(f"/datasets/{dataset.pk}").status_code == 204
    assert not default_storage.exists(dataset.original_key)
    assert outcome_of(owner.delete(f"/datasets/{dataset.pk}")) == (404, "not_found")


def test_a_dataset_with_a_run_is_not_deleted(owner: Caller, run: Run) -> None:
    assert outcome_of(owner.delete(f"/datasets/{run.dataset_id}")) == (409, "in_use")


def test_datasets_are_filtered_searched_and_ordered(api: Api, root: User, ana: User, carla: User) -> None:
    first = ready_dataset(ana, name="alfa")
    second = ready_dataset(carla, name="beta", sha256="b" * 64, status="checking")
    queries = {
        "owner=carla": [second.pk],
        f"sha256={first.sha256}": [first.pk],
        "task=token-classification": [],
        "status=checking": [second.pk],
        "search=alf": [first.pk],
        "ordering=name": [first.pk, second.pk],
        "ordering=-name": [second.pk, first.pk],
    }
    for query, expected in queries.items():
        found = api.as_person(root).get(f"/datasets?{query}").json()["results"]
        assert [dataset["id"] for dataset in found] == expected, query


def test_the_number_of_queries_does_not_grow_with_the_datasets(
    owner: Caller, ana: User, django_assert_max_num_queries: Any
) -> None:
    ready_dataset(ana)
    with django_assert_max_num_queries(8) as few:
        owner.get("/datasets")
    for number in range(4):
        ready_dataset(ana, sha256=str(number) * 64)
    with django_assert_max_num_queries(len(few)):
        assert owner.get("/datasets").json()["count"] == 5


def test_the_original_is_downloaded_byte_by_byte_and_never_opened_by_a_browser(owner: Caller, dataset: Dataset) -> None:
    response = owner.get(f"/datasets/{dataset.pk}/download")
    assert hashlib.sha256(body_of(response)).hexdigest() == dataset.sha256
    headers = response.headers
    assert headers["Content-Length"] == str(dataset.bytes)
    assert headers["ETag"] == f'"{dataset.sha256}"'
    assert headers["Content-Disposition"] == 'attachment; filename="peticoes.xlsx"'
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("accept", ["application/octet-stream", "text/csv", "application/vnd.apache.parquet"])
def test_a_file_may_be_asked_for_by_any_type(owner: Caller, dataset: Dataset, accept: str) -> None:
    assert owner.get(f"/datasets/{dataset.pk}/download", accept=accept).status_code == 200
    assert outcome_of(owner.get("/datasets/4711/download", accept=accept)) == (404, "not_found")


NAMES = {
    "../../etc/passwd": "passwd",
    'aspas"\r\nX-Evil: 1.xlsx': "X-Evil",
    "petição.xlsx": "filename*=utf-8''peti%C3%A7%C3%A3o.xlsx",
    "\u202excod.exe": "exe",
    "": "attachment",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_strange_file_name_is_harmless_in_the_header(owner: Caller, ana: User, name: str) -> None:
    dataset = ready_dataset(ana, original_name=name)
    response = owner.get(f"/datasets/{dataset.pk}/download")
    disposition = response.headers["Content-Disposition"]
    assert disposition.startswith("attachment")
    assert NAMES[name] in disposition
    assert not any(character in disposition for character in "\r\n\u202e")
    assert "X-Evil" not in response.headers


RANGES: dict[str, tuple[str, slice]] = {
    "first bytes": ("bytes=0-9", slice(0, 10)),
    "middle": ("bytes=10-19", slice(10, 20)),
    "to the end": ("bytes=100-", slice(100, None)),
    "last bytes": ("bytes=-7", slice(-7, None)),
    "end beyond the file": ("bytes=10-99999999", slice(10, None)),
    "more last bytes than there are": ("bytes=-99999999", slice(0, None)),
}


@pytest.mark.parametrize(("header", "expected"), RANGES.values(), ids=RANGES.keys())
def test_one_range_is_answered_with_206(owner: Caller, dataset: Dataset, header: str, expected: slice) -> None:
    whole = default_storage.open(dataset.original_key).read()
    response = owner.get(f"/datasets/{dataset.pk}/download", range=header)
    part = body_of(response)
    start = expected.indices(len(whole))[0]
    assert (response.status_code, part) == (206, whole[expected])
    assert response.headers["Content-Range"] == f"bytes {start}-{start + len(part) - 1}/{len(whole)}"
    assert response.headers["Content-Length"] == str(len(part))


@pytest.mark.parametrize("header", ["bytes=99999999-", "bytes=-0", "bytes=999999999999999999-"])
def test_a_range_behind_the_end_is_416(owner: Caller, dataset: Dataset, header: str) -> None:
    response = owner.get(f"/datasets/{dataset.pk}/download", range=header)
    assert outcome_of(response) == (416, "range_not_satisfiable")
    assert response.headers["Content-Range"] == f"bytes */{dataset.bytes}"


STRANGE_RANGES = ["bytes=5-1", "bytes=-", "bytes=0-1,3-4", "lines=1-2", "x", "bytes=1e3-", "bytes=٣-"]


@pytest.mark.parametrize("header", STRANGE_RANGES)
def test_a_range_that_is_not_understood_is_answered_with_the_file(owner: Caller, dataset: Dataset, header: str) -> None:
    response = owner.get(f"/datasets/{dataset.pk}/download", range=header)
    assert (response.status_code, len(body_of(response))) == (200, dataset.bytes)


def test_who_has_the_file_gets_304(owner: Caller, dataset: Dataset) -> None:
    path, etag = f"/datasets/{dataset.pk}/download", f'"{dataset.sha256}"'
    assert owner.get(path, if_none_match=etag).status_code == 304
    assert owner.get(path, if_none_match=f'"other", W/{etag}').status_code == 304
    assert owner.get(path, if_none_match='"other"').status_code == 200


def test_a_range_of_another_version_is_answered_with_the_file(owner: Caller, dataset: Dataset) -> None:
    path, etag = f"/datasets/{dataset.pk}/download", f'"{dataset.sha256}"'
    assert owner.get(path, range="bytes=0-9", if_range=etag).status_code == 206
    assert owner.get(path, range="bytes=0-9", if_range='"other"').status_code == 200


def test_a_file_that_was_lost_is_said_to_be_gone(owner: Caller, ana: User) -> None:
    dataset = make_dataset(ana, name="to lose")
    default_storage.delete(dataset.original_key)
    assert outcome_of(owner.get(f"/datasets/{dataset.pk}/download")) == (404, "dataset_gone")
