"""Runs the pages' scripts in Chromium without a portal: files come from static/, under the portal's own policy."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from playwright.sync_api import Page, Route

from portal.middleware import CONTENT_SECURITY_POLICY
from tests.browser import chromium

BASE_URL = "http://harness.test"
MODULES = ("log_view", "log_rows", "metric_chart", "sgr", "run_socket", "run_state", "older_lines")
PAGE = """<!doctype html><html lang="pt-br"><meta charset="utf-8">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/bert_training/css/tokens.css">
<link rel="stylesheet" href="/static/bert_training/css/run.css">
<script defer src="/static/vendor/uplot/uPlot.iife.min.js"></script>
<script type="module" src="/harness.js"></script>
<div id="log" class="log" role="log" tabindex="0"></div><div id="charts" class="charts"></div></html>"""
SCRIPT = "\n".join(
    [f'import * as {name} from "/static/bert_training/js/{name}.js";' for name in MODULES]
    + [f"globalThis.modules = {{ {', '.join(MODULES)} }};"]
)


@contextmanager
def harness() -> Iterator[Page]:
    """Open an empty page on which `modules` holds the scripts; what it complains about fails the test."""
    with chromium() as open_page:
        page = open_page(BASE_URL)
        page.on("dialog", lambda dialog: dialog.dismiss())
        page.route(f"{BASE_URL}/**", _answer)
        page.goto("/")
        page.wait_for_function("() => Boolean(globalThis.modules && globalThis.uPlot)")
        yield page


def call(page: Page, body: str, argument: Any = None) -> Any:
    """Run the body of an async function of (modules, argument)."""
    return page.evaluate(f"async (argument) => {{ const modules = globalThis.modules; {body} }}", argument)


def _answer(route: Route) -> None:
    path = route.request.url.removeprefix(BASE_URL)
    if path == "/":
        headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}
        route.fulfill(body=PAGE, content_type="text/html; charset=utf-8", headers=headers)
    elif path == "/harness.js":
        route.fulfill(body=SCRIPT, content_type="text/javascript")
    else:
        route.fulfill(path=settings.BASE_DIR / path.lstrip("/"))
