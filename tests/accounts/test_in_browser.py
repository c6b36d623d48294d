"""The second factor in Chromium, without a script of ours: set up from the picture's page, sign in, recovery code."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from tests.accounts.conftest import code_of
from tests.browser import chromium, sign_in
from tests.personas import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


def set_up(page: Page) -> tuple[str, list[str]]:
    """Set up the app; returns its secret and the recovery codes, as shown and as saved."""
    page.goto("/account/two-factor")
    page.locator("main .button-primary").click()
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    picture = page.locator(".qr-code")
    assert picture.evaluate("image => image.complete && image.naturalWidth > 0")  # the policy lets it load
    secret = page.locator(".secret").text_content() or ""
    page.fill("input[name=code]", code_of(secret, periods=-1))
    page.press("input[name=code]", "Enter")
    codes = page.locator(".recovery-codes li").all_text_contents()
    with page.expect_download() as saved:
        page.locator("a[download]").click()
    assert saved.value.path().read_text(encoding="utf-8").split() == codes
    return secret, codes


def sign_in_by_code(page: Page, code: str) -> None:
    """Sign in with password and code."""
    page.goto("/sign-in")
    page.fill("input[name=username]", "ana")
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.fill("input[name=code]", code)
    page.press("input[name=code]", "Enter")
    page.locator("nav.site-nav").wait_for()


def test_from_the_picture_to_a_sign_in_with_a_code_and_one_without_the_phone(
    live_server: LiveServer, ana: User
) -> None:
    with chromium() as open_page:
        page = open_page(live_server.url)
        sign_in(page, user="ana", password=PASSWORD)
        secret, codes = set_up(page)
        assert len(codes) == 10
        sign_in_by_code(open_page(live_server.url), code_of(secret))
        sign_in_by_code(open_page(live_server.url), codes[3])
