"""The real server while its database refuses everybody: 503 with a time to come back, and back without a restart."""

import http.client
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg2
import pytest

from bert_training.contract.limits import API_PREFIX
from tests.processes import Product, wait_until
from tests.services import IS_EMBEDDED

pytestmark = [pytest.mark.processes, pytest.mark.skipif(IS_EMBEDDED, reason="SQLite is a file that nobody can refuse")]

Answer = tuple[int, http.client.HTTPMessage, bytes]


class Portal:
    """A running product and the switch of its database."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.url = product.environment["DATABASE_URL"]

    def get(self, path: str, token: str = "") -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.product.port, timeout=30)
        headers = {"Authorization": f"Bearer {self.product.accounts[token]}"} if token else {}
        connection.request("GET", path, headers={"Cookie": "session=" + 32 * "a", **headers})
        response = connection.getresponse()
        answer = response.status, response.headers, response.read()
        connection.close()
        return answer

    def let_in(self, is_allowed: bool) -> None:
        """Open or close the database; closing also ends the connections that it has."""
        name = urlsplit(self.url).path.strip("/")
        connection = psycopg2.connect(self.url.removesuffix(name) + "postgres")
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {is_allowed}")
            cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        connection.close()


@pytest.fixture
def portal(product: Product) -> Iterator[Portal]:
    product.start_web()
    portal = Portal(product)
    yield portal
    portal.let_in(True)


def test_a_database_that_is_away_is_503_everywhere_until_it_is_back(portal: Portal) -> None:
    portal.let_in(False)
    for path, token in (("/runs", "token"), ("/runs", ""), ("/datasets/1/download?form=table", "worker_token")):
        status, headers, body = portal.get(API_PREFIX + path, token)
        assert (status, headers["Retry-After"], headers.get_content_type()) == (503, "5", "application/json")
        assert json.loads(body)["code"] == "unavailable"
    status, headers, _body = portal.get("/runs")
    assert (status, headers["Retry-After"]) == (503, "5")
    assert portal.get("/health/live")[0] == 200
    status, _headers, body = portal.get("/health/ready")
    assert (status, json.loads(body)["parts"]["database"]) == (503, "failed")
    portal.let_in(True)
    wait_until(lambda: portal.get(API_PREFIX + "/runs", "token")[0] == 200)
