"""Every page in Chromium, light and dark, wide and narrow: WCAG 2.2 A and AA, no complaint, no canary that wakes."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.test import Client, RequestFactory
from playwright.sync_api import Dialog, Page, Request, ViewportSize
from pytest_django.live_server_helper import LiveServer

from bert_training.admin.site import PortalAdminSite
from portal import errors
from tests import axe
from tests.browser import chromium
from tests.full_house import House, furnish
from tests.pages.every_page import STRANGER, addresses_of_admin, looks, routes_without_a_line
from tests.personas import PASSWORD

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.timeout(500),  # a minute on a busy machine
]

CANARY = " <img src=x onerror=alert(1)>"
WIDE, NARROW = ViewportSize(width=1280, height=900), ViewportSize(width=390, height=844)
OPEN_ALL = "document.querySelectorAll('details').forEach((each) => { each.open = true; })"
# Colours that change by and by would be judged half way.
PAINT = """(theme) => {
  document.documentElement.dataset.theme = theme;
  document.getAnimations().filter((each) => each instanceof CSSTransition).forEach((each) => each.finish());
}"""
# Charts take their new width some frames after the window.
OVERFLOW = """async () => {
  const root = document.documentElement;
  const tooWide = () => root.scrollWidth - root.clientWidth;
  for (let frame = 0; frame < 60 && tooWide() > 0; frame++) await new Promise(requestAnimationFrame);
  return tooWide();
}"""
ERRORS = {
    "400": errors.bad_request,
    "403": errors.permission_denied,
    "404": errors.not_found,
    "500": errors.server_error,
}
Look = tuple[str, str]  # who, at which address


@pytest.fixture
def house(checked_here: None, proved_here: None) -> House:
    """A portal full of canaries."""
    return furnish(CANARY)


def test_every_page_has_a_line() -> None:
    """A page that was added is looked at, or somebody says why not: tests/pages/every_page.py."""
    assert routes_without_a_line() == set()


def test_every_page_is_accessible_and_quiet(live_server: LiveServer, house: House) -> None:
    answers = {f"/shown/{status}": error_page(status) for status in ERRORS}
    shown = [*looks(house), *((STRANGER, address) for address in answers)]
    with visits(live_server.url, sessions_of({who for who, _address in shown})) as visit:
        visit.answers = answers
        assert_nothing(complaint for who, address in shown for complaint in visit.judge(who, address))


@pytest.mark.long
def test_every_page_of_the_admin_is_accessible_and_quiet(live_server: LiveServer, house: House) -> None:
    sessions = sessions_of({"root"})
    root = Client()
    root.cookies[settings.SESSION_COOKIE_NAME] = sessions["root"]
    shown = [address for address in addresses_of_admin() if root.get(address).status_code == 200]
    assert len(shown) > len(PortalAdminSite()._registry)  # every list, and pages of rows
    with visits(live_server.url, sessions) as visit:
        assert_nothing(complaint for address in shown for complaint in visit.judge("root", address))


def assert_nothing(complaints: Iterable[str]) -> None:
    """Fail with all that was found: whoever mends one page wants to see its sisters too."""
    found = list(complaints)
    assert not found, "\n".join(found)


class Visits:
    """Opens addresses as people do and says what is wrong with the pages."""

    def __init__(self, pages: dict[str, Page], base_url: str) -> None:
        self.pages = pages
        self.answers: dict[str, str] = {}  # pages that no address leads to
        self._noted: list[str] = []
        for page in pages.values():
            page.context.add_init_script(axe.SCRIPT)
            page.on("dialog", self._note_dialog)
            page.on("request", lambda request: self._note_host(request, base_url))
            page.route_web_socket("**/ws/**", lambda socket: socket.close(code=1011))
            page.route(
                "**/shown/*", lambda route: route.fulfill(body=self._answer(route.request), content_type="text/html")
            )

    def judge(self, who: str, address: str) -> Iterator[str]:
        """Open an address; yield what is wrong, with who saw it where."""
        page = self.pages[who]
        self._noted.clear()
        page.set_viewport_size(WIDE)
        page.goto(address)
        yield from (f"{who} {address}: {found}" for found in [*_judged(page, address), *self._noted])

    def _answer(self, request: Request) -> str:
        return next(body for address, body in self.answers.items() if request.url.endswith(address))

    def _note_dialog(self, dialog: Dialog) -> None:
        self._noted.append(f"a dialog opened: {dialog.message}")
        dialog.dismiss()

    def _note_host(self, request: Request, base_url: str) -> None:
        if not request.url.startswith((base_url, "data:", "blob:")):
            self._noted.append(f"asked {request.url}")


def _judged(page: Page, address: str) -> Iterator[str]:
    if not page.url.endswith(address):
        yield f"led to {page.url}"
    page.evaluate(OPEN_ALL)
    page.evaluate(PAINT, "light")
    yield from axe.violations(page)
    page.evaluate(PAINT, "dark")
    yield from (f"dark: {found}" for found in axe.violations(page, axe.CONTRAST))
    page.set_viewport_size(NARROW)
    too_wide = page.evaluate(OVERFLOW)
    if too_wide > 0:
        yield f"is {too_wide} pixels too wide for a telephone"


@contextmanager
def visits(base_url: str, sessions: dict[str, str]) -> Iterator[Visits]:
    """Open a browser for each person; their complaints in the console fail the test."""
    with chromium() as open_page:
        pages = {who: open_page(base_url) for who in sessions}
        for who, page in pages.items():
            if sessions[who]:
                cookie = {"name": settings.SESSION_COOKIE_NAME, "value": sessions[who], "url": base_url}
                page.context.add_cookies([cookie])  # type: ignore[list-item]  # a TypedDict of the library
        yield Visits(pages, base_url)


def sessions_of(people: Iterable[str]) -> dict[str, str]:
    """Sign people in and have them give the password once more, as delicate pages ask; a stranger has no session."""
    return {who: _session_of(who) if who else "" for who in people}


def _session_of(who: str) -> str:
    client = Client()
    for form in ("/sign-in", "/account/confirm"):
        assert client.post(form, {"username": who, "password": PASSWORD}).status_code == 302
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def error_page(status: str) -> str:
    """Return the page that is shown when something goes wrong."""
    content: bytes = ERRORS[status](RequestFactory().get("/x")).content
    return content.decode()
