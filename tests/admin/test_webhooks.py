"""Staff make webhooks, see the secret once, try them, and read the log of deliveries."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from bert_training.contract.enums import AuditKind, NoticeKind
from bert_training.models import AuditEvent, Dispatch, Occurrence, Webhook
from bert_training.services.notifying.webhooks import secret_of
from tests.admin.rows import list_of, page_of, run_action
from tests.pages.conftest import client_of
from tests.pages.queries import queries_of
from tests.personas import make_user
from tests.receiver import Receiver
from tests.telling import make_webhook

pytestmark = pytest.mark.usefixtures("resolver")
KINDS = [NoticeKind.RUN_COMPLETED.value, NoticeKind.RUN_FAILED.value]


@pytest.fixture
def allowed(settings: Any, receiver: Receiver) -> Receiver:
    """A receiver on a host within the house."""
    settings.WEBHOOK_INTERNAL_HOSTS = [receiver.host]
    return receiver


def form_for(receiver: Receiver, **changes: Any) -> dict[str, Any]:
    return {"name": "intranet", "url": f"http://{receiver.host}/hook", "kinds": KINDS, **changes}


def test_a_new_webhook_shows_its_secret_once(staff: Client, allowed: Receiver) -> None:
    response = staff.post(list_of("webhook") + "add/", form_for(allowed))
    webhook = Webhook.objects.get()
    secret = secret_of(webhook)
    assert re.fullmatch(r"bertwh_[\w-]{43}", secret)
    assert secret in response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]
    for page in (page_of("webhook", webhook.pk), list_of("webhook"), page_of("webhook", webhook.pk)):
        content = staff.get(page).content.decode()
        assert secret not in content
        assert webhook.secret not in content
    event = AuditEvent.objects.get(kind=AuditKind.WEBHOOK_CHANGED)
    assert (event.target_id, allowed.host in str(event.facts)) == (webhook.pk, False)
    assert webhook.kinds == KINDS


@pytest.mark.parametrize("url", ["https://evil.example/", "http://127.0.0.1/", "javascript:alert(1)"])
def test_an_address_on_another_host_is_refused(staff: Client, allowed: Receiver, url: str) -> None:
    content = staff.post(list_of("webhook") + "add/", form_for(allowed, url=url)).content.decode()
    assert f"Allowed now: {allowed.host}." in content
    assert not Webhook.objects.exists()


def test_a_test_says_at_once_what_came_of_it(staff: Client, allowed: Receiver) -> None:
    webhook, _secret = make_webhook(allowed, NoticeKind.RUN_FAILED)
    assert re.search(r"Intranet: answered 200 in \d+ ms", run_action(staff, "webhook", "send_test", webhook.pk))
    assert b'"event": "test"' in allowed.calls[0][1]
    allowed.status = 301
    assert "redirect, which is not followed (301" in run_action(staff, "webhook", "send_test", webhook.pk)
    webhook.refresh_from_db()
    assert (webhook.failures, len(allowed.calls)) == (0, 2)  # a test is no failure, and is not sent again
    log = staff.get(f"{list_of('dispatch')}?webhook__id__exact={webhook.pk}").content.decode()
    assert ("answered 200" in log, "given up" in log) == (True, True)
    assert f"webhook__id__exact={webhook.pk}" in staff.get(page_of("webhook", webhook.pk)).content.decode()


def test_a_new_secret_is_asked_for_and_shown_once(staff: Client, allowed: Receiver) -> None:
    webhook, old = make_webhook(allowed)
    assert "Make a new secret?" in run_action(staff, "webhook", "new_secret", webhook.pk)
    webhook.refresh_from_db()
    assert secret_of(webhook) == old
    content = run_action(staff, "webhook", "new_secret", webhook.pk, confirmed="yes")
    webhook.refresh_from_db()
    assert secret_of(webhook) != old
    assert secret_of(webhook) in content


def test_it_is_switched_off_and_on_and_deleted_with_its_log(staff: Client, allowed: Receiver) -> None:
    webhook, _secret = make_webhook(allowed)
    for action, active in (("switch_off", False), ("switch_on", True)):
        Webhook.objects.update(failures=7)
        run_action(staff, "webhook", action, webhook.pk)
        webhook.refresh_from_db()
        assert (webhook.active, webhook.failures) == (active, 0)
    run_action(staff, "webhook", "send_test", webhook.pk)
    assert "log of its deliveries goes with it" in run_action(staff, "webhook", "delete_chosen", webhook.pk)
    run_action(staff, "webhook", "delete_chosen", webhook.pk, confirmed="yes")
    assert not Webhook.objects.exists()
    assert not Dispatch.objects.exists()


def test_the_log_costs_the_same_with_many_rows_and_shows_no_markup(staff: Client, allowed: Receiver, ana: User) -> None:
    webhook, _secret = make_webhook(allowed)
    Webhook.objects.update(name="<script>alert('canary')</script>")
    counts = []
    for number in range(4):
        occurrence = Occurrence.objects.create(kind=NoticeKind.RUN_FAILED, key=f"k{number}")
        Dispatch.objects.create(occurrence=occurrence, webhook=webhook, next_at=occurrence.created_at)
        Dispatch.objects.create(occurrence=occurrence, user=ana, next_at=occurrence.created_at)
        counts.append(len(queries_of(staff, list_of("dispatch"))))
    assert counts[1] == counts[-1]
    content = staff.get(list_of("dispatch")).content.decode()
    assert ("<script>alert(" in content, "ana" in content) == (False, True)
    assert staff.get(list_of("webhook") + "?secret__startswith=g").status_code in (302, 400)


def test_staff_without_the_permission_make_and_change_none(allowed: Receiver, db: None) -> None:
    webhook, _secret = make_webhook(allowed)
    clerk = make_user("clerk", roles=[], is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_webhook"))
    client = client_of(clerk)
    assert client.get(page_of("webhook", webhook.pk)).status_code == 200
    assert client.post(list_of("webhook") + "add/", form_for(allowed)).status_code == 403
    run_action(client, "webhook", "switch_off", webhook.pk)
    webhook.refresh_from_db()
    assert webhook.active
    assert Permission.objects.filter(group__name="staff", codename="add_webhook").exists()
