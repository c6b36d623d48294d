"""The main pages without a mouse: the Tab key reaches everything that can be used, and one always sees where one is."""

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from tests.browser import chromium, sign_in
from tests.full_house import House, furnish
from tests.personas import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

# Of buttons that belong together (radio) the Tab key reaches one; what is hidden it passes by.
NUMBER_ALL = """() => {
  const usable = ["a[href]", "button", "input", "select", "textarea", "summary", "[tabindex='0']"]
    .map((one) => `${one}:not([tabindex='-1'])`).join(", ");
  const groups = new Set();
  let number = 0;
  for (const each of document.querySelectorAll(usable)) {
    if (each.disabled || each.type === "hidden" || !each.checkVisibility({ visibilityProperty: true })) continue;
    if (each.type === "radio" && groups.has(each.name)) continue;
    if (each.type === "radio") groups.add(each.name);
    each.dataset.tabNumber = number++;
  }
  return number;
}"""
FOCUSED = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const style = getComputedStyle(one), place = one.getBoundingClientRect();
  const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  return {
    number: one.dataset.tabNumber ?? (one.type === "radio" ? "radio" : null),
    shown: (ring || style.boxShadow !== "none") && place.width > 0 && place.bottom > 0 && place.top < innerHeight,
    html: one.outerHTML.slice(0, 120),
  };
}"""
MOST_TABS = 400


@pytest.fixture
def house(checked_here: None, proved_here: None) -> House:
    """A portal with a little of everything."""
    return furnish()


def test_the_main_pages_are_used_by_keyboard(live_server: LiveServer, house: House) -> None:
    pages = [
        "/",
        "/runs",
        "/queue",
        "/datasets/new",
        *(f"/runs/{house.rows[name].pk}" for name in ("result", "running")),
    ]
    with chromium() as open_page:
        page = open_page(live_server.url)
        page.route_web_socket("**/ws/**", lambda socket: socket.close(code=1011))
        sign_in(page, user="ana", password=PASSWORD)
        for address in pages:
            page.goto(address)
            assert (address, problems_by_tab(page)) == (address, [])
            page.goto(address)
            jump_to_content(page)
        open_and_leave_a_menu(page)


def open_and_leave_a_menu(page: Page) -> None:
    """The downloads of a run stand behind one button: opened by Enter, left by Escape or a click beside it."""
    menu, button = page.locator("details[data-menu]"), page.locator("details[data-menu] > summary")
    button.press("Enter")
    page.keyboard.press("Tab")
    assert menu.locator("a").first.evaluate("(link) => link === document.activeElement")
    page.keyboard.press("Escape")
    assert button.evaluate("(one) => one === document.activeElement && !one.parentElement.open")
    button.press("Enter")
    page.locator("h1").click()
    assert menu.get_attribute("open") is None


def problems_by_tab(page: Page) -> list[str]:
    """Press Tab until the page begins anew; say what it does not reach and where one does not see where one is."""
    wanted = {str(number) for number in range(page.evaluate(NUMBER_ALL))}
    reached, unseen = set(), []
    for _tab in range(MOST_TABS):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None or focused["number"] in reached:
            break
        reached.add(focused["number"])
        if not focused["shown"]:
            unseen.append(f"one does not see the focus on {focused['html']}")
    missed = [
        page.locator(f"[data-tab-number='{number}']").evaluate("(one) => one.outerHTML")
        for number in sorted(wanted - reached)
    ]
    return [*unseen, *(f"not reached: {html[:120]}" for html in missed)]


def jump_to_content(page: Page) -> None:
    """Take the first link of the page: the next Tab is behind head and navigation."""
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.keyboard.press("Tab")
    assert page.evaluate("Boolean(document.activeElement.closest('main'))")
