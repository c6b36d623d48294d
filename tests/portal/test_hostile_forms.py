"""Every page with a form, of the portal and of the admin, with hostile values in all fields: never a crash."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from bert_training.models import AccessToken, BaseModel, Job, Run, Worker
from tests.personas import token_of

pytestmark = [pytest.mark.django_db, pytest.mark.long]

VALUES = ["a\x00b", "9" * 5000, "x", "-1", "1e999", "\u202e\U0001f600", "[]", ""]
FIELD = re.compile(r'<(?:input|select|textarea|button)\b[^>]*?\bname="([^"]+)"')
MODELS = ("run", "dataset", "job", "worker", "basemodel", "accesstoken", "jobattempt", "log", "metric")
PAGES = [
    "/sign-in",
    "/runs",
    "/runs/new",
    "/runs/{run}",
    "/datasets",
    "/datasets/new",
    "/datasets/{dataset}",
    "/language",
]
PAGES += [
    "/datasets/{dataset}/delete",
    "/runs/{run}/cancel",
    "/runs/{run}/reproduce",
    "/queue",
    "/workers",
    "/admin/login/",
]
PAGES += [f"/admin/bert_training/{model}/" for model in MODELS]
PAGES += [f"/admin/bert_training/{model}/add/" for model in ("run", "dataset", "worker", "basemodel", "accesstoken")]
PAGES += [
    f"/admin/bert_training/{model}/{{{model}}}/change/" for model in ("run", "dataset", "job", "worker", "basemodel")
]
PAGES += ["/admin/auth/user/", "/admin/auth/user/add/", "/admin/auth/group/add/", "/admin/password_change/"]


@pytest.fixture
def rows(run: Run, running_job: Job, worker: Worker) -> dict[str, int]:
    token_of(worker)
    one = {"basemodel": BaseModel.objects.first(), "accesstoken": AccessToken.objects.first()}
    assert one["basemodel"] is not None
    return {"run": run.pk, "dataset": run.dataset_id, "job": running_job.pk, "worker": worker.pk} | {
        name: row.pk for name, row in one.items() if row is not None
    }


@pytest.mark.parametrize("page", PAGES)
def test_a_hostile_value_is_refused_and_not_a_crash(root: User, rows: dict[str, int], page: str) -> None:
    client, address = Client(raise_request_exception=False), page.format(**rows)
    client.force_login(root)
    shown = client.get(address, follow=True).content.decode()
    fields = sorted({*FIELD.findall(shown), "q", "page", "o", "run__id__exact", "_facets", "next"})
    for value in VALUES:
        hostile = dict.fromkeys(fields, value)
        assert client.get(address, hostile).status_code < 500, value[:20]
        assert client.post(address, hostile).status_code < 500, value[:20]
        client.force_login(root)  # one of the forms ends the session
