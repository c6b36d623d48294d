"""The page of one's own account."""

from django.contrib.auth.models import User
from django.test import Client

from bert_training.models import Quota, Run, Team
from tests.pages.conftest import client_of
from tests.personas import make_user


def page_of(user: User) -> str:
    return client_of(user).get("/account").content.decode()


def test_the_account_page_says_who_one_is_and_what_one_may_do(ana: User, vera: User, otto: User, root: User) -> None:
    page = page_of(ana)
    assert all(word in page for word in ("ana@example.com", "procuradoria", "start runs"))
    assert ('href="/runs"' in page, 'href="/admin/"' in page) == (True, False)  # the header is as everywhere
    assert "start runs" not in page_of(vera)
    assert "order the queue" in page_of(otto)
    assert "You administer the portal" in page_of(root)
    assert "has no role yet" in page_of(make_user("zoe", roles=[]))


def test_a_name_with_markup_is_text_on_the_account_page(team: Team) -> None:
    canary = "<script>alert('canary')</script>"
    page = page_of(make_user("eva", first_name=canary))
    assert (canary in page, "canary" in page) == (False, True)


def test_the_header_of_every_page_leads_to_the_account(ana: User, client: Client) -> None:
    assert 'href="/account"' in client_of(ana).get("/runs").content.decode()
    assert 'href="/account"' not in client.get("/sign-in").content.decode()


def test_who_may_train_sees_what_is_used_of_which_quota(ana: User, vera: User, team: Team, run: Run) -> None:
    Quota.objects.create(team=team, queued_runs=2)
    page = page_of(ana)
    assert "Team procuradoria, all members together" in page
    assert '<meter min="0" max="100" low="75" high="95" optimum="0" value="50">1 of 2</meter>' in page
    assert "GPU minutes this month" in page
    assert "How much you use" not in page_of(vera)


def test_the_admin_has_no_second_way_to_passwords_factors_and_identities(root: User) -> None:
    client = client_of(root)
    index = client.get("/admin/").content.decode()
    for app in ("account", "socialaccount", "mfa", "usersessions"):
        assert f"/admin/{app}/" not in index
    assert client.get("/admin/socialaccount/socialaccount/add/").status_code == 404
    assert client.get("/admin/password_change/").headers["Location"] == "/account/password"


def test_who_signs_in_elsewhere_alone_is_offered_no_password(ana: User) -> None:
    assert "/account/password" in page_of(ana)
    ana.set_unusable_password()
    ana.save()
    assert "/account/password" not in page_of(ana)
