"""Speaks to the portal as a person's program would: over the REST API with a token, and as a browser with a session."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2

from bert_training.contract.limits import API_PREFIX

REQUEST_SECONDS = 60.0
CSRF_FIELD = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class PortalRefused(Exception):
    """The portal answered something else than what the demo needs; the message carries its answer."""


class PortalClient:
    """The portal's API with one user's token."""

    def __init__(self, base_url: str, token: str) -> None:
        self._http = httpx2.Client(
            base_url=base_url + API_PREFIX,
            headers={"Authorization": f"Bearer {token}"},
            timeout=REQUEST_SECONDS,
            trust_env=False,  # a proxy of the machine is no way to this very machine
        )

    def upload(self, path: Path, *, task: str, name: str) -> dict[str, Any]:
        """Upload a spreadsheet; the same file again answers the dataset that is there."""
        files = {"file": (path.name, path.read_bytes())}
        return self._call("POST", "/datasets/upload", data={"task": task, "name": name}, files=files)

    def create_run(self, **wanted: Any) -> dict[str, Any]:
        """Create a run: dataset, base_model, name, hyperparameters."""
        return self._call("POST", "/runs", json=wanted)

    def run(self, number: int) -> dict[str, Any]:
        """Return a run as it stands."""
        return self._call("GET", f"/runs/{number}")

    def unfinished_runs(self) -> Iterator[dict[str, Any]]:
        """Yield the runs that wait or train."""
        for status in ("queued", "running"):
            yield from self._call("GET", "/runs", params={"status": status})["results"]

    def cancel(self, number: int) -> None:
        """Cancel a run."""
        self._call("POST", f"/runs/{number}/cancel")

    def log_lines(self, number: int, *, after: int) -> tuple[list[dict[str, Any]], int]:
        """Return the log lines after a cursor, and the next cursor."""
        answer = self._call("GET", f"/runs/{number}/logs", params={"after": after})
        return answer["lines"], answer["next_after"]

    def _call(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        try:
            response = self._http.request(method, path, **content)
        except httpx2.TransportError as error:
            raise PortalRefused(f"{method} {path} was not answered: {error!r}.") from error
        if not response.is_success:
            raise PortalRefused(f"{method} {path} answered {response.status_code}: {response.text}")
        answer: dict[str, Any] = response.json()
        return answer


def read_page(base_url: str, address: str, *, user: str, password: str) -> str:
    """Sign in as a browser does and return the page at `address` (a path)."""
    with httpx2.Client(base_url=base_url, timeout=REQUEST_SECONDS, trust_env=False, follow_redirects=True) as browser:
        form = browser.get(address)
        token = CSRF_FIELD.search(form.text)
        if not token:
            raise PortalRefused(f"{form.url} answered {form.status_code} without the sign-in form.")
        fields = {"username": user, "password": password, "csrfmiddlewaretoken": token[1]}
        page = browser.post(str(form.url), data=fields, headers={"Referer": str(form.url)})
        if page.url.path != address or not page.is_success:
            raise PortalRefused(f"Signing in as {user} led to {page.url} ({page.status_code}), not to {address}.")
        return page.text
