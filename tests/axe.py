"""What axe-core finds on a page that Chromium shows, as sentences that name the element. Nothing but the known rules.

Rules that axe cannot decide (a picture behind a text) are left to people, who look at the pages.
"""

from collections.abc import Mapping
from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Page

SCRIPT = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]}
SHOWN_NODES = 3  # of one violation
JUDGE = "async (options) => (await globalThis.axe.run(document, options)).violations"


def violations(page: Page, options: Mapping[str, object] = WCAG) -> list[str]:
    """Judge the page as it stands; the page's context must have been given SCRIPT."""
    found = page.evaluate(JUDGE, options)
    return [
        f"{each['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for each in found
        for node in each["nodes"][:SHOWN_NODES]
    ]
