"""A Chromium page that notes what a user would not see: script errors, refused content, failed requests."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, ConsoleMessage, Page, Response, sync_playwright

from tests.chromium import find_chromium

WAIT_MILLISECONDS = 20_000  # for one step of a page on a busy machine
SERVER_ERROR = 500


@contextmanager
def chromium() -> Iterator[Callable[[str], Page]]:
    """Run Chromium; gives a function that opens a portal's address in a fresh session. Fails if a page complained.

    Inside, no model may be touched: Playwright's loop runs in this thread, and Django refuses then.
    """
    complaints: list[str] = []
    with sync_playwright() as playwright:
        # Chromium's own sandbox refuses to run as root, as containers do.
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        yield lambda base_url: _watched_page(browser, base_url, complaints)
        browser.close()
    assert not complaints, "\n".join(complaints)


def sign_in(page: Page, *, user: str, password: str) -> None:
    """Sign in on the page that the portal shows to a stranger."""
    page.goto("/")
    page.fill("input[name=username]", user)
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    page.locator("nav.site-nav").wait_for()


def _watched_page(browser: Browser, base_url: str, complaints: list[str]) -> Page:
    context = browser.new_context(base_url=base_url, locale="pt-BR", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(WAIT_MILLISECONDS)

    def note_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(f"console of {page.url}: {message.text}")

    def note_response(response: Response) -> None:
        if response.status >= SERVER_ERROR:
            complaints.append(f"{response.url} answered {response.status}")

    page.on("console", note_console)
    page.on("pageerror", lambda error: complaints.append(f"script of {page.url}: {error}"))
    page.on("response", note_response)
    return page
