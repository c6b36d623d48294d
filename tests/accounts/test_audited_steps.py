"""What somebody does with their own account is in the audit, step by step, and no secret is."""

import json

from django.contrib.auth.models import User

from bert_training.models import AuditEvent
from tests.accounts.conftest import browser, set_up, sign_in, signed_in
from tests.personas import PASSWORD

NEW = "another-long-password-for-tests"


def test_each_step_with_an_account_is_an_event_of_its_owner(ana: User) -> None:
    client = signed_in("ana")
    secret, codes = set_up(client)
    client.post("/account/two-factor/recovery-codes")
    client.post("/account/two-factor/app/remove")
    client.post("/account/password", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    sign_in(browser(), "ana", password=NEW)
    client.post("/account/sessions", {"end": "others"})
    answer = client.post("/sign-out")
    events = list(AuditEvent.objects.order_by("pk"))
    by_request = {event.request_id: event.kind for event in reversed(events)}  # a new password ends sessions too
    assert list(reversed(by_request.values())) == [
        "signed_in",
        "two_factor_on",
        "recovery_codes_made",
        "two_factor_off",
        "password_changed",
        "signed_in",
        "sessions_ended",
        "signed_out",
    ]
    assert {(event.actor_name, event.address) for event in events} == {("ana", "127.0.0.1")}
    assert events[-1].request_id == answer.headers["X-Request-ID"]
    stored = json.dumps([vars(event) for event in events], default=str)
    assert not [text for text in (PASSWORD, NEW, secret, *codes, "ana@example.com") if text in stored]
