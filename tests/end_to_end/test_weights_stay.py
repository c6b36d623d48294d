"""S0.68: the weights never leave the machine that trained them; the portal would not even take them."""

import base64
import random
from collections.abc import Iterator

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from bert_training.models import Dataset, Job, Worker
from tests.end_to_end.weights import leaked_blocks
from tests.personas import token_of

WEIGHTS = random.Random(68).randbytes(4096)
MULTIPART = (
    b'--edge\r\nContent-Disposition: form-data; name="file"; filename="model.safetensors"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n" + WEIGHTS + b"\r\n--edge--\r\n"
)
FILE_BODIES = {"multipart/form-data; boundary=edge": MULTIPART, "application/octet-stream": WEIGHTS}
REFUSED = frozenset({401, 403, 404, 405, 415})


@pytest.mark.parametrize(
    "hidden",
    [
        WEIGHTS[1001:1064],
        base64.b64encode(WEIGHTS[1001:1064]),
        b'"' + base64.urlsafe_b64encode(WEIGHTS[1000:1064]) + b'"',
        WEIGHTS[1001:1064].hex().encode(),
    ],
    ids=["as bytes", "base64", "base64 for addresses", "hexadecimal"],
)
def test_the_search_finds_a_piece_however_it_is_written(hidden: bytes) -> None:
    assert leaked_blocks(b'{"message": "' + hidden + b'"}', WEIGHTS) == [1024]
    assert leaked_blocks(b'{"message": "nothing to see"}', WEIGHTS) == []


@pytest.mark.parametrize("content_type", FILE_BODIES)
def test_no_address_takes_a_file_from_a_worker(
    client: Client, worker: Worker, running_job: Job, content_type: str
) -> None:
    """Every address of the schema that takes a body is tried, with the number of the worker's own job or data."""
    token, files = token_of(worker), stored_files()
    answers = {
        (method, path): client.generic(
            method,
            path.replace("{id}", str(running_job.pk)),
            FILE_BODIES[content_type],
            content_type=content_type,
            headers={"Authorization": f"Bearer {token}", "X-Worker-Protocol": "1"},
        ).status_code
        for method, path in writing_operations()
    }
    assert len(answers) >= 12
    assert {call: status for call, status in answers.items() if status not in REFUSED} == {}
    assert stored_files() == files
    assert Dataset.objects.count() == 1


def writing_operations() -> Iterator[tuple[str, str]]:
    """Yield method and path of everything in the API's schema that could take a body."""
    paths = SchemaGenerator().get_schema(public=True)["paths"]  # type: ignore[no-untyped-call]
    for path, operations in paths.items():
        yield from ((method.upper(), path) for method in operations if method in {"post", "put", "patch"})


def stored_files() -> list[str]:
    """Return the names of all stored files, two folders deep."""
    folders, files = default_storage.listdir("")
    return sorted(files + [name for folder in folders for name in default_storage.listdir(folder)[1]])
